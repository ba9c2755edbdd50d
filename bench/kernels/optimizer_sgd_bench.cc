// SPDX-License-Identifier: Apache-2.0
#include "bench/support/bench.h"
#include "kernels/optimizer_sgd.h"

namespace genexx::bench {

namespace {

void add_parameters(Suite& suite, std::int64_t p) {
  Context& ctx = suite.context();
  const Tensor w = suite.random({p}), u = suite.random({p}), g = suite.random({p}), lr = suite.constant_f64(1, 1e-6);
  const std::vector<OptimizerChunk> table = optimizer_chunks({{0, p, 1.0, 1.0}}, 1);
  const auto bytes = static_cast<std::int64_t>(table.size() * sizeof(OptimizerChunk));
  const Tensor chunks = suite.raw({bytes}, DType::u8);
  ctx.copy_to_device(chunks.data, table.data(), bytes);
  suite.add({"optimizer_sgd", "p=" + std::to_string(p), 20.0 * static_cast<double>(p), 4.0 * static_cast<double>(p),
             [=, &ctx] {
               optimizer_sgd::run(ctx, {.weight = w, .velocity = u, .gradient = g, .chunks = chunks, .lr = lr});
             }});
}

}  // namespace

void add_optimizer_sgd(Suite& suite) {
  add_parameters(suite, 12'000'000);
  if (!suite.wide()) return;
  for (const std::int64_t p : {17'120'000, 35'120'000, 213'360'000}) add_parameters(suite, p);  // of whole networks
}

}  // namespace genexx::bench
