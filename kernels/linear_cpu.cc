// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "kernels/dispatch.h"
#include "kernels/linear_products.h"
#include "kernels/simd/simd.h"

namespace genexx::linear::cpu {
namespace {

constexpr std::int64_t kColumns = 256;  // of one task
constexpr std::int64_t kRows = 64;      // added one after another; then these sums are added

// db of columns [0, columns) of one replica; dy and db point at the first of them, rows of dy are `out` apart.
template <class T>
void sum_columns(const simd::Table<T>& table, const Shape& shape, std::int64_t columns, const T* dy, T* db) {
  const std::int64_t n = shape[1], out = shape[2];
  for (std::int64_t i = 0; i < n; i += kRows) {
    T sum[kColumns] = {};
    table.add_rows(std::min(kRows, n - i), columns, dy + i * out, out, sum);
    for (std::int64_t j = 0; j < columns; ++j) db[j] += sum[j];
  }
}

template <class T>
void bias_gradient_typed(CpuContext& ctx, const BackwardArgs& a) {
  const simd::Table<T>& table = simd::table<T>(ctx.isa());
  const std::int64_t r = a.dy.shape[0], n = a.dy.shape[1], out = a.dy.shape[2];
  const std::int64_t parts = (out + kColumns - 1) / kColumns;
  ctx.parallel(r * parts, [&](std::int64_t task) {
    const std::int64_t k = task / parts, j = task % parts * kColumns, columns = std::min(kColumns, out - j);
    T* db = a.dbias.as<T>() + k * out + j;
    if (a.mode == WriteMode::overwrite) std::fill(db, db + columns, T{0});
    sum_columns(table, a.dy.shape, columns, a.dy.as<T>() + k * n * out + j, db);
  });
}

}  // namespace

void bias_gradient(CpuContext& ctx, const BackwardArgs& args) {
  on_float(args.dy.dtype, [&](auto zero) { bias_gradient_typed<decltype(zero)>(ctx, args); });
}

void forward(CpuContext& ctx, const ForwardArgs& args) { forward_product(ctx, args); }

void backward(CpuContext& ctx, const BackwardArgs& args) {
  backward_products(ctx, args);
  if (args.dbias) bias_gradient(ctx, args);
}

}  // namespace genexx::linear::cpu
