// SPDX-License-Identifier: Apache-2.0
#include "kernels/correlation.h"
#include "kernels/cpu_ranges.h"
#include "kernels/dispatch.h"

namespace genexx::correlation::cpu {

void limit(CpuContext& ctx, const Tensor& x) {
  on_float(x.dtype, [&](auto zero) {
    using T = decltype(zero);
    for_ranges(ctx, x.shape.elements(), [&](std::int64_t begin, std::int64_t end) {
      T* r = x.as<T>();
      for (std::int64_t i = begin; i < end; ++i) r[i] = r[i] > 1 ? T{1} : r[i] < -1 ? T{-1} : r[i];
    });
  });
}

}  // namespace genexx::correlation::cpu
