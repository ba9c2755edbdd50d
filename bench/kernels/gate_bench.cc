// SPDX-License-Identifier: Apache-2.0
#include "bench/support/bench.h"
#include "kernels/gate.h"

namespace genexx::bench {

namespace {

void add_genes(Suite& suite, std::int64_t genes) {
  Context& ctx = suite.context();
  const Shape shape = {1, 256, genes};
  const std::string text = "256x" + std::to_string(genes);
  const double elements = static_cast<double>(shape.elements());
  const Tensor logits = suite.random(shape), x = suite.random(shape), dy = suite.random(shape),
               dgate = suite.random(shape);
  const Tensor gate = suite.output(shape), y = suite.output(shape), dlogits = suite.output(shape);
  suite.add({"gate", text + " forward", 16 * elements, 0,
             [=, &ctx] { gate::forward(ctx, {.logits = logits, .x = x, .gate = gate, .y = y}); }});
  suite.add({"gate", text + " backward", 20 * elements, 0,
             [=, &ctx] { gate::backward(ctx, {.gate = gate, .x = x, .dy = dy, .dgate = dgate, .dlogits = dlogits}); }});
}

}  // namespace

void add_gate(Suite& suite) {
  add_genes(suite, 2000);
  if (!suite.wide()) return;
  for (const std::int64_t genes : {1000, 4000}) add_genes(suite, genes);
}

}  // namespace genexx::bench
