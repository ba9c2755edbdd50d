// SPDX-License-Identifier: Apache-2.0
// Matrix products: included by simd_kernels.inl, same rules.
// Goto and van de Geijn, "Anatomy of high-performance matrix multiplication", ACM TOMS 34(3), 2008: panels of B stay in
// the second-level cache, panels of A in the first, a block of C in registers.

constexpr std::int64_t kDepth = 256;    // k block; fixes the order of summation
constexpr std::int64_t kRows = 168;     // m block, a multiple of every kGemmRows
constexpr std::int64_t kColumns = 512;  // n block

template <class T>
constexpr std::int64_t kPanel = kGemmVectors * kLanes<T>;

// Turns a square: element j of row[i] becomes element i of row[j]. Each round interleaves the first half of the vectors
// with the second, which moves one bit of the row number into the lane number.
static inline void transpose(FloatVector (&row)[kLanes<float>]) {
  constexpr int kHalf = kLanes<float> / 2;
#pragma GCC unroll 4
  for (int round = 1; round < kLanes<float>; round *= 2) {
    FloatVector next[kLanes<float>];
#pragma GCC unroll 8
    for (int i = 0; i < kHalf; ++i) {
      next[2 * i] = (FloatVector)interleave_low_half((Wide)row[i], (Wide)row[i + kHalf]);
      next[2 * i + 1] = (FloatVector)interleave_high_half((Wide)row[i], (Wide)row[i + kHalf]);
    }
#pragma GCC unroll 16
    for (int i = 0; i < kLanes<float>; ++i) row[i] = next[i];
  }
}

// Turns a block while packing: out[p * step + x] = source[x * stride + p] for x < live and p < depth, zeros up to
// `width` (at most a vector). Whole vectors are written where p < depth - 1 or `width` is a vector: what exceeds
// `width` is written again with the next p.
static inline void pack_turned(const float* source, std::int64_t stride, std::int64_t live, std::int64_t depth,
                               std::int64_t width, std::int64_t step, float* out) {
  constexpr std::int64_t kSide = kLanes<float>;
  const std::int64_t whole = width == kSide ? depth / kSide * kSide : (depth - 1) / kSide * kSide;
  for (std::int64_t p = 0; p < whole; p += kSide) {
    FloatVector row[kSide];
#pragma GCC unroll 16
    for (int x = 0; x < kSide; ++x) row[x] = x < live ? load(source + x * stride + p) : FloatVector{};
    transpose(row);
#pragma GCC unroll 16
    for (int x = 0; x < kSide; ++x) store(out + (p + x) * step, row[x]);
  }
  for (std::int64_t p = whole; p < depth; ++p)
    for (std::int64_t x = 0; x < width; ++x) out[p * step + x] = x < live ? source[x * stride + p] : 0;
}

// double serves proofs, not speed.
static inline void pack_turned(const double* source, std::int64_t stride, std::int64_t live, std::int64_t depth,
                               std::int64_t width, std::int64_t step, double* out) {
  for (std::int64_t p = 0; p < depth; ++p)
    for (std::int64_t x = 0; x < width; ++x) out[p * step + x] = x < live ? source[x * stride + p] : 0;
}

// out[p * kWidth + x] = source[p * stride + x] for x < live and p < depth, zeros up to kWidth.
template <std::int64_t kWidth, class T>
static inline void pack_straight(const T* source, std::int64_t stride, std::int64_t live, std::int64_t depth, T* out) {
  if (live == kWidth) {  // a length known to the compiler
    for (std::int64_t p = 0; p < depth; ++p) __builtin_memcpy(out + p * kWidth, source + p * stride, kWidth * sizeof(T));
    return;
  }
  for (std::int64_t p = 0; p < depth; ++p)
    for (std::int64_t x = 0; x < kWidth; ++x) out[p * kWidth + x] = x < live ? source[p * stride + x] : 0;
}

// Packs rows [0, rows) of A into panels of kGemmRows, k-major, padded with zeros.
template <class T>
static void pack_a(const GemmPart<T>& g, std::int64_t i0, std::int64_t rows, std::int64_t p0, std::int64_t depth, T* out) {
  for (std::int64_t i = 0; i < rows; i += kGemmRows) {
    const std::int64_t live = rows - i < kGemmRows ? rows - i : kGemmRows;
    const T* source = g.a + (i0 + i) * g.a_row + p0 * g.a_col;
    if (g.a_row == 1) {
      pack_straight<kGemmRows>(source, g.a_col, live, depth, out);
    } else {
      pack_turned(source, g.a_row, live, depth, kGemmRows, kGemmRows, out);
    }
    out += depth * kGemmRows;
  }
}

// Packs columns [0, columns) of B into panels of kPanel, k-major, padded with zeros.
template <class T>
static void pack_b(const GemmPart<T>& g, std::int64_t p0, std::int64_t depth, std::int64_t j0, std::int64_t columns, T* out) {
  for (std::int64_t j = 0; j < columns; j += kPanel<T>) {
    const std::int64_t live = columns - j < kPanel<T> ? columns - j : kPanel<T>;
    const T* source = g.b + p0 * g.b_row + (j0 + j) * g.b_col;
    if (g.b_col == 1) {
      pack_straight<kPanel<T>>(source, g.b_row, live, depth, out);
    } else {
      for (std::int64_t x = 0; x < kPanel<T>; x += kLanes<T>)
        pack_turned(source + x * g.b_col, g.b_col, live - x, depth, kLanes<T>, kPanel<T>, out + x);
    }
    out += depth * kPanel<T>;
  }
}

// One block of C in registers: kHeight x kPanel, summed over `depth`. A is packed kGemmRows high, B rows are `b_step` apart
// (packed: kPanel).
template <int kHeight, class T>
static inline void micro_kernel(std::int64_t depth, const T* a, const T* b, std::int64_t b_step,
                                Vector<T> (&sum)[kHeight][kGemmVectors]) {
#pragma GCC unroll 16
  for (int i = 0; i < kHeight; ++i)
#pragma GCC unroll 4
    for (int v = 0; v < kGemmVectors; ++v) sum[i][v] = Vector<T>{};
  for (std::int64_t p = 0; p < depth; ++p) {
    Vector<T> column[kGemmVectors];
#pragma GCC unroll 4
    for (int v = 0; v < kGemmVectors; ++v) column[v] = load(b + v * kLanes<T>);
#pragma GCC unroll 16
    for (int i = 0; i < kHeight; ++i) {
      const Vector<T> row = broadcast(a[i]);
#pragma GCC unroll 4
      for (int v = 0; v < kGemmVectors; ++v) sum[i][v] += row * column[v];
    }
    a += kGemmRows;
    b += b_step;
  }
}

// How a finished block meets C.
template <class T>
struct BlockOut {
  T* c;
  std::int64_t ldc;
  std::int64_t rows, columns;
  const T* bias;  // null after the first k block
  bool add;
};

template <int kHeight, class T>
static inline void write_block(const Vector<T> (&sum)[kHeight][kGemmVectors], const BlockOut<T>& out) {
  if (out.rows == kHeight && out.columns == kPanel<T>) {
#pragma GCC unroll 16
    for (int i = 0; i < kHeight; ++i)
#pragma GCC unroll 4
      for (int v = 0; v < kGemmVectors; ++v) {
        T* c = out.c + i * out.ldc + v * kLanes<T>;
        Vector<T> value = sum[i][v];
        if (out.bias) value += load(out.bias + v * kLanes<T>);
        if (out.add) value += load(c);
        store(c, value);
      }
    return;
  }
  T block[kHeight * kPanel<T>];
#pragma GCC unroll 16
  for (int i = 0; i < kHeight; ++i)
#pragma GCC unroll 4
    for (int v = 0; v < kGemmVectors; ++v) store(block + i * kPanel<T> + v * kLanes<T>, sum[i][v]);
  for (std::int64_t i = 0; i < out.rows; ++i)
    for (std::int64_t j = 0; j < out.columns; ++j) {
      T value = block[i * kPanel<T> + j];
      if (out.bias) value += out.bias[j];
      T& c = out.c[i * out.ldc + j];
      c = out.add ? value + c : value;
    }
}

// A block of packed A and B.
template <class T>
struct BlockIn {
  std::int64_t depth;
  const T *a, *b;
  std::int64_t b_step;
};

template <int kHeight, class T>
__attribute__((noinline)) static void run_block(const BlockIn<T>& in, const BlockOut<T>& out) {
  Vector<T> sum[kHeight][kGemmVectors];
  micro_kernel<kHeight, T>(in.depth, in.a, in.b, in.b_step, sum);
  write_block<kHeight, T>(sum, out);
}

// The last rows of A take a kernel of about their height.
template <class T>
static inline void run_block(const BlockIn<T>& in, const BlockOut<T>& out) {
  constexpr int kHalf = kGemmRows / 2, kQuarter = kGemmRows / 4 > 0 ? kGemmRows / 4 : 1;
  if (out.rows > kHalf + kQuarter) return run_block<kGemmRows, T>(in, out);
  if (out.rows > kHalf) return run_block<kHalf + kQuarter, T>(in, out);
  out.rows > kQuarter ? run_block<kHalf, T>(in, out) : run_block<kQuarter, T>(in, out);
}

template <class T>
static void gemm(const GemmPart<T>& g) {
  T* const packed_a = g.workspace;
  T* const packed_b = g.workspace + kRows * kDepth;
  if (g.k == 0) {
    for (std::int64_t i = 0; i < g.m; ++i)
      for (std::int64_t j = 0; j < g.n; ++j)
        g.c[i * g.ldc + j] = (g.accumulate ? g.c[i * g.ldc + j] : T{0}) + (g.bias ? g.bias[j] : T{0});
    return;
  }
  // With few rows packing B costs more than it saves; whole panels are then read where they are.
  const bool direct = g.b_col == 1 && g.m <= 2 * kGemmRows;
  for (std::int64_t j0 = 0; j0 < g.n; j0 += kColumns) {
    const std::int64_t columns = g.n - j0 < kColumns ? g.n - j0 : kColumns;
    const std::int64_t whole = direct ? columns / kPanel<T> * kPanel<T> : 0;
    for (std::int64_t p0 = 0; p0 < g.k; p0 += kDepth) {
      const std::int64_t depth = g.k - p0 < kDepth ? g.k - p0 : kDepth;
      if (whole < columns) pack_b(g, p0, depth, j0 + whole, columns - whole, packed_b);
      for (std::int64_t i0 = 0; i0 < g.m; i0 += kRows) {
        const std::int64_t rows = g.m - i0 < kRows ? g.m - i0 : kRows;
        pack_a(g, i0, rows, p0, depth, packed_a);
        for (std::int64_t j = 0; j < columns; j += kPanel<T>) {
          const bool in_place = j < whole;
          const T* b = in_place ? g.b + p0 * g.b_row + j0 + j : packed_b + (j - whole) * depth;
          const std::int64_t b_step = in_place ? g.b_row : kPanel<T>;
          for (std::int64_t i = 0; i < rows; i += kGemmRows) {
            const BlockOut<T> out = {g.c + (i0 + i) * g.ldc + j0 + j, g.ldc,
                                     rows - i < kGemmRows ? rows - i : kGemmRows,
                                     columns - j < kPanel<T> ? columns - j : kPanel<T>,
                                     p0 == 0 && g.bias ? g.bias + j0 + j : nullptr, p0 > 0 || g.accumulate};
            run_block<T>({depth, packed_a + i * depth, b, b_step}, out);
          }
        }
      }
    }
  }
}
