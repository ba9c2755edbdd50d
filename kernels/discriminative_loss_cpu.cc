// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "kernels/cpu_ranges.h"
#include "kernels/cpu_sums.h"
#include "kernels/discriminative_loss.h"
#include "kernels/dispatch.h"
#include "kernels/expect.h"
#include "kernels/simd/simd.h"

namespace genexx::discriminative_loss::cpu {
namespace {

template <class T>
void run_typed(CpuContext& ctx, const Args& a) {
  const std::int64_t r = a.gate.shape[0], n = a.gate.shape[1], g = a.gate.shape[2];
  const std::int64_t index_stride = replica_stride(a.index, r), mask_stride = replica_stride(a.mask, r);
  const auto mask_of = [&](std::int64_t k) { return a.mask ? a.mask.as<T>() + k * mask_stride : nullptr; };
  const simd::Table<T>& table = simd::table<T>(ctx.isa());
  ScratchFrame frame(ctx);
  double* const divisor = frame.take<double>(r);
  for (std::int64_t k = 0; k < r; ++k) {
    const T* mask = mask_of(k);
    divisor[k] =
        static_cast<double>(n) * (mask ? lane_sum(g, [&](std::int64_t j) { return mask[j]; }) : static_cast<double>(g));
  }
  double* const loss = a.loss.as<double>();
  sum_ranges(
      ctx, {.replicas = r, .count = n, .range = std::max<std::int64_t>(1, kCpuRange / std::max<std::int64_t>(1, g))},
      [&](std::int64_t k, std::int64_t begin, std::int64_t end) {
        const double scale = a.scale ? a.scale.as<double>()[k] : 1.0;
        const T factor = static_cast<T>(divisor[k] == 0 ? 0 : 2 * scale / divisor[k]);
        double sum = 0;
        for (std::int64_t i = begin; i < end; ++i) {
          const std::int64_t at = (k * n + i) * g;
          simd::DistanceRun<T> row;
          row.n = g;
          row.x = a.gate.as<T>() + at;
          row.target = a.index.as<T>() + k * index_stride;
          row.mask = mask_of(k);
          row.factor = factor;
          row.gradient = a.dgate ? a.dgate.as<T>() + at : nullptr;
          row.accumulate = a.mode == WriteMode::accumulate;
          sum += table.distance(row);
        }
        return sum;
      },
      [&](std::int64_t k, double sum) { loss[k] = divisor[k] == 0 ? 0 : sum / divisor[k]; });
}

}  // namespace

void run(CpuContext& ctx, const Args& args) {
  on_float(args.gate.dtype, [&](auto zero) { run_typed<decltype(zero)>(ctx, args); });
}

}  // namespace genexx::discriminative_loss::cpu
