// SPDX-License-Identifier: Apache-2.0
#include "tools/train_transbrain.h"

#include <chrono>

#include <fmt/format.h>

#include "engine/error.h"
#include "io/safetensors.h"
#include "io/sha256.h"
#include "models/config.h"
#include "models/training_memory.h"
#include "tools/checkpointer.h"
#include "tools/embedding_files.h"
#include "tools/memory_budget.h"
#include "tools/process_status.h"
#include "tools/stop_signal.h"
#include "tools/training_run.h"
#include "tools/transbrain_outputs.h"
#include "tools/transbrain_plan.h"

namespace genexx::tools {
namespace {

using Clock = std::chrono::steady_clock;
double since(Clock::time_point begin) { return std::chrono::duration<double>(Clock::now() - begin).count(); }

std::string pairs_text(const std::vector<transbrain::RegionPair>& pairs) {
  std::string text;
  for (const transbrain::RegionPair& p : pairs) text += p.human + "\t" + p.mouse + "\n";
  return text;
}

nlohmann::json identity_of(const TrainOptions& o, const RegionFiles& files, const nlohmann::json& config,
                           const std::string& pairs, const Context& ctx) {
  return {{"config", config},
          {"seed", o.seed},
          {"replicas", o.replicas},
          {"sha256", sha256_of(files.training)},
          {"human_sha256", sha256_of(files.human)},
          {"mouse_sha256", sha256_of(files.mouse)},
          {"gene_list_sha256", sha256_of(files.gene_list)},
          {"pairs", pairs},
          {"device", ctx.device() == DeviceType::cpu ? "cpu" : "cuda"},
          {"cpu_isa", o.on.isa()},
          {"precision", name_of(ctx.precision)}};
}

// Writes both species' embeddings of an epoch, as the published program does after each.
void write_epoch(const RunDirectory& out, const std::string& training, const transbrain::RankJudge::Embedded& embedded,
                 std::int64_t epoch) {
  for (std::size_t k = 0; k < embedded.human.size(); ++k) {
    const std::string folder = repeat_folder(training, static_cast<std::int64_t>(k)) + "/Results";
    out.make_folder(folder);
    for (const auto& [species, table] : {std::pair{"human", &embedded.human[k]}, {"mouse", &embedded.mouse[k]}})
      write_region_csv(out.file(fmt::format("{}/{}_embedding_epoch{}.csv", folder, species, epoch)), "region_id",
                       table->regions, std::vector<float>(table->values.begin(), table->values.end()));
  }
}

TrainedRegions run(Context& ctx, const TransbrainPlan& plan, const transbrain::Config& config,
                   transbrain::RankJudge& judge, const std::string& training, const TrainingRecords& records) {
  const Trainer* running = nullptr;
  const auto mean_ranks = [&](const std::vector<NamedTensor>& weights) {
    const transbrain::RankJudge::Embedded embedded = judge.embed(weights);
    if (config.embed_every_epoch && records.out.is_writer())
      write_epoch(records.out, training, embedded, running->history().empty() ? 0 : running->history().back().epoch);
    return judge.mean_ranks(embedded);
  };
  TrainedRegions trained;
  run_trainer(
      ctx, {plan.network, plan.prepared.set, plan.prepared.tasks, plan.trainer, mean_ranks}, records,
      [&](const Trainer& trainer) { running = &trainer; },
      [&](const Trainer& trainer) {
        const auto rule = [&](std::size_t index) {
          Trainer::Kept kept = trainer.kept(index);
          return RuleWeights{std::move(kept.weights), std::move(kept.met)};
        };
        trained = {rule(transbrain::kBestValid), rule(transbrain::kBestRank), trainer.weights(), trainer.history()};
      });
  return trained;
}

// The averaged matrix of the repeats, its ranks and components.
HomologyResult compare(const TransbrainPlan& plan, const transbrain::RankJudge::Embedded& embedded,
                       const transbrain::Config& config, const RegionFiles& files, std::uint64_t seed) {
  transbrain::SimilarityMean across, within;
  transbrain::ComponentAnalysis analysis;
  for (std::size_t k = 0; k < embedded.human.size(); ++k) {
    across.add(transbrain::correlate(embedded.human[k], embedded.mouse[k]));
    within.add(transbrain::correlate(embedded.human[k], embedded.human[k]));
    analysis.add(embedded.human[k], embedded.mouse[k]);
  }
  HomologyResult r;
  r.human_by_mouse = across.mean();
  r.human_by_human = within.mean();
  r.pairs = plan.pairs;
  r.ranking = rank_pairs(r.human_by_mouse, plan.pairs, {.permutations = config.permutations, .seed = seed});
  r.components = analysis.components(10);
  r.models = across.count();
  r.undefined = across.undefined();
  r.pair_list = files.pairs;
  r.human_files = {files.human};
  r.mouse_files = {files.mouse};
  r.seed = seed;
  return r;
}

Model model_of(const TransbrainPlan& plan, std::vector<NamedTensor> weights) {
  Model model;
  model.system = "transbrain";
  model.network = plan.network;
  model.recipe.gene_ids = plan.genes;
  model.recipe.input = plan.kind;
  model.classes = plan.regions;
  model.replicas = static_cast<std::int64_t>(plan.prepared.tasks.size());
  model.weights = std::move(weights);
  return model;
}

void save_model(const RunDirectory& out, const Model& model) {
  ModelParts parts = to_parts(model);
  write_safetensors(out.file("model.safetensors"), {std::move(parts.tensors), std::move(parts.metadata)});
}

}  // namespace

void train_transbrain(const TrainOptions& o, Program& program) {
  Console& console = program.console;
  if (o.folds > 0) throw UsageError("--folds is not for transbrain: each repeat has a split of its own (--replicas)");
  const transbrain::Config config = transbrain_config(o);
  const nlohmann::json config_json = to_json_config(config);
  if (o.dump_config) return fmt::print("{}\n", config_json.dump(2));
  if (o.out.empty()) throw UsageError("--out DIR is needed: the directory to write model, metrics and report to");
  if (!o.dry_run && program.ranks.get().is_root()) RunDirectory::expect(o.out, use_of(o));
  const RegionFiles files = transbrain_files(o);
  if (o.reading.time_limit > 0) set_time_limit(o.reading.time_limit);
  ThreadPool pool(thread_count(o.reading));
  const std::unique_ptr<Context> ctx = device_context(o.on, pool);
  StageSeconds seconds;
  const TransbrainPlan plan = plan_transbrain(o, files, config, pool, console, seconds);
  std::vector<std::string> warnings = plan.prepared.warnings;
  for (const std::string& text : warnings) console.warn(text);
  const Communicator& ranks = program.ranks.get();
  const std::int64_t memory =
      estimate_trainer_bytes(plan.network, largest_share(plan.prepared.tasks, ranks), plan.trainer);
  console.say(fmt::format(
      "{} regions, {} genes, {} rows to train on, {} to validate, batch {}, {} repeats; about {} of memory",
      plan.regions.size(), plan.genes.size(), plan.prepared.splits[0].train.size(),
      plan.prepared.splits[0].validation.size(), plan.trainer.batch, o.replicas, bytes_text(peak_memory_with(memory))));
  expect_memory(memory * ranks.local_size(), "training", memory_check(o.reading));
  if (o.dry_run) return;

  RunDirectory out(o.out, use_of(o), &program.ranks.get());
  const nlohmann::json identity = identity_of(o, files, config_json, pairs_text(plan.pairs.pairs), *ctx);
  const nlohmann::json description = describe_run(identity, files.training, program.command_line);
  out.log("start", description);
  const TrainingRecords records = {.out = out,
                                   .console = console,
                                   .checkpoint = kMainCheckpoint,
                                   .identity = identity,
                                   .start = o.resume ? TrainingRecords::Start::resume : TrainingRecords::Start::fresh};
  auto begin = Clock::now();
  transbrain::RankJudge judge(*ctx, plan.network, o.replicas, plan.human, plan.mouse, plan.pairs);
  const TrainedRegions trained = run(*ctx, plan, config, judge, files.training, records);
  seconds.train = since(begin);
  if (!out.is_writer()) return;

  begin = Clock::now();
  const std::size_t before = warnings.size();
  std::vector<NamedTensor> weights = chosen_weights(trained, config.chosen, warnings);
  const transbrain::RankJudge::Embedded embedded = judge.embed(weights);
  const std::vector<double> mean_ranks = judge.mean_ranks(embedded);
  HomologyResult homology = compare(plan, embedded, config, files, o.seed);
  if (homology.undefined > 0)
    warnings.push_back(fmt::format("{} correlations of single repeats are undefined: a region's embedding is constant",
                                   homology.undefined));
  homology.warnings = warnings;
  for (std::size_t i = before; i < warnings.size(); ++i) console.warn(warnings[i]);
  const transbrain::Ranking raw = rank_pairs(transbrain::correlate(plan.human, plan.mouse), plan.pairs,
                                             {.permutations = config.permutations, .seed = o.seed});
  seconds.test = since(begin);
  const FinishedRegions finished = {plan.prepared, plan.regions, plan.row_names, plan.network, plan.trainer,
                                    trained,       embedded,     mean_ranks,     homology,     raw,
                                    config,        config_json,  description,    warnings,     plan.matrix,
                                    o.seed,        seconds};
  const nlohmann::json metrics = transbrain_metrics(finished);
  Model model = model_of(plan, std::move(weights));
  model.summary = {{"run", description},
                   {"config", config_json},
                   {"homology", {{"mean_rank", homology.ranking.mean_rank}, {"raw_mean_rank", raw.mean_rank}}}};
  save_model(out, model);
  write_transbrain_tables(out, finished);
  write_transbrain_report(out, finished, metrics);
  out.write_json("metrics.json", metrics);  // last: who finds it finds the others too
  out.log("end", {{"seconds", metrics["seconds"]}, {"mean_rank", homology.ranking.mean_rank}});
  console.say(
      fmt::format("mean rank {:.2f} of {} over {} pairs, by raw expression {:.2f}, by chance {:.1f}; report: {}",
                  homology.ranking.mean_rank, plan.human.regions.size(), plan.pairs.pairs.size(), raw.mean_rank,
                  homology.ranking.chance, out.file("report.html")));
}

}  // namespace genexx::tools
