// SPDX-License-Identifier: Apache-2.0
// Products of a sparse batch, by gene, with a weight matrix [out, genes]: included by simd_kernels.inl, same rules.
// A tile of outputs is turned so that the outputs of a gene lie side by side: every stored value then meets whole vectors.

constexpr int kTileVectors = 4;
template <class T>
constexpr std::int64_t kTile = kTileVectors * kLanes<T>;
constexpr std::int64_t kTurnedGenes = 64;  // turned at once: with the sums of 128 rows they fit the first-level cache

// The weights of genes [first, first + depth), one row a gene: out[g * kTile + o].
template <class T>
static inline void turn_weights(const SparseForward<T>& f, std::int64_t first, std::int64_t depth, T* out) {
  for (std::int64_t o = 0; o < kTile<T>; o += kLanes<T>)
    pack_turned(f.weight + o * f.ldw + first, f.ldw, f.outs - o, depth, kLanes<T>, kTile<T>, out + o);
}

// Rows of a wide matrix are too far apart for the processor to see that they are all read in order.
template <class T>
static inline void fetch_weights(const SparseForward<T>& f, std::int64_t first) {
  constexpr std::int64_t kLine = 64 / static_cast<std::int64_t>(sizeof(T));
  const std::int64_t end = first + kTurnedGenes < f.genes ? first + kTurnedGenes : f.genes;
  for (std::int64_t o = 0; o < f.outs; ++o)
    for (std::int64_t g = first; g < end; g += kLine) __builtin_prefetch(f.weight + o * f.ldw + g, 0, 2);
}

template <class T>
static void sparse_forward(const SparseForward<T>& f) {
  const GeneEntries<T>& e = f.entries;
  for (std::int64_t i = 0; i < f.rows * kTile<T>; i += kLanes<T>) store(f.sums + i, Vector<T>{});
  for (std::int64_t first = 0; first < f.genes; first += kTurnedGenes) {
    const std::int64_t depth = f.genes - first < kTurnedGenes ? f.genes - first : kTurnedGenes;
    fetch_weights(f, first + kTurnedGenes);
    turn_weights(f, first, depth, f.workspace);
    for (std::int64_t g = 0; g < depth; ++g) {
      Vector<T> weight[kTileVectors];
#pragma GCC unroll 4
      for (int v = 0; v < kTileVectors; ++v) weight[v] = load(f.workspace + g * kTile<T> + v * kLanes<T>);
      const std::int64_t end = e.begin[first + g + 1];
      for (std::int64_t i = e.begin[first + g]; i < end; ++i) {
        const Vector<T> value = broadcast(e.value[i]);
        T* sum = f.sums + e.row[i] * kTile<T>;
#pragma GCC unroll 4
        for (int v = 0; v < kTileVectors; ++v) store(sum + v * kLanes<T>, load(sum + v * kLanes<T>) + value * weight[v]);
      }
    }
  }
}

template <class T>
static inline void write_number(T value, bool add, T* to) {
  *to = add ? *to + value : value;
}

// to[o * ldw + g] (+)= from[g * kTile + o] for g < genes (at most a vector) and o < outs.
static inline void write_turned(const float* from, std::int64_t genes, const SparseGradient<float>& a, float* to) {
  constexpr std::int64_t kSide = kLanes<float>;
  if (genes < kSide) {
    for (std::int64_t o = 0; o < a.outs; ++o)
      for (std::int64_t g = 0; g < genes; ++g) write_number(from[g * kTile<float> + o], a.accumulate, to + o * a.ldw + g);
    return;
  }
  for (std::int64_t o = 0; o < a.outs; o += kSide) {
    FloatVector row[kSide];
#pragma GCC unroll 16
    for (int g = 0; g < kSide; ++g) row[g] = load(from + g * kTile<float> + o);
    transpose(row);
    if (a.outs - o >= kSide && !a.accumulate) {
#pragma GCC unroll 16
      for (int x = 0; x < kSide; ++x) store(to + (o + x) * a.ldw, row[x]);
      continue;
    }
    for (int x = 0; x < kSide && o + x < a.outs; ++x) {
      float* const line = to + (o + x) * a.ldw;
      store(line, a.accumulate ? load(line) + row[x] : row[x]);
    }
  }
}

// double serves proofs, not speed.
static inline void write_turned(const double* from, std::int64_t genes, const SparseGradient<double>& a, double* to) {
  for (std::int64_t o = 0; o < a.outs; ++o)
    for (std::int64_t g = 0; g < genes; ++g) write_number(from[g * kTile<double> + o], a.accumulate, to + o * a.ldw + g);
}

template <class T>
static void sparse_gradient(const SparseGradient<T>& a) {
  const GeneEntries<T>& e = a.entries;
  for (std::int64_t first = 0; first < a.genes; first += kLanes<T>) {
    const std::int64_t live = a.genes - first < kLanes<T> ? a.genes - first : kLanes<T>;
    for (std::int64_t g = 0; g < live; ++g) {
      Vector<T> sum[kTileVectors] = {};
      const std::int64_t end = e.begin[first + g + 1];
      for (std::int64_t i = e.begin[first + g]; i < end; ++i) {
        const Vector<T> value = broadcast(e.value[i]);
        const T* dy = a.dy + e.row[i] * kTile<T>;
#pragma GCC unroll 4
        for (int v = 0; v < kTileVectors; ++v) sum[v] += value * load(dy + v * kLanes<T>);
      }
#pragma GCC unroll 4
      for (int v = 0; v < kTileVectors; ++v) store(a.workspace + g * kTile<T> + v * kLanes<T>, sum[v]);
    }
    write_turned(a.workspace, live, a, a.dweight + first);
  }
}
