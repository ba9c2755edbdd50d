// SPDX-License-Identifier: Apache-2.0
#include "bench/support/bench.h"
#include "kernels/discriminative_loss.h"

namespace genexx::bench {

void add_discriminative_loss(Suite& suite) {
  Context& ctx = suite.context();
  const Shape shape = {1, 256, 2000};
  const Tensor gate = suite.random(shape), index = suite.random({1, 2000}), loss = suite.raw({1}, DType::f64);
  const Tensor dgate = suite.output(shape);
  suite.add({"discriminative_loss", "256x2000", 8 * static_cast<double>(shape.elements()), 0, [=, &ctx] {
               discriminative_loss::run(ctx, {.gate = gate, .index = index, .loss = loss, .dgate = dgate});
             }});
}

}  // namespace genexx::bench
