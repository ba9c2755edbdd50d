// SPDX-License-Identifier: Apache-2.0
#include "kernels/accumulate.h"
#include "kernels/cpu_ranges.h"

namespace genexx::accumulate::cpu {

void run(CpuContext& ctx, const Args& args) {
  const double* value = args.value.as<double>();
  double* sum = args.sum.as<double>();
  for_ranges(ctx, args.value.shape.elements(), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) sum[i] += args.weight * value[i];
  });
}

}  // namespace genexx::accumulate::cpu
