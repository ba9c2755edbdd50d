// SPDX-License-Identifier: Apache-2.0
// The inner loops of the CPU backend, once for each instruction set. Each set lives in a namespace of its own and
// shares no weak symbol with the others, so the linker can never put AVX-512 code into a program path of an older
// processor. Ops reach them through `table<T>(isa)`.
#pragma once

#include <cstdint>

#include "engine/cpu_isa.h"

namespace genexx::simd {

// C[m,n] (+)= A[m,k] B[k,n] + bias[n] on one thread, any strides of A and B, rows of C `ldc` apart.
// Each element of C is summed over k in blocks of fixed length in ascending order, whatever part of C is asked for: the
// bits do not depend on how a caller cuts C into parts.
template <class T>
struct GemmPart {
  std::int64_t m = 0, n = 0, k = 0;
  const T* a = nullptr;
  std::int64_t a_row = 0, a_col = 0;  // element (i, p) is a[i * a_row + p * a_col]
  const T* b = nullptr;
  std::int64_t b_row = 0, b_col = 0;  // element (p, j) is b[p * b_row + j * b_col]
  T* c = nullptr;
  std::int64_t ldc = 0;
  const T* bias = nullptr;  // [n] or null
  bool accumulate = false;  // add to C instead of replacing it
  T* workspace = nullptr;   // [gemm_workspace_elements]
};

// Arguments of one dropout row, or of a stretch of one: y = x * keep * scale; keep of unit u is word u%4 of philox(key,
// {first + u/4, row, step, step_hi}) being at least `threshold`.
struct DropoutRow {
  std::int64_t units = 0;
  std::uint32_t first = 0;  // a quarter of the row's units before the stretch
  std::uint32_t key_lo = 0, key_hi = 0;
  std::uint32_t row = 0, step_lo = 0, step_hi = 0;
  std::uint32_t threshold = 0;  // dropped when the word is below; p * 2^32
  bool accumulate = false;      // add to y instead of replacing it
};

// One Adam step over n parameters; formulas in kernels/optimizer_adam.h.
template <class T>
struct AdamRun {
  std::int64_t n = 0;
  T* weight = nullptr;
  T* m = nullptr;
  T* v = nullptr;
  const T* gradient = nullptr;
  T lr = 0, beta1 = 0, beta2 = 0, eps = 0;
  T rest1 = 1, rest2 = 1;  // 1 - beta, formed in double: in float 1 - 0.999f is off by 1e-5
  T coupled_decay = 0, decoupled_decay = 0;
  T correction1 = 1, correction2 = 1;  // 1 - beta^step
};

// One SGD step with momentum; formulas in kernels/optimizer_sgd.h.
template <class T>
struct SgdRun {
  std::int64_t n = 0;
  T* weight = nullptr;
  T* velocity = nullptr;
  const T* gradient = nullptr;
  T lr = 0, momentum = 0, decay = 0;
};

// Weighted squared distance of n numbers from a target, and its gradient: gradient (+)= factor mask (x - target).
template <class T>
struct DistanceRun {
  std::int64_t n = 0;
  const T* x = nullptr;
  const T* target = nullptr;
  const T* mask = nullptr;  // null: 1
  T factor = 0;
  T* gradient = nullptr;  // null: not wanted
  bool accumulate = false;
};

// Where a batch of stored rows has something in a gene: entries [begin[g], begin[g + 1]) of `row` and `value`, by
// rising row.
template <class T>
struct GeneEntries {
  const std::int64_t* begin = nullptr;  // of the first gene looked at; absolute places in `row` and `value`
  const std::int32_t* row = nullptr;
  const T* value = nullptr;
};

// sums[i * tile + o] = sum over the genes, in rising order, of value[e] * weight[o * ldw + g] over the entries e of
// gene g that belong to row i; o < outs <= tile, zero from there to the tile's end.
template <class T>
struct SparseForward {
  std::int64_t rows = 0, outs = 0, genes = 0;
  const T* weight = nullptr;
  std::int64_t ldw = 0;
  GeneEntries<T> entries;
  T* sums = nullptr;       // [rows, sparse_tile]
  T* workspace = nullptr;  // [sparse_workspace_elements]
};

// dweight[o * ldw + g] (+)= sum over the entries e of gene g, in order, of value[e] * dy[row[e] * tile + o].
template <class T>
struct SparseGradient {
  std::int64_t outs = 0, genes = 0;
  const T* dy = nullptr;  // [rows, sparse_tile]
  GeneEntries<T> entries;
  T* dweight = nullptr;
  std::int64_t ldw = 0;
  bool accumulate = false;
  T* workspace = nullptr;  // [sparse_workspace_elements]
};

template <class T>
struct Table {
  // Row and column multiples at which a caller should cut C, and the workspace a part needs.
  std::int64_t gemm_row_step;
  std::int64_t gemm_column_step;
  std::int64_t gemm_workspace_elements;
  void (*gemm)(const GemmPart<T>&);
  void (*tanh)(std::int64_t n, const T* x, T* y);
  void (*sigmoid)(std::int64_t n, const T* x, T* y);
  void (*relu)(std::int64_t n, const T* x, T* y);
  // y[i] (+)= x[i] * scale where kept, else 0; y may be x
  void (*dropout)(const DropoutRow& row, T scale, const T* x, T* y);
  void (*adam)(const AdamRun<T>&);
  void (*sgd)(const SgdRun<T>&);
  // y[j] += x[i * ldx + j] over i < rows, j < columns, i ascending
  void (*add_rows)(std::int64_t rows, std::int64_t columns, const T* x, std::int64_t ldx, T* y);
  // sum of mask (x - target)^2, formed and added in double in an order fixed by n
  double (*distance)(const DistanceRun<T>&);
  // Outputs a call of the two below takes at most, and the workspace they need.
  std::int64_t sparse_tile;
  std::int64_t sparse_workspace_elements;
  void (*sparse_forward)(const SparseForward<T>&);
  void (*sparse_gradient)(const SparseGradient<T>&);
};

// The table of an instruction set. T is float or double.
template <class T>
const Table<T>& table(CpuIsa isa);

}  // namespace genexx::simd
