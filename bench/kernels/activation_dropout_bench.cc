// SPDX-License-Identifier: Apache-2.0
#include "bench/support/bench.h"
#include "kernels/activation_dropout.h"

namespace genexx::bench {

void add_activation_dropout(Suite& suite) {
  Context& ctx = suite.context();
  activation_dropout::Finish finish;
  finish.activation = activation::Kind::tanh;
  finish.seed = suite.constant_i64(1, 7);
  finish.step = suite.constant_i64(1, 3);
  finish.rate = suite.constant_f64(1, 0.5);
  for (const std::int64_t c : {3000, 9000}) {
    const Shape shape = {1, 200, c};
    const double elements = static_cast<double>(shape.elements());
    const Tensor x = suite.random(shape), dy = suite.random(shape), y = suite.output(shape), dx = suite.output(shape),
                 dbias = suite.output({1, c});
    const std::string size = "200x" + std::to_string(c);
    suite.add({"activation_dropout", size + " forward", 8 * elements, 0,
               [=, &ctx] { activation_dropout::forward(ctx, {.x = x, .y = y, .finish = finish}); }});
    suite.add({"activation_dropout", size + " backward", 12 * elements, 0, [=, &ctx] {
                 activation_dropout::BackwardArgs back;
                 back.y = y;
                 back.dy = dy;
                 back.dx = dx;
                 back.dbias = dbias;
                 back.finish = finish;
                 activation_dropout::backward(ctx, back);
               }});
  }
}

}  // namespace genexx::bench
