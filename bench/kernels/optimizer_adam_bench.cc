// SPDX-License-Identifier: Apache-2.0
#include "bench/support/bench.h"
#include "kernels/optimizer_adam.h"

namespace genexx::bench {
namespace {

// `moments` f32 or bf16: 28 or 20 bytes a parameter.
void add_parameters(Suite& suite, std::int64_t p, DType moments) {
  Context& ctx = suite.context();
  const Tensor w = suite.random({p}), g = suite.random({p}), m = suite.raw({p}, moments), v = suite.raw({p}, moments);
  for (const Tensor& moment : {m, v}) ctx.fill_bytes(moment.data, 0x3d, p * size_of(moments));  // about 0.05 each
  const std::vector<OptimizerChunk> table = optimizer_chunks({{0, p, 1.0, 1.0}}, 1);
  const auto bytes = static_cast<std::int64_t>(table.size() * sizeof(OptimizerChunk));
  const Tensor chunks = suite.raw({bytes}, DType::u8), lr = suite.raw({1}, DType::f64),
               step = suite.raw({1}, DType::i64);
  const Tensor seed = suite.constant_i64(1, 7);
  const double rate = 1e-5;
  const std::int64_t done = 100;
  ctx.copy_to_device(chunks.data, table.data(), bytes);
  ctx.copy_to_device(lr.data, &rate, 8);
  ctx.copy_to_device(step.data, &done, 8);
  const double each = 12.0 + 4.0 * static_cast<double>(size_of(moments));  // weight, gradient; both moments
  const std::string text = "p=" + std::to_string(p) + (moments == DType::bf16 ? ", bf16 moments" : "");
  suite.add(
      {"optimizer_adam", text, each * static_cast<double>(p), 12.0 * static_cast<double>(p), [=, &ctx] {
         optimizer_adam::run(
             ctx, {.weight = w, .m = m, .v = v, .gradient = g, .chunks = chunks, .lr = lr, .step = step, .seed = seed});
       }});
}

}  // namespace

void add_optimizer_adam(Suite& suite) {
  add_parameters(suite, 350000, DType::f32);
  if (!suite.wide()) return;
  for (const std::int64_t p : {2'825'000, 35'120'000, 206'900'000})  // of whole networks
    for (const DType moments : {DType::f32, DType::bf16}) add_parameters(suite, p, moments);
}

}  // namespace genexx::bench
