// SPDX-License-Identifier: Apache-2.0
#include "tools/training_run.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "engine/error.h"
#include "engine/version.h"
#include "io/gene_order.h"
#include "models/mlp/network.h"
#include "models/mlp/preparation.h"
#include "models/mlp/training.h"
#include "models/model.h"
#include "models/retraining.h"
#include "models/scannonet/network.h"
#include "models/scannonet/training.h"
#include "tools/checkpointer.h"
#include "tools/evaluation_report.h"
#include "tools/first_step.h"
#include "tools/stop_signal.h"

namespace genexx::tools {
namespace {

std::int64_t epochs_of(const TrainerInput& input) {
  std::int64_t total = 0;
  for (const PhaseConfig& phase : input.config.phases) total += phase.epochs;
  if (const PhaseConfig& last = input.config.phases.back(); input.pause_after < last.epochs)
    total -= last.epochs - input.pause_after;
  return total * static_cast<std::int64_t>(input.tasks.size());
}

// What an epoch was judged by, in words.
std::string figure_of(const EpochRecord& r) {
  if (std::isfinite(r.validation.accuracy)) return fmt::format("validation accuracy {:.3f}", r.validation.accuracy);
  if (std::isfinite(r.validation.absolute_error))
    return fmt::format("validation error {:.4f}", r.validation.absolute_error);
  return "no validation";
}

void report_epoch(const TrainingRecords& records, const EpochRecord& r, std::int64_t done, std::int64_t total) {
  records.console.show_progress(done, total,
                                fmt::format("{} epoch {}, replica {}, {}", r.phase, r.epoch, r.replica, figure_of(r)));
  nlohmann::json line = {{"training", records.checkpoint},
                         {"phase", r.phase},
                         {"epoch", r.epoch},
                         {"replica", r.replica},
                         {"losses", r.losses},
                         {"learning_rate", r.learning_rate},
                         {"seconds", r.seconds}};
  if (std::isfinite(r.validation.accuracy)) line["validation_accuracy"] = r.validation.accuracy;
  if (std::isfinite(r.validation.absolute_error)) line["validation_mae"] = r.validation.absolute_error;
  if (!r.monitors.empty()) line["monitors"] = r.monitors;
  records.out.log("epoch", std::move(line));
}

TrainingPlan plan(Context& ctx, const CellInput& input, const scannonet::Config& config,
                  const PreparationOptions& options, std::int64_t replicas) {
  scannonet::Prepared prepared = scannonet::prepare(ctx, input, config, options);
  Network network = scannonet::make_network(prepared.set.genes(), prepared.set.classes, config.dropout,
                                            {config.squeeze_width, config.hidden_width, config.embedding_width});
  std::vector<ReplicaTask> tasks =
      scannonet::make_tasks(prepared, replicas, static_cast<std::int64_t>(options.seed), config);
  TrainerConfig trainer = scannonet::make_trainer_config(network, tasks, config);
  std::vector<scannonet::Selection> selections = std::move(prepared.selections);
  const bool retrain = scannonet::retrains(tasks, config);
  return {"",     std::move(prepared), std::move(selections), std::move(network), std::move(tasks), std::move(trainer),
          retrain};
}

// Where the genes lie by the gene order asked for; empty without one.
GeneRanks ranks_of(const CellInput& input, const mlp::Config& config) {
  if (config.gene_order.empty()) return {};
  return rank_genes(read_gene_order(config.gene_order), input.genes, input.other_names, config.least_ordered_genes);
}

void warn_of_unordered(const GeneRanks& ranks, PreparedCells& prepared) {
  if (ranks.rank.empty()) return;
  const auto missing =
      std::count_if(prepared.fitted.columns.begin(), prepared.fitted.columns.end(),
                    [&](std::int64_t column) { return ranks.rank[static_cast<std::size_t>(column)] < 0; });
  if (missing > 0)
    prepared.warnings.push_back(fmt::format("{} of the {} genes are not in the gene order; they come last", missing,
                                            prepared.fitted.columns.size()));
}

TrainingPlan plan(Context& ctx, const CellInput& input, const mlp::Config& given, const PreparationOptions& options,
                  std::int64_t replicas) {
  const mlp::Config config = mlp::resolved(given, mlp::labelled_cells(input, given));
  const GeneRanks ranks = ranks_of(input, config);
  CellInput ordered = input;
  ordered.gene_rank = ranks.rank;
  TrainingPlan result = {"", mlp::prepare(ctx, ordered, config, options), {}, {}, {}, {}};
  warn_of_unordered(ranks, result.prepared);
  lay_out(result, config, replicas, options.seed);
  return result;
}

// Throws UsageError where a rank has another run before it than rank 0: other data, other processors.
void expect_same_run(const TrainingRecords& records) {
  Communicator* ranks = records.out.ranks();
  if (!ranks) return;
  const nlohmann::json of_root = nlohmann::json::parse(ranks->broadcast_text(records.identity.dump()));
  std::string differs;
  for (const auto& [key, value] : records.identity.items())
    if (differs.empty() && of_root.value(key, nlohmann::json()) != value)
      differs = fmt::format("rank {} has another {} than rank 0: {}, expected {}", ranks->rank(), key, value.dump(),
                            of_root.value(key, nlohmann::json()).dump());
  if (ranks->any(!differs.empty()))
    throw UsageError((differs.empty() ? "the ranks do not have the same run before them" : differs) +
                     "; all ranks need the same data, and --cpu-isa where their processors differ");
}

// What a training has become after training once more with the validation cells.
TrainedReplicas retrained(Context& ctx, const TrainingPlan& plan, const TrainingRecords& records,
                          TrainedReplicas trained) {
  const std::vector<ReplicaTask> tasks =
      retraining_tasks(plan.prepared.set, plan.tasks, trained.history, plan.trainer.phases.back());
  const TrainerConfig config = retraining_config(plan.trainer);
  records.console.say(fmt::format("once more with the {} validation cells", plan.tasks.front().validation.size()));
  TrainingRecords again = records;
  again.checkpoint += kRetrainingSuffix;
  run_trainer(
      ctx, {plan.network, plan.prepared.set, tasks, config}, again, [](const Trainer&) {},
      [&](const Trainer& trainer) {
        trained.validated = std::exchange(trained.weights, trainer.weights());
        trained.history.insert(trained.history.end(), trainer.history().begin(), trainer.history().end());
      });
  trained.phases.insert(trained.phases.end(), config.phases.begin(), config.phases.end());
  return trained;
}

}  // namespace

TrainingPlan plan_training(Context& ctx, const CellInput& input, const SystemConfig& config,
                           const PreparationOptions& options, std::int64_t replicas) {
  TrainingPlan result =
      std::visit([&](const auto& c) { return plan(ctx, input, c, options, replicas); }, config.settings);
  result.system = config.system;
  return result;
}

void lay_out(TrainingPlan& plan, const mlp::Config& config, std::int64_t replicas, std::uint64_t seed) {
  plan.network = mlp::make_network(plan.prepared.set.genes(), plan.prepared.set.classes, config);
  plan.tasks = mlp::make_tasks(plan.prepared, replicas, static_cast<std::int64_t>(seed), config);
  plan.trainer = mlp::make_trainer_config(plan.network, config);
}

std::vector<ReplicaTask> largest_share(const std::vector<ReplicaTask>& tasks, const Communicator& ranks) {
  const RankShare share = share_of_rank(static_cast<std::int64_t>(tasks.size()), 0, ranks.size());
  return {tasks.begin(), tasks.begin() + share.end};
}

nlohmann::json describe_run(const nlohmann::json& identity, const std::string& data, const std::string& command) {
  nlohmann::json d = identity;
  d.erase("config");
  d["command"] = command;
  d["data"] = data;
  d["date"] = today();
  d["versions"] = {{"genexx", version()}, {"model_format", kModelFormat}};
  return d;
}

void run_trainer(Context& ctx, const TrainerInput& input, const TrainingRecords& records,
                 const std::function<void(const Trainer&)>& begin, const std::function<void(const Trainer&)>& end) {
  expect_same_run(records);
  Checkpointer checkpoint(records.out, records.checkpoint, records.identity);
  FirstStep first_step;
  Trainer* running = nullptr;
  std::int64_t done = 0;
  const std::int64_t total = epochs_of(input);
  TrainerHooks hooks = {.on_epoch = [&](const EpochRecord& r) { report_epoch(records, r, ++done, total); },
                        .on_checkpoint = [&] { checkpoint.after_epoch(*running); },
                        .should_stop =
                            [&] {
                              first_step.before_step();
                              return checkpoint.should_stop();
                            },
                        .judge = input.judge};
  Trainer trainer(ctx, input.network, input.set, input.tasks, input.config, std::move(hooks), records.out.ranks());
  running = &trainer;
  if (records.start == TrainingRecords::Start::resume)
    if (const auto state = checkpoint.load()) trainer.resume(*state);
  done = static_cast<std::int64_t>(trainer.history().size());
  begin(trainer);
  try {
    trainer.run_to(input.pause_after);
  } catch (const StoppedError& stopped) {
    records.console.end_progress();
    const std::string message =
        fmt::format("{} by {}", stopped.what(), stop_requested() ? stop_reason() : "what another rank was asked");
    if (!records.out.has_checkpoint()) throw RuntimeError(message + "; there is no checkpoint yet");
    throw StoppedError(message + "; the checkpoint is valid, go on with --resume");
  } catch (const RankError& error) {
    if (!records.out.sees_checkpoint())
      throw RankError(error.code(), std::string(error.what()) + "; there is no checkpoint yet");
    throw RankError(error.code(), std::string(error.what()) + "; the last checkpoint is valid, go on with --resume");
  }
  records.console.end_progress();
  records.out.log("trained", {{"training", records.checkpoint},
                              {"epochs", trainer.history().size()},
                              {"first_step_seconds", first_step.seconds()}});
  end(trainer);
}

TrainedReplicas run_training(Context& ctx, const TrainingPlan& plan, const TrainingRecords& records) {
  TrainedReplicas trained = {.weights = {}, .history = {}, .phases = plan.trainer.phases};
  run_trainer(
      ctx, {plan.network, plan.prepared.set, plan.tasks, plan.trainer}, records, [](const Trainer&) {},
      [&](const Trainer& trainer) {
        trained.weights = trainer.weights();
        trained.history = trainer.history();
      });
  return plan.retrain ? retrained(ctx, plan, records, std::move(trained)) : trained;
}

}  // namespace genexx::tools
