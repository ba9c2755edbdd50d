// SPDX-License-Identifier: Apache-2.0
#include "models/optimizer.h"

#include <algorithm>
#include <cassert>

#include "engine/flat_tensor.h"
#include "kernels/optimizer_adam.h"
#include "kernels/optimizer_sgd.h"
#include "kernels/schedule.h"

namespace genexx {
namespace {

bool starts_with(const std::string& text, const std::string& prefix) { return text.rfind(prefix, 0) == 0; }

bool chosen(const ParameterSpec& p, const std::vector<std::string>& trainable) {
  if (p.role != ParameterRole::learned) return false;
  return trainable.empty() || std::any_of(trainable.begin(), trainable.end(),
                                          [&](const std::string& prefix) { return starts_with(p.name, prefix); });
}

double rate_scale(const ParameterSpec& p, const std::vector<RateScale>& scales) {
  for (const RateScale& s : scales)
    if (starts_with(p.name, s.prefix)) return s.scale;
  return 1;
}

}  // namespace

DType moments_called(const std::string& name) {
  if (name == "fp32") return DType::f32;
  if (name == "bf16") return DType::bf16;
  throw UsageError("configuration: train.moments is '" + name + "', expected one of fp32, bf16");
}

Optimizer::Optimizer(Session& session) : session_(session) {
  const std::int64_t replicas = session.options().replicas;
  lr_ = Buffer(session.context(), replicas * 8);
  base_lr_ = Buffer(session.context(), replicas * 8);
  weight_decay_ = Buffer(session.context(), replicas * 8);
  active_ = Buffer(session.context(), replicas * 4);
  set_active(std::vector<std::int32_t>(static_cast<std::size_t>(replicas), 1));
}

Tensor Optimizer::per_replica(const Buffer& buffer) const {
  return {buffer.data(), DType::f64, {session_.options().replicas}};
}

Tensor Optimizer::flat(const Buffer& buffer) const { return {buffer.data(), moment_type(), {session_.flat_size()}}; }

DType Optimizer::moment_type() const { return config_.moments == DType::bf16 ? DType::bf16 : session_.options().dtype; }

void Optimizer::begin(const Start& start) {
  Context& ctx = session_.context();
  config_ = start.config;
  decay_ = start.decay;
  decay_steps_ = start.decay_steps;
  if (config_.moments == DType::bf16 && session_.options().dtype != DType::f32)
    throw UsageError(std::string("train.moments is bf16, but weights are ") + name_of(session_.options().dtype) +
                     "; bf16 moments go with f32 weights");
  const std::int64_t bytes = session_.flat_size() * size_of(moment_type());
  const auto clear = [&](Buffer& moment, std::int64_t wanted) {
    if (moment.bytes() != wanted) {
      moment.reset();
      moment = Buffer(ctx, wanted);
    }
    if (wanted > 0) ctx.fill_bytes(moment.data(), 0, wanted);
  };
  clear(m_, bytes);
  clear(v_, config_.kind == OptimizerConfig::Kind::sgd ? 0 : bytes);
  ctx.copy_to_device(lr_.data(), start.learning_rate.data(), lr_.bytes());
  ctx.copy_to_device(base_lr_.data(), start.learning_rate.data(), base_lr_.bytes());
  ctx.copy_to_device(weight_decay_.data(), start.weight_decay.data(), weight_decay_.bytes());
  std::vector<ParameterSegment> segments;
  const std::vector<ParameterSpec>& parameters = session_.network().parameters();
  for (std::size_t i = 0; i < parameters.size(); ++i)
    if (chosen(parameters[i], start.trainable))
      segments.push_back({.offset = session_.parameter_offset(i),
                          .size = parameters[i].size,
                          .lr_scale = rate_scale(parameters[i], config_.rate_scales),
                          .plane = session_.parameter_plane(i),
                          .parameter = static_cast<std::int32_t>(i)});
  const std::vector<OptimizerChunk> chunks = optimizer_chunks(segments, session_.options().replicas);
  chunks_ = Buffer(ctx, static_cast<std::int64_t>(chunks.size() * sizeof(OptimizerChunk)));
  ctx.copy_to_device(chunks_.data(), chunks.data(), chunks_.bytes());
}

void Optimizer::step() {
  Context& ctx = session_.context();
  const ConstTensor chunks = {chunks_.data(), DType::u8, {chunks_.bytes()}};
  const ConstTensor active = {active_.data(), DType::i32, {session_.options().replicas}};
  const Tensor lr = per_replica(lr_);
  if (config_.kind == OptimizerConfig::Kind::sgd) {
    optimizer_sgd::run(ctx, {.weight = session_.flat_weights(),
                             .velocity = flat(m_),
                             .gradient = session_.flat_gradients(),
                             .chunks = chunks,
                             .lr = lr,
                             .weight_decay = per_replica(weight_decay_),
                             .active = active,
                             .seed = session_.seed(),
                             .step = session_.step(),
                             .momentum = config_.momentum});
  } else {
    optimizer_adam::run(ctx, {.weight = session_.flat_weights(),
                              .m = flat(m_),
                              .v = flat(v_),
                              .gradient = session_.flat_gradients(),
                              .chunks = chunks,
                              .lr = lr,
                              .weight_decay = per_replica(weight_decay_),
                              .step = session_.step(),
                              .active = active,
                              .seed = session_.seed(),
                              .beta1 = config_.beta1,
                              .beta2 = config_.beta2,
                              .eps = config_.epsilon,
                              .decay = config_.kind == OptimizerConfig::Kind::adamw ? optimizer_adam::Decay::decoupled
                                                                                    : optimizer_adam::Decay::coupled});
  }
  schedule::run(
      ctx,
      {.step = session_.step(), .base_lr = per_replica(base_lr_), .lr = lr, .factor = decay_, .every = decay_steps_});
}

void Optimizer::set_active(const std::vector<std::int32_t>& active) {
  session_.context().copy_to_device(active_.data(), active.data(), active_.bytes());
}

std::vector<double> Optimizer::learning_rates() const {
  std::vector<double> rates(static_cast<std::size_t>(session_.options().replicas));
  session_.context().copy_to_host(rates.data(), lr_.data(), lr_.bytes());
  return rates;
}

void Optimizer::set_learning_rates(const std::vector<double>& rates) {
  assert(decay_ == 1);
  session_.context().copy_to_device(lr_.data(), rates.data(), lr_.bytes());
  session_.context().copy_to_device(base_lr_.data(), rates.data(), base_lr_.bytes());
}

void Optimizer::save(const std::string& prefix, std::vector<NamedTensor>& out) const {
  Context& ctx = session_.context();
  out.push_back(flat_tensor(ctx, prefix + "m", flat(m_)));
  if (v_.bytes() > 0) out.push_back(flat_tensor(ctx, prefix + "v", flat(v_)));
  out.push_back(flat_tensor(ctx, prefix + "lr", per_replica(lr_)));
  out.push_back(flat_tensor(ctx, prefix + "base_lr", per_replica(base_lr_)));
  out.push_back(flat_tensor(ctx, prefix + "active", {active_.data(), DType::i32, {session_.options().replicas}}));
}

void Optimizer::load(const std::string& prefix, const std::vector<NamedTensor>& in) {
  Context& ctx = session_.context();
  set_flat_tensor(ctx, in, prefix + "m", flat(m_));
  if (v_.bytes() > 0) set_flat_tensor(ctx, in, prefix + "v", flat(v_));
  set_flat_tensor(ctx, in, prefix + "lr", per_replica(lr_));
  set_flat_tensor(ctx, in, prefix + "base_lr", per_replica(base_lr_));
  set_flat_tensor(ctx, in, prefix + "active", {active_.data(), DType::i32, {session_.options().replicas}});
}

}  // namespace genexx
