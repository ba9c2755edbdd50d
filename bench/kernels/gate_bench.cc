// SPDX-License-Identifier: Apache-2.0
#include "bench/support/bench.h"
#include "kernels/gate.h"

namespace genexx::bench {

void add_gate(Suite& suite) {
  Context& ctx = suite.context();
  const Shape shape = {1, 256, 2000};
  const double elements = static_cast<double>(shape.elements());
  const Tensor logits = suite.random(shape), x = suite.random(shape), dy = suite.random(shape),
               dgate = suite.random(shape);
  const Tensor gate = suite.output(shape), y = suite.output(shape), dlogits = suite.output(shape);
  suite.add({"gate", "256x2000 forward", 16 * elements, 0,
             [=, &ctx] { gate::forward(ctx, {.logits = logits, .x = x, .gate = gate, .y = y}); }});
  suite.add({"gate", "256x2000 backward", 20 * elements, 0,
             [=, &ctx] { gate::backward(ctx, {.gate = gate, .x = x, .dy = dy, .dgate = dgate, .dlogits = dlogits}); }});
}

}  // namespace genexx::bench
