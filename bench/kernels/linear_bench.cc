// SPDX-License-Identifier: Apache-2.0
#include "bench/support/bench.h"
#include "kernels/linear.h"

namespace genexx::bench {
namespace {

// Forward and all three gradients of a layer with `in` inputs and `out` outputs on a batch of `n`.
void add_layer(Suite& suite, std::int64_t n, std::int64_t in, std::int64_t out) {
  Context& ctx = suite.context();
  const Tensor x = suite.random({1, n, in}), w = suite.random({1, out, in}), b = suite.random({1, out});
  const Tensor dy = suite.random({1, n, out}), y = suite.output({1, n, out}), dx = suite.output({1, n, in});
  const Tensor dw = suite.output({1, out, in}), db = suite.output({1, out});
  const double flop = 2.0 * static_cast<double>(n * in * out);
  const double bytes = 4.0 * static_cast<double>(n * in + in * out + n * out + out);
  const std::string text = "n=" + std::to_string(n) + " in=" + std::to_string(in) + " out=" + std::to_string(out);
  suite.add({"linear", text + " forward", bytes, flop,
             [=, &ctx] { linear::forward(ctx, {.x = x, .weight = w, .bias = b, .y = y}); }});
  suite.add({"linear", text + " backward", 2 * bytes, 2 * flop, [=, &ctx] {
               linear::backward(ctx, {.x = x, .weight = w, .dy = dy, .dx = dx, .dweight = dw, .dbias = db});
             }});
}

}  // namespace

void add_linear(Suite& suite) {
  add_layer(suite, 256, 2000, 128);
  add_layer(suite, 256, 20, 2000);
}

}  // namespace genexx::bench
