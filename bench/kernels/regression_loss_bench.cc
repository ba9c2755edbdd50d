// SPDX-License-Identifier: Apache-2.0
#include "bench/support/bench.h"
#include "kernels/regression_loss.h"

namespace genexx::bench {

void add_regression_loss(Suite& suite) {
  Context& ctx = suite.context();
  const Shape shape = {1, 200, 4760};
  const Tensor prediction = suite.random(shape), target = suite.random(shape);
  const Tensor loss = suite.raw({1}, DType::f64), gradient = suite.output(shape);
  using regression_loss::Kind;
  for (const auto& [kind, name] : {std::pair{Kind::squared, "squared"}, std::pair{Kind::huber, "huber"}}) {
    const regression_loss::Args args = {
        .prediction = prediction, .target = target, .kind = kind, .loss = loss, .dprediction = gradient};
    suite.add({"regression_loss", std::string("200x4760 ") + name, 12 * static_cast<double>(shape.elements()), 0,
               [args, &ctx] { regression_loss::run(ctx, args); }});
  }
}

}  // namespace genexx::bench
