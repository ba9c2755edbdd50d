// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <iostream>

#include <nlohmann/json.hpp>

#include "bench/training/step_check.h"
#include "bench/training/step_options.h"
#include "engine/cuda/cuda_context.h"

namespace genexx::bench {
namespace {

const NamedTensor& named(const std::vector<NamedTensor>& all, const std::string& name) {
  return *std::find_if(all.begin(), all.end(), [&](const NamedTensor& t) { return t.name == name; });
}

struct Worst {
  double distance = 0;
  std::string where;
  void take(double found, const std::string& name) {
    if (found > distance || where.empty()) *this = {std::max(found, distance), name};
  }
  nlohmann::json json() const {
    return {{"distance", std::isfinite(distance) ? nlohmann::json(distance) : nlohmann::json("not finite")},
            {"where", where}};
  }
};

void compare(const std::vector<NamedTensor>& found, const std::vector<NamedTensor>& expected, const std::string& prefix,
             Worst& worst) {
  for (const NamedTensor& t : expected)
    if (!shadowed_by_norm(t.name, expected))
      worst.take(relative_distance(values_of(named(found, t.name)), values_of(t)), prefix + t.name);
}

bool same_bytes(const Trajectory& a, const Trajectory& b) {
  const auto equal = [](const NamedTensor& x, const NamedTensor& y) { return x.bytes == y.bytes; };
  const auto alike = [](const Trajectory::Phase& x, const Trajectory::Phase& y) { return x.values == y.values; };
  return std::equal(a.after.begin(), a.after.end(), b.after.begin(), b.after.end(), equal) &&
         std::equal(a.phases.begin(), a.phases.end(), b.phases.begin(), b.phases.end(), alike);
}

// Whether every form in which the device can be given its steps leaves the bytes of `first`: a loop on the device,
// steps unrolled in a graph, a graph launch a step. The CPU has one form.
bool same_in_every_form(Context& ctx, const StepCase& c, std::int64_t steps, const Trajectory& first) {
  if (ctx.device() != DeviceType::cuda) return true;
  auto& cuda = static_cast<CudaContext&>(ctx);
  const StepRepeats widest = cuda.repeats();
  bool same = true;
  for (StepRepeats form = widest; form != StepRepeats::single && same;) {
    form = simpler(form);
    cuda.set_repeats(form);
    same = same_bytes(first, trajectory(ctx, c, DType::f32, steps));
  }
  cuda.set_repeats(widest);
  return same;
}

}  // namespace

void report_gate(const StepOptions& o, const StepCase& c, ThreadPool& pool) {
  CpuContext reference(o.threads > 1 ? &pool : nullptr);
  const std::unique_ptr<Context> ctx = make_step_context(o, pool);
  const StepCase ours = with_moments(o, c);
  const std::size_t phases = c.trainer(c.network(StepDropout::off)).phases.size();
  Worst gradients, weights, loss;
  for (std::size_t i = 0; i < phases; ++i)
    compare(first_gradient(*ctx, c, DType::f32, i), first_gradient(reference, c, DType::f64, i),
            "phase " + std::to_string(i + 1) + ": ", gradients);
  const Trajectory found = trajectory(*ctx, ours, DType::f32, o.check_steps);
  const Trajectory expected = trajectory(reference, c, DType::f64, o.check_steps);
  compare(found.after, expected.after, "", weights);
  const Trajectory::Phase& first = found.phases[0];
  for (std::size_t k = 0; k < static_cast<std::size_t>(first.losses); ++k)
    loss.take(relative_distance({first.values[k]}, {expected.phases[0].values[k]}), first.name);
  const bool repeats = same_bytes(found, trajectory(*ctx, ours, DType::f32, o.check_steps));
  std::cout << nlohmann::json({{"device", o.device},
                               {"precision", o.precision},
                               {"moments", o.moments},
                               {"steps", o.check_steps},
                               {"gradient", gradients.json()},
                               {"first_loss", loss.json()},
                               {"weights", weights.json()},
                               {"same_bytes_twice", repeats},
                               {"same_bytes_in_every_form", same_in_every_form(*ctx, ours, o.check_steps, found)}})
            << std::endl;
}

}  // namespace genexx::bench
