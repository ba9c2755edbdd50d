// SPDX-License-Identifier: Apache-2.0
#include "bench/support/bench.h"
#include "kernels/schedule.h"

namespace genexx::bench {

void add_schedule(Suite& suite) {
  Context& ctx = suite.context();
  const Tensor step = suite.raw({10}, DType::i64), base = suite.raw({10}, DType::f64), lr = suite.raw({10}, DType::f64);
  const std::vector<double> rates(10, 1e-3);
  const std::vector<std::int64_t> steps(10, 5);
  ctx.copy_to_device(base.data, rates.data(), 80);
  ctx.copy_to_device(step.data, steps.data(), 80);
  suite.add({"schedule", "r=10", 320, 0, [=, &ctx] {
               schedule::run(ctx, {.step = step, .base_lr = base, .lr = lr, .factor = 0.99, .every = 20});
             }});
}

}  // namespace genexx::bench
