// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "kernels/accumulate.h"
#include "kernels/cpu_ranges.h"

namespace genexx::accumulate::cpu {
namespace {

void watch(const Args& args) {
  const std::int64_t losses = args.value.shape[0], replicas = args.value.shape[1];
  const double* value = args.value.as<double>();
  for (std::int64_t k = 0; k < replicas; ++k) {
    bool finite = true;
    for (std::int64_t l = 0; l < losses; ++l) finite &= std::isfinite(value[l * replicas + k]);
    std::int64_t& lost_at = args.watch.lost_at.as<std::int64_t>()[k];
    if (finite || lost_at >= 0) continue;
    lost_at = args.watch.step.as<std::int64_t>()[k];
    args.watch.active.as<std::int32_t>()[k] = 0;
  }
}

}  // namespace

void run(CpuContext& ctx, const Args& args) {
  if (args.watch.lost_at) watch(args);
  const double* value = args.value.as<double>();
  double* sum = args.sum.as<double>();
  for_ranges(ctx, args.value.shape.elements(), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) sum[i] += args.weight * value[i];
  });
}

}  // namespace genexx::accumulate::cpu
