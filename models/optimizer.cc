// SPDX-License-Identifier: Apache-2.0
#include "models/optimizer.h"

#include "engine/flat_tensor.h"
#include "kernels/optimizer_adam.h"
#include "kernels/schedule.h"

namespace genexx {

Optimizer::Optimizer(Session& session) : session_(session) {
  Context& ctx = session.context();
  const std::int64_t bytes = session.flat_size() * size_of(session.options().dtype);
  const std::int64_t replicas = session.options().replicas;
  m_ = Buffer(ctx, bytes);
  v_ = Buffer(ctx, bytes);
  lr_ = Buffer(ctx, replicas * 8);
  base_lr_ = Buffer(ctx, replicas * 8);
  active_ = Buffer(ctx, replicas * 4);
  begin(0, 1, 1, {});
  set_active(std::vector<std::int32_t>(static_cast<std::size_t>(replicas), 1));
}

void Optimizer::begin(double learning_rate, double decay, std::int64_t decay_steps,
                      const std::vector<std::string>& trainable) {
  Context& ctx = session_.context();
  decay_ = decay;
  decay_steps_ = decay_steps;
  ctx.fill_bytes(m_.data(), 0, m_.bytes());
  ctx.fill_bytes(v_.data(), 0, v_.bytes());
  const std::vector<double> rates(static_cast<std::size_t>(session_.options().replicas), learning_rate);
  ctx.copy_to_device(lr_.data(), rates.data(), lr_.bytes());
  ctx.copy_to_device(base_lr_.data(), rates.data(), base_lr_.bytes());
  std::vector<ParameterSegment> segments;
  const std::vector<ParameterSpec>& parameters = session_.network().parameters();
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    bool chosen = trainable.empty();
    for (const std::string& prefix : trainable) chosen |= parameters[i].name.rfind(prefix, 0) == 0;
    if (chosen) segments.push_back({session_.parameter_offset(i), parameters[i].size, 1.0, 1.0});
  }
  const std::vector<OptimizerChunk> chunks = optimizer_chunks(segments, session_.options().replicas);
  chunks_ = Buffer(ctx, static_cast<std::int64_t>(chunks.size() * sizeof(OptimizerChunk)));
  ctx.copy_to_device(chunks_.data(), chunks.data(), chunks_.bytes());
}

void Optimizer::step() {
  const DType dtype = session_.options().dtype;
  const std::int64_t replicas = session_.options().replicas;
  const Shape flat = {session_.flat_size()};
  const Tensor lr = {lr_.data(), DType::f64, {replicas}};
  optimizer_adam::run(session_.context(), {.weight = session_.flat_weights(),
                                           .m = {m_.data(), dtype, flat},
                                           .v = {v_.data(), dtype, flat},
                                           .gradient = session_.flat_gradients(),
                                           .chunks = {chunks_.data(), DType::u8, {chunks_.bytes()}},
                                           .lr = lr,
                                           .step = session_.step(),
                                           .active = {active_.data(), DType::i32, {replicas}}});
  schedule::run(session_.context(), {.step = session_.step(),
                                     .base_lr = {base_lr_.data(), DType::f64, {replicas}},
                                     .lr = lr,
                                     .factor = decay_,
                                     .every = decay_steps_});
}

void Optimizer::set_active(const std::vector<std::int32_t>& active) {
  session_.context().copy_to_device(active_.data(), active.data(), active_.bytes());
}

double Optimizer::learning_rate() const {
  double rate = 0;
  session_.context().copy_to_host(&rate, lr_.data(), 8);
  return rate;
}

void Optimizer::save(const std::string& prefix, std::vector<NamedTensor>& out) const {
  Context& ctx = session_.context();
  const DType dtype = session_.options().dtype;
  out.push_back(flat_tensor(ctx, prefix + "m", {m_.data(), dtype, {session_.flat_size()}}));
  out.push_back(flat_tensor(ctx, prefix + "v", {v_.data(), dtype, {session_.flat_size()}}));
  out.push_back(flat_tensor(ctx, prefix + "lr", {lr_.data(), DType::f64, {session_.options().replicas}}));
  out.push_back(flat_tensor(ctx, prefix + "active", {active_.data(), DType::i32, {session_.options().replicas}}));
}

void Optimizer::load(const std::string& prefix, const std::vector<NamedTensor>& in) {
  Context& ctx = session_.context();
  const DType dtype = session_.options().dtype;
  set_flat_tensor(ctx, in, prefix + "m", {m_.data(), dtype, {session_.flat_size()}});
  set_flat_tensor(ctx, in, prefix + "v", {v_.data(), dtype, {session_.flat_size()}});
  set_flat_tensor(ctx, in, prefix + "lr", {lr_.data(), DType::f64, {session_.options().replicas}});
  set_flat_tensor(ctx, in, prefix + "active", {active_.data(), DType::i32, {session_.options().replicas}});
}

}  // namespace genexx
