// SPDX-License-Identifier: Apache-2.0
#include "bench/support/bench.h"
#include "kernels/pool1d.h"

namespace genexx::bench {

void add_pool1d(Suite& suite) {
  Context& ctx = suite.context();
  const Tensor x = suite.random({1, 128, 4000, 16}), dx = suite.output(x.shape);
  const Tensor y = suite.output({1, 128, 2000, 16}), dy = suite.random(y.shape);
  const double elements = static_cast<double>(x.shape.elements());
  suite.add({"pool1d", "128x4000x16 by 2 forward", 6 * elements, 0,
             [=, &ctx] { pool1d::forward(ctx, {.x = x, .y = y, .window = 2}); }});
  suite.add({"pool1d", "128x4000x16 by 2 backward", 10 * elements, 0,
             [=, &ctx] { pool1d::backward(ctx, {.x = x, .dy = dy, .dx = dx, .window = 2}); }});
}

}  // namespace genexx::bench
