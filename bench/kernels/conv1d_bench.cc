// SPDX-License-Identifier: Apache-2.0
#include "bench/support/bench.h"
#include "kernels/conv1d.h"

namespace genexx::bench {

// The first layer of a convolution over the genes of a fly, and one behind it.
void add_conv1d(Suite& suite) {
  Context& ctx = suite.context();
  struct Layer {
    const char* name;
    std::int64_t length, channels, windows, filters, kernel, stride;
  };
  for (const Layer& l : {Layer{"128x17000x1 16 of 15 by 4", 17000, 1, 4247, 16, 15, 4},
                         Layer{"128x1000x16 32 of 9 by 2", 1000, 16, 496, 32, 9, 2}}) {
    const Tensor x = suite.random({1, 128, l.length, l.channels}), dx = suite.output(x.shape);
    const Tensor w = suite.random({1, l.filters, l.kernel, l.channels}), dw = suite.output(w.shape);
    const Tensor b = suite.random({1, l.filters}), db = suite.output(b.shape);
    const Tensor y = suite.output({1, 128, l.windows, l.filters}), dy = suite.random(y.shape);
    const double of_x = static_cast<double>(x.shape.elements()), of_y = static_cast<double>(y.shape.elements());
    const double flop = 2 * of_y * static_cast<double>(l.kernel * l.channels);
    const conv1d::Placement placement = {.stride = l.stride};
    suite.add({"conv1d", std::string(l.name) + " forward", 4 * (of_x + of_y), flop,
               [=, &ctx] { conv1d::forward(ctx, {.x = x, .weight = w, .bias = b, .y = y, .placement = placement}); }});
    suite.add({"conv1d", std::string(l.name) + " backward of filters", 4 * (of_x + of_y), flop, [=, &ctx] {
                 conv1d::backward(ctx,
                                  {.x = x, .weight = w, .dy = dy, .dweight = dw, .dbias = db, .placement = placement});
               }});
    suite.add({"conv1d", std::string(l.name) + " backward of input", 4 * (of_x + of_y), flop, [=, &ctx] {
                 conv1d::backward(ctx, {.x = x, .weight = w, .dy = dy, .dx = dx, .placement = placement});
               }});
  }
}

}  // namespace genexx::bench
