// SPDX-License-Identifier: Apache-2.0
#include "bench/support/bench.h"
#include "kernels/softmax_cross_entropy.h"

namespace genexx::bench {

void add_softmax_cross_entropy(Suite& suite) {
  Context& ctx = suite.context();
  for (const int k : {11, 59, 105, 127}) {
    if (!suite.wide() && (k == 59 || k == 105)) continue;
    const Shape shape = {1, 256, k};
    const Tensor logits = suite.random(shape), labels = suite.labels({1, 256}, k);
    const Tensor loss = suite.raw({1}, DType::f64), dlogits = suite.output(shape);
    suite.add(
        {"softmax_cross_entropy", "256x" + std::to_string(k), 8 * static_cast<double>(shape.elements()), 0, [=, &ctx] {
           softmax_cross_entropy::run(ctx, {.logits = logits, .labels = labels, .loss = loss, .dlogits = dlogits});
         }});
  }
}

}  // namespace genexx::bench
