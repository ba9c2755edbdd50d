// SPDX-License-Identifier: Apache-2.0
#include "bench/support/bench.h"
#include "kernels/dropout.h"

namespace genexx::bench {

void add_dropout(Suite& suite) {
  Context& ctx = suite.context();
  const Tensor seed = suite.constant_i64(1, 7), step = suite.constant_i64(1, 3), rate = suite.constant_f64(1, 0.5);
  for (const std::int64_t c : {128, 3000, 6000, 9000}) {
    if (!suite.wide() && c > 3000) continue;
    const Shape shape = {1, 256, c};
    const Tensor x = suite.random(shape), y = suite.output(shape);
    suite.add({"dropout", "256x" + std::to_string(c), 8 * static_cast<double>(shape.elements()), 0, [=, &ctx] {
                 dropout::apply(ctx, {.x = x, .y = y, .seed = seed, .step = step, .rate = rate, .stream = 1});
               }});
  }
}

}  // namespace genexx::bench
