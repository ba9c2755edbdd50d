// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "kernels/cpu_ranges.h"
#include "kernels/dispatch.h"
#include "kernels/gemm.h"
#include "kernels/number_formats.h"
#include "kernels/simd/simd.h"

namespace genexx::gemm::cpu {
namespace {

// Cutting C only moves work between threads; the bits are those of the whole (see GemmPart). Small products stay whole.
constexpr std::int64_t kSmallestPartFlop = 1 << 20;

// A matrix B of more bytes is not packed by every thread.
constexpr std::int64_t kLargeBytes = std::int64_t{4} << 20;

struct Cut {
  std::int64_t rows, columns;  // of one part
  std::int64_t row_parts, column_parts;
};

// Rows where there are enough of them, since a batch's rows then stay with the thread that wrote them; every part packs
// all of B again, so one a thread, and none where B is large beside the work. Else columns, two a thread.
template <class T>
Cut cut(const Extents& e, const Args& args, const simd::Table<T>& table, int threads) {
  const std::int64_t most = e.replicas >= threads ? 1 : 2 * e.m * e.n * e.k / kSmallestPartFlop;
  const auto split = [&](std::int64_t extent, std::int64_t step, std::int64_t wanted) {
    const std::int64_t parts = std::clamp<std::int64_t>(most, 1, wanted);
    const std::int64_t each = (extent + parts - 1) / parts;
    return (each + step - 1) / step * step;
  };
  const bool large_b = e.n > e.m && e.k * e.n * std::int64_t{sizeof(T)} > kLargeBytes;
  const bool many_rows = e.m >= 4 * table.gemm_row_step * threads && args.transpose_a == Transpose::no && !large_b;
  if (many_rows || e.m > e.n) {
    const std::int64_t rows = split(e.m, table.gemm_row_step, threads);
    return {rows, e.n, (e.m + rows - 1) / rows, 1};
  }
  const std::int64_t columns = split(e.n, table.gemm_column_step, threads > 1 ? 2 * std::int64_t{threads} : 1);
  return {e.m, columns, 1, (e.n + columns - 1) / columns};
}

template <class T>
void run_typed(CpuContext& ctx, const Args& args, const Extents& e) {
  const simd::Table<T>& table = simd::table<T>(ctx.isa());
  const Cut c = cut(e, args, table, ctx.threads());
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
    part.a_row = ta ? 1 : e.a_pitch;
    part.a_col = ta ? e.a_pitch : 1;
    part.b_row = tb ? 1 : e.b_pitch;
    part.b_col = tb ? e.b_pitch : 1;
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

// The operand as the tensor cores see it, in f32.
ConstTensor as_floats(CpuContext& ctx, ScratchFrame& frame, const ConstTensor& x, Precision precision) {
  if (precision == Precision::fp32) return x;
  const std::int64_t count = x.shape.elements();
  float* const to = frame.take<float>(count);
  if (x.dtype == DType::bf16) {
    const Bfloat16* const from = x.as<Bfloat16>();
    for_ranges(ctx, count, [=](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) to[i] = to_float(from[i]);
    });
  } else {
    const float* const from = x.as<float>();
    for_ranges(ctx, count, [=](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) to[i] = round_to_tf32(from[i]);
    });
  }
  return {to, DType::f32, x.shape};
}

}  // namespace

void run(CpuContext& ctx, const Args& given, const Extents& e) {
  ScratchFrame frame(ctx);
  Args args = given;
  args.a = as_floats(ctx, frame, given.a, given.precision);
  args.b = as_floats(ctx, frame, given.b, given.precision);
  on_float(args.c.dtype, [&](auto zero) { run_typed<decltype(zero)>(ctx, args, e); });
}

}  // namespace genexx::gemm::cpu
