// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "kernels/dispatch.h"
#include "kernels/linear_products.h"
#include "kernels/simd/simd.h"
#include "kernels/sparse_linear.h"
#include "kernels/stored_row.h"

namespace genexx::sparse_linear::cpu {
namespace {

constexpr std::int64_t kSortedGenes = 512;     // genes whose entries one task puts in order
constexpr std::int64_t kGradientGenes = 4096;  // genes of one task of the gradient

// The scaling of one replica.
template <class T>
struct Scaling {
  const T* shift;   // null: 0
  const T* factor;  // null: 1
  T of(std::int64_t gene) const { return factor ? factor[gene] : T{1}; }
  // What a value of 0 becomes.
  T zero(std::int64_t gene) const { return shift && of(gene) != 0 ? -shift[gene] * of(gene) : T{0}; }
};

template <class T>
Scaling<T> scaling_of(const Input& x, const Extents& e, std::int64_t replica) {
  return {x.shift ? x.shift.as<T>() + replica * e.shift_stride : nullptr,
          x.factor ? x.factor.as<T>() + replica * e.factor_stride : nullptr};
}

// The stored values of a batch by gene. Row n holds what a value of 0 becomes: it is added to every row that is no
// padding.
template <class T>
class BatchByGene {
 public:
  BatchByGene(CpuContext& ctx, ScratchFrame& frame, const Input& x, const Extents& e)
      : ctx_(ctx),
        x_(x),
        e_(e),
        begin_(frame.take<std::int64_t>(e.genes + 1)),
        block_(frame.take<std::int64_t>(blocks() + 1)) {
    const std::int64_t most = most_entries();
    row_ = frame.take<std::int32_t>(most);
    value_ = frame.take<T>(most);
  }

  void fill(std::int64_t replica) {
    rows_ = x_.rows.as<std::int64_t>() + replica * e_.rows_stride;
    scaling_ = scaling_of<T>(x_, e_, replica);
    ctx_.parallel(blocks(), [&](std::int64_t b) { count(b); });
    block_[0] = 0;
    for (std::int64_t b = 0; b < blocks(); ++b) block_[b + 1] += block_[b];
    ctx_.parallel(blocks(), [&](std::int64_t b) { place(b); });
    begin_[e_.genes] = block_[blocks()];
  }

  simd::GeneEntries<T> entries(std::int64_t first_gene) const { return {begin_ + first_gene, row_, value_}; }
  bool shifted() const { return scaling_.shift != nullptr; }
  bool padding(std::int64_t i) const { return rows_[i] < 0; }

 private:
  std::int64_t blocks() const { return (e_.genes + kSortedGenes - 1) / kSortedGenes; }

  // Where the longest row is known as many as any batch may have, so that a later batch needs no more memory.
  std::int64_t most_entries() const {
    const std::int64_t zeros = x_.shift ? e_.genes : 0;
    if (x_.data.longest_row > 0) return zeros + e_.n * x_.data.longest_row;
    std::int64_t most = 0;
    const std::int64_t lists = e_.rows_stride == 0 ? 1 : e_.replicas;
    for (std::int64_t k = 0; k < lists; ++k) {
      std::int64_t stored = 0;
      for (std::int64_t i = 0; i < e_.n; ++i) {
        const std::int64_t cell = x_.rows.as<std::int64_t>()[k * e_.n + i];
        if (cell >= 0) stored += stored_row(x_.data, cell).count;
      }
      most = std::max(most, stored);
    }
    return zeros + most;
  }

  // Calls body(gene - first, row, value) for everything in genes [first, last), by rising row.
  template <class Body>
  void each(std::int64_t first, std::int64_t last, Body&& body) const {
    for (std::int64_t i = 0; i < e_.n; ++i) {
      if (rows_[i] < 0) continue;
      const StoredRow row = stored_row(x_.data, rows_[i], first, last);
      for (std::int64_t s = 0; s < row.count; ++s) {
        const std::int64_t gene = row.column_of(s);
        if (const T factor = scaling_.of(gene); factor != 0)
          body(gene - first, i, static_cast<T>(row.value[s]) * factor);
      }
    }
    for (std::int64_t gene = first; shifted() && gene < last; ++gene)
      if (const T zero = scaling_.zero(gene); zero != 0) body(gene - first, e_.n, zero);
  }

  void count(std::int64_t b) {
    const std::int64_t first = b * kSortedGenes, last = std::min(e_.genes, first + kSortedGenes);
    std::fill(begin_ + first, begin_ + last, 0);
    block_[b + 1] = 0;
    each(first, last, [&](std::int64_t gene, std::int64_t, T) {
      ++begin_[first + gene];
      ++block_[b + 1];
    });
  }

  void place(std::int64_t b) {
    const std::int64_t first = b * kSortedGenes, last = std::min(e_.genes, first + kSortedGenes);
    std::int64_t next[kSortedGenes], at = block_[b];
    for (std::int64_t gene = first; gene < last; ++gene) {
      next[gene - first] = at;
      at += begin_[gene];
      begin_[gene] = next[gene - first];
    }
    each(first, last, [&](std::int64_t gene, std::int64_t row, T value) {
      row_[next[gene]] = static_cast<std::int32_t>(row);
      value_[next[gene]++] = value;
    });
  }

  CpuContext& ctx_;
  const Input& x_;
  const Extents& e_;
  std::int64_t *begin_, *block_;  // [genes + 1], [blocks + 1]
  std::int32_t* row_ = nullptr;
  T* value_ = nullptr;
  const std::int64_t* rows_ = nullptr;
  Scaling<T> scaling_ = {};
};

// y of one tile of outputs from the sums; `sums` has one row more than y, that of zeros.
template <class T>
void write_outputs(const BatchByGene<T>& batch, const Extents& e, std::int64_t live, std::int64_t tile, const T* sums,
                   const T* bias, T* y) {
  const T* zeros = sums + e.n * tile;
  for (std::int64_t i = 0; i < e.n; ++i)
    for (std::int64_t o = 0; o < live; ++o) {
      const T start = bias ? bias[o] : T{0};
      y[i * e.out + o] = sums[i * tile + o] + (batch.padding(i) ? start : zeros[o] + start);
    }
}

template <class T>
void forward_typed(CpuContext& ctx, const ForwardArgs& a, const Extents& e) {
  const simd::Table<T>& table = simd::table<T>(ctx.isa());
  const std::int64_t tile = table.sparse_tile, tiles = (e.out + tile - 1) / tile;
  const std::int64_t each = (e.n + 1) * tile + table.sparse_workspace_elements;
  ScratchFrame frame(ctx);
  T* const workspace = frame.take<T>(ctx.threads() * each);
  BatchByGene<T> batch(ctx, frame, a.x, e);
  for (std::int64_t replica = 0; replica < e.replicas; ++replica) {
    batch.fill(replica);
    ctx.parallel_on(tiles, [&](int thread, std::int64_t index) {
      const std::int64_t o = index * tile;
      simd::SparseForward<T> run;
      run.rows = e.n + 1;
      run.outs = std::min(tile, e.out - o);
      run.genes = e.genes;
      run.weight = a.weight.as<T>() + (replica * e.out + o) * e.genes;
      run.ldw = e.genes;
      run.entries = batch.entries(0);
      run.sums = workspace + thread * each;
      run.workspace = run.sums + (e.n + 1) * tile;
      table.sparse_forward(run);
      write_outputs(batch, e, run.outs, tile, run.sums, a.bias ? a.bias.as<T>() + replica * e.out + o : nullptr,
                    a.y.as<T>() + replica * e.n * e.out + o);
    });
  }
}

// dy of one tile of outputs, rows side by side; its last row is the sum over the rows that are no padding.
template <class T>
void pack_dy(const BatchByGene<T>& batch, const Extents& e, std::int64_t live, std::int64_t tile, const T* dy, T* out) {
  T* const sum = out + e.n * tile;
  std::fill(sum, sum + tile, T{0});
  for (std::int64_t i = 0; i < e.n; ++i) {
    std::copy_n(dy + i * e.out, live, out + i * tile);
    std::fill(out + i * tile + live, out + (i + 1) * tile, T{0});
    if (!batch.shifted() || batch.padding(i)) continue;
    for (std::int64_t o = 0; o < live; ++o) sum[o] += dy[i * e.out + o];
  }
}

template <class T>
void weight_gradient(CpuContext& ctx, const BackwardArgs& a, const Extents& e) {
  const simd::Table<T>& table = simd::table<T>(ctx.isa());
  const std::int64_t tile = table.sparse_tile, tiles = (e.out + tile - 1) / tile;
  const std::int64_t parts = (e.genes + kGradientGenes - 1) / kGradientGenes;
  const std::int64_t each = (e.n + 1) * tile + table.sparse_workspace_elements;
  ScratchFrame frame(ctx);
  T* const workspace = frame.take<T>(ctx.threads() * each);
  BatchByGene<T> batch(ctx, frame, a.x, e);
  for (std::int64_t replica = 0; replica < e.replicas; ++replica) {
    batch.fill(replica);
    ctx.parallel_on(tiles * parts, [&](int thread, std::int64_t index) {
      const std::int64_t o = index / parts * tile, first = index % parts * kGradientGenes;
      T* const dy = workspace + thread * each;
      simd::SparseGradient<T> run;
      run.outs = std::min(tile, e.out - o);
      run.genes = std::min(kGradientGenes, e.genes - first);
      pack_dy(batch, e, run.outs, tile, a.dy.as<T>() + replica * e.n * e.out + o, dy);
      run.dy = dy;
      run.entries = batch.entries(first);
      run.dweight = a.dweight.as<T>() + (replica * e.out + o) * e.genes + first;
      run.ldw = e.genes;
      run.accumulate = a.mode == WriteMode::accumulate;
      run.workspace = dy + (e.n + 1) * tile;
      table.sparse_gradient(run);
    });
  }
}

}  // namespace

void forward(CpuContext& ctx, const ForwardArgs& args, const Extents& e) {
  on_float(args.y.dtype, [&](auto zero) { forward_typed<decltype(zero)>(ctx, args, e); });
}

void backward(CpuContext& ctx, const BackwardArgs& args, const Extents& e) {
  if (args.dweight) on_float(args.dy.dtype, [&](auto zero) { weight_gradient<decltype(zero)>(ctx, args, e); });
  if (args.dbias) linear::cpu::bias_gradient(ctx, {.dy = args.dy, .dbias = args.dbias, .mode = args.mode});
}

}  // namespace genexx::sparse_linear::cpu
