// SPDX-License-Identifier: Apache-2.0
#include "tools/transbrain_plan.h"

#include <chrono>
#include <filesystem>

#include <fmt/format.h>

#include "engine/error.h"
#include "models/config.h"
#include "models/transbrain/network.h"
#include "tools/pair_list.h"
#include "tools/region_profiles.h"

namespace genexx::tools {
namespace {

using Clock = std::chrono::steady_clock;
double since(Clock::time_point begin) { return std::chrono::duration<double>(Clock::now() - begin).count(); }

// The preset's sizes must be those of the data: another gene list or atlas is another model.
void expect_sizes(const transbrain::Config& config, std::size_t genes, std::size_t regions) {
  const auto expect = [](const char* key, std::int64_t wanted, std::size_t found, const char* what) {
    if (wanted > 0 && wanted != static_cast<std::int64_t>(found))
      throw RefusedError(fmt::format("{} is {}, but {} {}; is this the data of that preset? (--set {}=0 takes any)",
                                     key, wanted, found, what, key));
  };
  expect("network.inputs", config.inputs, genes, "genes are listed");
  expect("network.outputs", config.outputs, regions, "regions are in the training file");
}

}  // namespace

transbrain::Config transbrain_config(const TrainOptions& o) {
  const nlohmann::json given = given_settings(o);
  transbrain::Config config;
  if (!o.preset.empty()) transbrain::apply_preset(config, o.preset);
  if (const nlohmann::json* compat = find_dotted(given, "compat"); compat && compat->is_string())
    config.compat = compat->get<std::string>();
  transbrain::apply_compat(config);
  apply_json(config, given);
  transbrain::check(config);
  return config;
}

RegionFiles transbrain_files(const TrainOptions& o) {
  RegionFiles files;
  if (std::filesystem::is_directory(o.reading.data))
    files = region_files_of(o.reading.data);
  else
    files.training = o.reading.data;
  const auto take = [](std::string& file, const std::string& given, const char* option) {
    if (!given.empty()) file = given;
    if (file.empty())
      throw UsageError(std::string(option) +
                       " is needed with --model transbrain, unless DATA is a "
                       "directory that holds all the files");
  };
  take(files.human, o.regions.human, "--human FILE");
  take(files.mouse, o.regions.mouse, "--mouse FILE");
  take(files.gene_list, o.regions.gene_list, "--gene-list FILE");
  take(files.pairs, o.regions.pairs, "--pairs FILE (or cortex, subcortex, all)");
  return files;
}

TransbrainPlan plan_transbrain(const TrainOptions& o, const RegionFiles& files, const transbrain::Config& config,
                               ThreadPool& pool, Console& console, StageSeconds& seconds) {
  auto begin = Clock::now();
  TransbrainPlan plan;
  plan.genes = read_gene_list(files.gene_list);
  ReadingOptions reading = o.reading;
  reading.data = files.training;
  TrainingProfiles read = read_training_profiles(reading, plan.genes, console);
  plan.row_names = std::move(read.row_names);
  plan.regions = read.profiles.region_names;
  plan.kind = read.kind;
  plan.matrix = read.description;
  expect_sizes(config, plan.genes.size(), plan.regions.size());
  plan.human = read_region_means(o.reading, files.human, plan.genes, console);
  plan.mouse = read_region_means(o.reading, files.mouse, plan.genes, console);
  plan.pairs =
      resolve_pairs(read_pair_list(files.pairs), plan.human.regions, plan.mouse.regions,
                    o.regions.skip_absent_pairs ? transbrain::AbsentPairs::leave_out : transbrain::AbsentPairs::refuse);
  seconds.read = since(begin);
  begin = Clock::now();
  plan.prepared = transbrain::prepare_run(std::move(read.profiles), config, o.replicas, o.seed, pool);
  plan.network = transbrain::make_network({.inputs = static_cast<std::int64_t>(plan.genes.size()),
                                           .hidden1 = config.hidden1,
                                           .hidden2 = config.hidden2,
                                           .hidden3 = config.hidden3,
                                           .outputs = static_cast<std::int64_t>(plan.regions.size())},
                                          config.dropout);
  plan.trainer = transbrain::make_trainer_config(plan.network, config, plan.prepared.tasks);
  seconds.prepare = since(begin);
  return plan;
}

}  // namespace genexx::tools
