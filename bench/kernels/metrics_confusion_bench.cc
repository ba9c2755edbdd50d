// SPDX-License-Identifier: Apache-2.0
#include "bench/support/bench.h"
#include "kernels/metrics_confusion.h"

namespace genexx::bench {

void add_metrics_confusion(Suite& suite) {
  Context& ctx = suite.context();
  const std::int64_t n = 65536, k = 11;
  const Tensor scores = suite.random({1, n, k}), labels = suite.labels({1, n}, static_cast<int>(k));
  const Tensor counts = suite.raw({1, k, k}, DType::i64);
  ctx.fill_bytes(counts.data, 0, k * k * 8);
  suite.add({"metrics_confusion", "65536x11", 4.0 * static_cast<double>(n * (k + 1)), 0,
             [=, &ctx] { metrics_confusion::count(ctx, {.scores = scores, .labels = labels, .counts = counts}); }});
}

}  // namespace genexx::bench
