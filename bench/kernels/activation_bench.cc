// SPDX-License-Identifier: Apache-2.0
#include "bench/support/bench.h"
#include "kernels/activation.h"

namespace genexx::bench {

void add_activation(Suite& suite) {
  Context& ctx = suite.context();
  for (const std::int64_t c : {2000, 3000, 6000, 9000}) {
    if (!suite.wide() && (c == 3000 || c == 6000)) continue;
    const Shape shape = {1, 256, c};
    const double elements = static_cast<double>(shape.elements());
    const Tensor x = suite.random(shape), y = suite.output(shape), dx = suite.output(shape);
    const std::string text = "tanh 256x" + std::to_string(c);
    suite.add({"activation", text + " forward", 8 * elements, 0,
               [=, &ctx] { activation::forward(ctx, {.kind = activation::Kind::tanh, .x = x, .y = y}); }});
    suite.add({"activation", text + " backward", 12 * elements, 0,
               [=, &ctx] { activation::backward(ctx, {.kind = activation::Kind::tanh, .y = y, .dy = x, .dx = dx}); }});
  }
}

}  // namespace genexx::bench
