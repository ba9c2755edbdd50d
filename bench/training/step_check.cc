// SPDX-License-Identifier: Apache-2.0
#include "bench/training/step_check.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "bench/training/step_options.h"

namespace genexx::bench {
namespace {

constexpr double kRate = 1048576.0;  // 2^20: scales without rounding

ReplicaTask one_batch(const StepCase& c) {
  ReplicaTask task = {.seed = 1, .preparation = 0, .train = {}, .validation = {}};
  for (std::int64_t i = 0; i < c.sizes.batch; ++i) task.train.push_back(i);
  return task;
}

bool statistic(const std::string& name) { return name.find(".running_") != std::string::npos; }

template <class T>
std::vector<double> widened(const NamedTensor& tensor) {
  std::vector<T> values(tensor.bytes.size() / sizeof(T));
  std::memcpy(values.data(), tensor.bytes.data(), tensor.bytes.size());
  return {values.begin(), values.end()};
}

}  // namespace

std::vector<double> values_of(const NamedTensor& tensor) {
  return tensor.dtype == DType::f64 ? widened<double>(tensor) : widened<float>(tensor);
}

double relative_distance(const std::vector<double>& found, const std::vector<double>& expected) {
  double difference = 0, size = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    if (!std::isfinite(found[i])) return std::numeric_limits<double>::infinity();
    difference += (found[i] - expected[i]) * (found[i] - expected[i]);
    size += expected[i] * expected[i];
  }
  return difference == 0 ? 0.0 : std::sqrt(difference / size);
}

bool shadowed_by_norm(const std::string& name, const std::vector<NamedTensor>& all) {
  if (!name.ends_with(".bias") || name.ends_with(".norm.bias")) return false;
  const std::string norm = name.substr(0, name.size() - std::string("bias").size()) + "norm.weight";
  return std::any_of(all.begin(), all.end(), [&](const NamedTensor& t) { return t.name == norm; });
}

std::vector<NamedTensor> first_weights(Context& ctx, const StepCase& c) {
  const Network network = c.network(StepDropout::off);
  return Trainer(ctx, network, c.set, {one_batch(c)}, repeated(c.trainer(network), 1, 1), {}).weights();
}

Trajectory trajectory(Context& ctx, const StepCase& c, DType dtype, std::int64_t steps) {
  const Network network = c.network(StepDropout::off);
  TrainerConfig config = repeated(c.trainer(network), steps, 1);
  config.dtype = dtype;
  Trainer trainer(ctx, network, c.set, {one_batch(c)}, config, {});
  Trajectory found;
  found.before = trainer.weights();
  trainer.run();
  found.after = trainer.weights();
  for (const PhaseConfig& phase : config.phases) {
    Trajectory::Phase p = {phase.name, static_cast<std::int64_t>(phase.losses.size()), {}};
    for (const EpochRecord& r : trainer.history())
      if (r.phase == phase.name) p.values.insert(p.values.end(), r.losses.begin(), r.losses.end());
    found.phases.push_back(std::move(p));
  }
  return found;
}

std::vector<NamedTensor> first_gradient(Context& ctx, const StepCase& c, DType dtype, std::size_t index) {
  const Network network = c.network(StepDropout::off);
  TrainerConfig config = repeated(c.trainer(network), 1, 1);
  config.dtype = dtype;
  PhaseConfig phase = config.phases[index];
  phase.optimizer = {.kind = OptimizerConfig::Kind::sgd, .momentum = 0};
  phase.learning_rate = kRate;
  config.phases = {phase};
  config.lr_decay = 1;
  Trainer trainer(ctx, network, c.set, {one_batch(c)}, config, {});
  const std::vector<NamedTensor> before = trainer.weights();
  trainer.run();
  std::vector<NamedTensor> gradients;
  for (const NamedTensor& after : trainer.weights()) {
    const bool trained = phase.trainable.empty() ||
                         std::any_of(phase.trainable.begin(), phase.trainable.end(),
                                     [&](const std::string& prefix) { return after.name.starts_with(prefix); });
    if (statistic(after.name) || !trained) continue;
    const auto first = std::find_if(before.begin(), before.end(), [&](const auto& t) { return t.name == after.name; });
    const std::vector<double> from = values_of(*first), to = values_of(after);
    std::vector<double> g(to.size());
    for (std::size_t i = 0; i < g.size(); ++i) g[i] = (from[i] - to[i]) / kRate;
    NamedTensor gradient = {after.name, DType::f64, after.shape, {}};
    gradient.bytes.resize(g.size() * sizeof(double));
    std::memcpy(gradient.bytes.data(), g.data(), gradient.bytes.size());
    gradients.push_back(std::move(gradient));
  }
  return gradients;
}

}  // namespace genexx::bench
