// SPDX-License-Identifier: Apache-2.0
#include "bench/support/bench.h"
#include "kernels/accumulate.h"

namespace genexx::bench {

void add_accumulate(Suite& suite) {
  Context& ctx = suite.context();
  const Tensor value = suite.raw({1000}, DType::f64), sum = suite.raw({1000}, DType::f64);
  const std::vector<double> ones(1000, 1.5);
  ctx.copy_to_device(value.data, ones.data(), 8000);
  ctx.copy_to_device(sum.data, ones.data(), 8000);
  suite.add({"accumulate", "n=1000", 24000, 2000,
             [=, &ctx] { accumulate::run(ctx, {.value = value, .weight = 0.5, .sum = sum}); }});
}

}  // namespace genexx::bench
