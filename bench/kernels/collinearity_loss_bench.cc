// SPDX-License-Identifier: Apache-2.0
#include "bench/support/bench.h"
#include "kernels/collinearity_loss.h"

namespace genexx::bench {

void add_collinearity_loss(Suite& suite) {
  Context& ctx = suite.context();
  const Shape shape = {1, 256, 64};
  const Tensor z = suite.random(shape), loss = suite.raw({1}, DType::f64), dz = suite.output(shape);
  suite.add({"collinearity_loss", "256x64", 8 * static_cast<double>(shape.elements()), 0,
             [=, &ctx] { collinearity_loss::run(ctx, {.z = z, .loss = loss, .dz = dz}); }});
}

}  // namespace genexx::bench
