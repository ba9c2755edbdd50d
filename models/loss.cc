// SPDX-License-Identifier: Apache-2.0
#include "models/loss.h"

#include <limits>

#include "kernels/accumulate.h"
#include "kernels/collinearity_loss.h"
#include "kernels/discriminative_loss.h"
#include "kernels/regression_loss.h"
#include "kernels/softmax_cross_entropy.h"

namespace genexx {

LossSet::LossSet(Session& session, std::vector<LossSpec> losses, double label_smoothing, SmallBatch small_batch)
    : session_(session),
      losses_(std::move(losses)),
      label_smoothing_(label_smoothing),
      small_batch_(small_batch),
      replicas_(session.options().replicas) {
  Context& ctx = session.context();
  const std::int64_t count = static_cast<std::int64_t>(losses_.size()) * replicas_;
  scale_ = Buffer(ctx, count * 8);
  value_ = Buffer(ctx, count * 8);
  sum_ = Buffer(ctx, count * 8);
  lost_at_ = Buffer(ctx, replicas_ * 8);
  ctx.fill_bytes(lost_at_.data(), -1, replicas_ * 8);
  std::vector<double> scales;
  for (const LossSpec& loss : losses_) {
    nodes_.push_back(loss.node);
    if (loss.counts_hits) classes_ = session.network().nodes()[static_cast<std::size_t>(loss.node)].width;
    scales.insert(scales.end(), static_cast<std::size_t>(replicas_), loss.weight);
  }
  for (std::size_t i = 0; i < losses_.size(); ++i) pulls_.push_back(pulls_gate(i));
  ctx.copy_to_device(scale_.data(), scales.data(), count * 8);
  ctx.fill_bytes(sum_.data(), 0, count * 8);
  if (classes_ == 0) return;
  counts_ = Buffer(ctx, replicas_ * classes_ * classes_ * 8);
  ctx.fill_bytes(counts_.data(), 0, counts_.bytes());
}

// Whether loss `index` is the only one on the second output of a gate, in a session that runs nodes together.
bool LossSet::pulls_gate(std::size_t index) const {
  const LossSpec& loss = losses_[index];
  if (session_.options().fusion == Fusion::none || loss.kind != LossKind::discriminative || loss.output != 1)
    return false;
  if (session_.network().nodes()[static_cast<std::size_t>(loss.node)].kind != NodeKind::gate) return false;
  if (!session_.wants_gradient(loss.node)) return false;
  for (std::size_t i = 0; i < losses_.size(); ++i)
    if (i != index && losses_[i].node == loss.node && losses_[i].output == loss.output) return false;
  return true;
}

// The numbers of loss `index`: [r] of [losses, r].
Tensor LossSet::of_loss(const Buffer& values, std::size_t index) const {
  return {values.as<double>() + static_cast<std::int64_t>(index) * replicas_, DType::f64, {replicas_}};
}

void LossSet::prepare(const LossTargets& targets) {
  if (targets.gene_mask && !targets.live_genes) return;
  for (std::size_t i = 0; i < losses_.size(); ++i)
    if (pulls_[i])
      session_.set_pull(losses_[i].node, {.index = targets.index,
                                          .mask = targets.gene_mask,
                                          .mask_sum = targets.live_genes,
                                          .scale = of_loss(scale_, i),
                                          .loss = of_loss(value_, i)});
}

void LossSet::run(std::int64_t rows, const LossTargets& targets, const Tensor& active) {
  Context& ctx = session_.context();
  const Tensor counts = {counts_.data(), DType::i64, {replicas_, classes_, classes_}};
  for (std::size_t i = 0; i < losses_.size(); ++i) {
    const LossSpec& spec = losses_[i];
    const Tensor scale = of_loss(scale_, i), value = of_loss(value_, i);
    const Tensor node = session_.value(spec.node, spec.output, rows);
    const Tensor gradient = session_.gradient(spec.node, spec.output, rows);
    const WriteMode mode = session_.claim_gradient(spec.node, spec.output);
    switch (spec.kind) {
      case LossKind::cross_entropy:
        softmax_cross_entropy::run(ctx, {.logits = node,
                                         .labels = targets.labels,
                                         .class_weight = targets.class_weight,
                                         .label_smoothing = label_smoothing_,
                                         .scale = scale,
                                         .loss = value,
                                         .counts = spec.counts_hits ? counts : Tensor{},
                                         .dlogits = gradient});
        break;
      case LossKind::discriminative:
        if (pulls_[i] && session_.pull(spec.node).index) break;  // the gate has done it
        discriminative_loss::run(ctx, {.gate = node,
                                       .index = targets.index,
                                       .mask = targets.gene_mask,
                                       .scale = scale,
                                       .loss = value,
                                       .dgate = gradient,
                                       .mode = mode});
        break;
      case LossKind::collinearity:
        collinearity_loss::run(
            ctx, {.z = node,
                  .denominator = small_batch_ == SmallBatch::guarded ? collinearity_loss::Denominator::guarded
                                                                     : collinearity_loss::Denominator::reference,
                  .scale = scale,
                  .loss = value,
                  .dz = gradient,
                  .mode = mode});
        break;
      case LossKind::regression:
        regression_loss::run(ctx, {.prediction = node,
                                   .target = targets.targets,
                                   .kind = spec.distance,
                                   .delta = spec.delta,
                                   .reduction = spec.reduction,
                                   .scale = scale,
                                   .loss = value,
                                   .dprediction = gradient,
                                   .mode = mode});
        break;
    }
  }
  const Shape all = {static_cast<std::int64_t>(losses_.size()), replicas_};
  accumulate::Watch watch;
  if (active) watch = {session_.step(), {lost_at_.data(), DType::i64, {replicas_}}, active};
  accumulate::run(ctx, {.value = ConstTensor(value_.data(), DType::f64, all),
                        .weight = static_cast<double>(rows),
                        .sum = {sum_.data(), DType::f64, all},
                        .watch = watch});
}

std::vector<std::int64_t> LossSet::lost_at() const {
  std::vector<std::int64_t> steps(static_cast<std::size_t>(replicas_));
  session_.context().copy_to_host(steps.data(), lost_at_.data(), lost_at_.bytes());
  return steps;
}

LossSet::Sums LossSet::take_sums() {
  Sums sums;
  Context& ctx = session_.context();
  for (std::size_t i = 0; i < losses_.size(); ++i) {
    std::vector<double> values(static_cast<std::size_t>(replicas_));
    ctx.copy_to_host(values.data(), sum_.as<double>() + static_cast<std::int64_t>(i) * replicas_, replicas_ * 8);
    sums.loss.push_back(std::move(values));
  }
  ctx.fill_bytes(sum_.data(), 0, static_cast<std::int64_t>(losses_.size()) * replicas_ * 8);
  sums.accuracy = take_accuracy();
  return sums;
}

std::vector<double> LossSet::take_accuracy() {
  std::vector<double> accuracy(static_cast<std::size_t>(replicas_), std::numeric_limits<double>::quiet_NaN());
  if (classes_ == 0) return accuracy;
  Context& ctx = session_.context();
  std::vector<std::int64_t> counts(static_cast<std::size_t>(replicas_ * classes_ * classes_));
  ctx.copy_to_host(counts.data(), counts_.data(), counts_.bytes());
  ctx.fill_bytes(counts_.data(), 0, counts_.bytes());
  const std::int64_t* count = counts.data();
  for (double& share : accuracy) {
    std::int64_t hits = 0, all = 0;
    for (std::int64_t i = 0; i < classes_ * classes_; ++i, ++count) {
      all += *count;
      if (i % (classes_ + 1) == 0) hits += *count;
    }
    share = static_cast<double>(hits) / static_cast<double>(all);
  }
  return accuracy;
}

}  // namespace genexx
