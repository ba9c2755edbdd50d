// SPDX-License-Identifier: Apache-2.0
#include "models/transbrain/training.h"

#include <algorithm>
#include <limits>

#include <fmt/format.h>

#include "engine/error.h"
#include "models/stratify.h"
#include "models/transbrain/sample_split.h"
#include "models/transbrain/scaler.h"

namespace genexx::transbrain {
namespace {

constexpr std::uint32_t kShuffleStream = 0x74627368u;

Preparation preparation_of(const Scaler& scaler) {
  Preparation p;
  for (std::size_t g = 0; g < scaler.mean.size(); ++g) {
    p.shift.push_back(static_cast<float>(scaler.mean[g]));
    p.factor.push_back(static_cast<float>(1.0 / scaler.deviation[g]));
  }
  p.live_genes = static_cast<std::int64_t>(scaler.mean.size());
  return p;
}

// The labels of the training rows in random order: what is left to learn is how often each region comes.
std::vector<std::int32_t> shuffled_labels(const std::vector<std::int64_t>& rows,
                                          const std::vector<std::int32_t>& labels, std::uint64_t seed) {
  std::vector<std::int32_t> out;
  for (const std::int64_t row : random_order(rows, seed, kShuffleStream))
    out.push_back(labels[static_cast<std::size_t>(row)]);
  return out;
}

void warn_of_untrained(PreparedRun& run, const std::vector<std::string>& names) {
  std::vector<std::int64_t> trained(names.size(), 0);
  for (const std::int64_t row : run.splits.front().train)
    ++trained[static_cast<std::size_t>(run.set.labels[static_cast<std::size_t>(row)])];
  std::string list;
  std::int64_t count = 0;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (trained[i] > 0) continue;
    if (++count <= 5) list += (list.empty() ? "" : ", ") + names[i];
  }
  if (count > 0)
    run.warnings.push_back(
        fmt::format("{} regions have a single tissue sample, which goes to validation, and so no "
                    "rows to train on: {}{}",
                    count, list, count > 5 ? ", ..." : ""));
}

double limit(double given) { return given > 0 ? given : std::numeric_limits<double>::infinity(); }

}  // namespace

PreparedRun prepare_run(RegionProfiles profiles, const Config& config, std::int64_t repeats, std::uint64_t seed,
                        ThreadPool& pool) {
  if (profiles.region_names.size() < 2)
    throw RefusedError(fmt::format("the training file has {} regions, expected at least two to tell apart",
                                   profiles.region_names.size()));
  PreparedRun run;
  run.set.cells = profiles.values.rows;
  run.set.labels = profiles.regions;
  run.set.classes = static_cast<std::int64_t>(profiles.region_names.size());
  run.set.dense = std::move(profiles.values);
  for (std::int64_t k = 0; k < repeats; ++k) {
    const std::uint64_t own = seed + static_cast<std::uint64_t>(k);
    CellSplit split = split_by_sample({.regions = profiles.regions,
                                       .samples = profiles.samples,
                                       .validation = config.validation_fraction,
                                       .seed = own});
    if (split.train.empty())
      throw RefusedError(
          "every region has a single tissue sample, so that none is left to train on; expected "
          "REGION_sampleK_... names with several samples a region");
    run.set.preparations.push_back(preparation_of(fit_scaler(run.set.dense, split.train, pool)));
    ReplicaTask task;
    task.seed = static_cast<std::int64_t>(own);
    task.preparation = k;
    task.train = split.train;
    task.validation = split.validation;
    if (config.shuffle_labels) task.train_labels = shuffled_labels(split.train, run.set.labels, own);
    run.tasks.push_back(std::move(task));
    run.splits.push_back(std::move(split));
  }
  warn_of_untrained(run, profiles.region_names);
  return run;
}

TrainerConfig make_trainer_config(const Network& network, const Config& config, const std::vector<ReplicaTask>& tasks) {
  std::int64_t rows = std::numeric_limits<std::int64_t>::max();
  for (const ReplicaTask& task : tasks) rows = std::min(rows, static_cast<std::int64_t>(task.train.size()));
  TrainerConfig out;
  out.batch = std::min(config.batch, rows);
  out.short_batch = ShortBatch::drop;
  out.lr_decay = config.lr_decay;
  out.lr_decay_steps = config.lr_decay_epochs;
  out.lr_decay_unit = DecayUnit::epochs;
  PhaseConfig phase;
  phase.name = "train";
  phase.epochs = config.epochs;
  phase.learning_rate = config.learning_rate;
  phase.optimizer.kind = OptimizerConfig::Kind::adamw;
  phase.optimizer.moments = moments_called(config.moments);
  phase.optimizer.weight_decay = config.weight_decay;
  phase.losses = {{.kind = LossKind::cross_entropy,
                   .name = "cross_entropy",
                   .node = static_cast<int>(network.nodes().size()) - 1,
                   .counts_hits = true}};
  phase.keep = {{.name = "best_valid",
                 .criterion = Criterion::loss,
                 .tie = Tie::latest,
                 .initial_best = limit(config.worst_kept_loss)},
                {.name = "best_rank",
                 .criterion = Criterion::external,
                 .tie = Tie::latest,
                 .initial_best = limit(config.worst_kept_rank)}};
  phase.ends_with = PhaseConfig::kLast;
  phase.patience = config.patience;
  out.phases = {phase};
  return out;
}

}  // namespace genexx::transbrain
