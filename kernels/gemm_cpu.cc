// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "kernels/dispatch.h"
#include "kernels/gemm.h"
#include "kernels/simd/simd.h"

namespace genexx::gemm::cpu {
namespace {

// Cutting C only moves work between threads; the bits are those of the whole (see GemmPart). Small products stay whole.
constexpr std::int64_t kSmallestPartFlop = 1 << 20;

struct Cut {
  std::int64_t rows, columns;  // of one part
  std::int64_t row_parts, column_parts;
};

template <class T>
Cut cut(const Extents& e, const simd::Table<T>& table, int threads) {
  const std::int64_t flop = 2 * e.m * e.n * e.k;
  const std::int64_t wanted = std::clamp<std::int64_t>(flop / kSmallestPartFlop, 1, 2 * std::int64_t{threads});
  const std::int64_t parts = e.replicas >= threads || threads == 1 ? 1 : wanted;
  const auto split = [&](std::int64_t extent, std::int64_t step) {
    const std::int64_t each = (extent + parts - 1) / parts;
    return (each + step - 1) / step * step;
  };
  if (e.n >= e.m) {
    const std::int64_t columns = split(e.n, table.gemm_column_step);
    return {e.m, columns, 1, (e.n + columns - 1) / columns};
  }
  const std::int64_t rows = split(e.m, table.gemm_row_step);
  return {rows, e.n, (e.m + rows - 1) / rows, 1};
}

template <class T>
void run_typed(CpuContext& ctx, const Args& args, const Extents& e) {
  const simd::Table<T>& table = simd::table<T>(ctx.isa());
  const Cut c = cut(e, table, ctx.threads());
  const std::int64_t parts = c.row_parts * c.column_parts;
  ScratchFrame frame(ctx);
  T* const workspace = frame.take<T>(ctx.threads() * table.gemm_workspace_elements);
  const bool ta = args.transpose_a == Transpose::yes, tb = args.transpose_b == Transpose::yes;
  ctx.parallel_on(e.replicas * parts, [&](int thread, std::int64_t index) {
    const std::int64_t replica = index / parts;
    const std::int64_t i0 = index % parts / c.column_parts * c.rows;
    const std::int64_t j0 = index % parts % c.column_parts * c.columns;
    simd::GemmPart<T> part;
    part.m = std::min(c.rows, e.m - i0);
    part.n = std::min(c.columns, e.n - j0);
    part.k = e.k;
    part.a_row = ta ? 1 : e.k;
    part.a_col = ta ? e.m : 1;
    part.b_row = tb ? 1 : e.n;
    part.b_col = tb ? e.k : 1;
    part.a = args.a.as<T>() + replica * e.a_stride + i0 * part.a_row;
    part.b = args.b.as<T>() + replica * e.b_stride + j0 * part.b_col;
    part.c = args.c.as<T>() + (replica * e.m + i0) * e.n + j0;
    part.ldc = e.n;
    part.bias = args.bias ? args.bias.as<T>() + replica * e.n + j0 : nullptr;
    part.accumulate = args.mode == WriteMode::accumulate;
    part.workspace = workspace + thread * table.gemm_workspace_elements;
    table.gemm(part);
  });
}

}  // namespace

void run(CpuContext& ctx, const Args& args, const Extents& e) {
  on_float(args.c.dtype, [&](auto zero) { run_typed<decltype(zero)>(ctx, args, e); });
}

}  // namespace genexx::gemm::cpu
