// SPDX-License-Identifier: Apache-2.0
#include "models/transbrain/training.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include <doctest/doctest.h>

#include "engine/error.h"
#include "models/class_codes.h"
#include "models/transbrain/network.h"
#include "models/transbrain/region_embedder.h"
#include "models/transbrain/region_names.h"
#include "models/transbrain/simulate_regions.h"
#include "tests/support/text_file.h"

using namespace genexx;
using namespace genexx::test;
using namespace genexx::transbrain;

namespace {

RegionProfiles profiles_of(const SimulatedRows& rows, std::size_t genes) {
  RegionProfiles p;
  p.values = {static_cast<std::int64_t>(rows.region_index.size()), static_cast<std::int64_t>(genes), rows.values};
  std::vector<std::string> regions, samples;
  for (const std::string& name : rows.region_index) {
    regions.push_back(region_of(name));
    samples.push_back(sample_of(name));
  }
  const ClassCodes codes = encode_classes(regions);
  p.regions = codes.codes;
  p.region_names = codes.names;
  p.samples = encode_classes(samples).codes;
  return p;
}

RegionTable region_means(const SimulatedRows& rows, std::size_t genes) {
  std::vector<std::string> regions;
  for (const std::string& name : rows.region_index) regions.push_back(region_of(name));
  const ClassCodes codes = encode_classes(regions);
  RegionTable table = {codes.names, static_cast<std::int64_t>(genes), std::vector<double>(codes.names.size() * genes)};
  const std::vector<std::int64_t> sizes = class_sizes(codes.codes, table.rows());
  for (std::size_t i = 0; i < regions.size(); ++i)
    for (std::size_t g = 0; g < genes; ++g)
      table.values[static_cast<std::size_t>(codes.codes[i]) * genes + g] +=
          rows.values[i * genes + g] / static_cast<double>(sizes[static_cast<std::size_t>(codes.codes[i])]);
  return table;
}

// Small enough for a test: three hidden layers of 64, batches of 64.
Config small_config() {
  Config config;
  config.batch = 64;
  config.epochs = 20;
  config.learning_rate = 1e-3;
  config.hidden1 = config.hidden2 = config.hidden3 = 64;
  return config;
}

constexpr RegionSimulation kSmallRegions = {
    .human_regions = 24, .mouse_regions = 16, .genes = 300, .samples = 5, .cells = 6, .species_shift = 1.3};

// A trained run and what it is judged by.
struct Outcome {
  double raw = 0;        // mean rank by raw expression
  double mean_rank = 0;  // by the averaged matrix of the best-valid models
  std::vector<EpochRecord> history;
  Trainer::Kept best_valid, best_rank;
  std::vector<NamedTensor> last;
};

Outcome train(const RegionSimulation& request, const Config& config, std::int64_t repeats, std::uint64_t seed = 3) {
  ThreadPool pool(2);
  CpuContext ctx(&pool);
  const SimulatedRegions s = simulate_regions(request, pool);
  const std::size_t genes = s.genes.size();
  const RegionTable human = region_means(s.human, genes), mouse = region_means(s.mouse, genes);
  const ResolvedPairs pairs = resolve_pairs(s.pairs, human.regions, mouse.regions, AbsentPairs::refuse);
  const PreparedRun run = prepare_run(profiles_of(s.training, genes), config, repeats, seed, pool);
  const Network network = make_network({.inputs = static_cast<std::int64_t>(genes),
                                        .hidden1 = config.hidden1,
                                        .hidden2 = config.hidden2,
                                        .hidden3 = config.hidden3,
                                        .outputs = human.rows()},
                                       config.dropout);
  RankJudge judge(ctx, network, repeats, human, mouse, pairs);
  Trainer trainer(ctx, network, run.set, run.tasks, make_trainer_config(network, config, run.tasks),
                  {.judge = [&](const std::vector<NamedTensor>& weights) { return judge.mean_ranks(weights); }});
  trainer.run();
  Outcome out;
  out.raw = rank_pairs(correlate(human, mouse), pairs, {.permutations = 0}).mean_rank;
  out.history = trainer.history();
  out.best_valid = trainer.kept(kBestValid);
  out.best_rank = trainer.kept(kBestRank);
  out.last = trainer.weights();
  const RankJudge::Embedded embedded = judge.embed(out.best_valid.weights);
  SimilarityMean mean;
  for (std::size_t k = 0; k < embedded.human.size(); ++k) mean.add(correlate(embedded.human[k], embedded.mouse[k]));
  out.mean_rank = rank_pairs(mean.mean(), pairs, {.permutations = 0}).mean_rank;
  return out;
}

double last_accuracy(const Outcome& outcome) { return outcome.history.back().validation.accuracy; }

}  // namespace

TEST_CASE("transbrain training: embeddings find homologues better than raw expression, on three data sets") {
  for (const std::uint64_t seed : {1u, 2u, 3u}) {
    CAPTURE(seed);
    RegionSimulation request = kSmallRegions;
    request.seed = seed;

    const Outcome outcome = train(request, small_config(), 3);

    MESSAGE("mean rank " << outcome.mean_rank << ", raw " << outcome.raw);
    CHECK(outcome.mean_rank < outcome.raw);
    CHECK(last_accuracy(outcome) > 0.8);
  }
}

TEST_CASE("transbrain training: with permuted labels nothing is learned") {
  Config config = small_config();
  config.shuffle_labels = true;

  const Outcome outcome = train(kSmallRegions, config, 1);

  CHECK(last_accuracy(outcome) < 0.25);
  CHECK(outcome.history.back().validation.loss > std::log(24.0));
}

TEST_CASE("transbrain training: a validation set smaller than a batch is judged, and so are few training rows") {
  RegionSimulation request = {.human_regions = 4, .mouse_regions = 2, .genes = 30, .samples = 2, .cells = 2};
  Config config = small_config();
  config.batch = 256;
  config.epochs = 3;

  const Outcome outcome = train(request, config, 2);

  CHECK(outcome.history.size() == 6);
  for (const EpochRecord& r : outcome.history) {
    CHECK(std::isfinite(r.validation.loss));
    CHECK(std::isfinite(r.losses[0]));
  }
}

TEST_CASE("transbrain training: without limits to begin with there are always a best-valid and a best-rank model") {
  Config config = small_config();
  config.epochs = 2;
  config.learning_rate = 1e-9;  // learns nothing: the loss stays at ln 24 = 3.18
  Config limited = config;
  limited.worst_kept_loss = 3.0;
  limited.worst_kept_rank = 0.5;

  const Outcome open = train(kSmallRegions, config, 2), closed = train(kSmallRegions, limited, 2);

  CHECK(open.best_valid.met == std::vector<bool>{true, true});
  CHECK(open.best_rank.met == std::vector<bool>{true, true});
  CHECK(closed.best_valid.met == std::vector<bool>{false, false});
  CHECK(closed.best_rank.met == std::vector<bool>{false, false});
}

TEST_CASE("transbrain training: where the loss never falls below its limit, patience ends the run") {
  Config config = small_config();
  config.learning_rate = 1e-9;
  config.worst_kept_loss = 2.0;

  const Outcome outcome = train(kSmallRegions, config, 1);

  CHECK(outcome.history.size() == 5);
}

TEST_CASE("transbrain training: the rate falls once every so many epochs") {
  Config config = small_config();
  config.epochs = 5;
  config.lr_decay_epochs = 2;
  config.patience = 0;

  const Outcome outcome = train(kSmallRegions, config, 1);

  std::vector<double> rates;
  for (const EpochRecord& r : outcome.history) rates.push_back(r.learning_rate);
  // At the end of an epoch the rate of the next one stands: epochs 1-2, 3-4, 5.
  REQUIRE(rates.size() == 5);
  CHECK(rates[0] == doctest::Approx(1e-3));
  CHECK(rates[1] == doctest::Approx(8e-4));
  CHECK(rates[2] == doctest::Approx(8e-4));
  CHECK(rates[3] == doctest::Approx(6.4e-4));
}

TEST_CASE("transbrain training: a repeat of a joint run has the bits of a run of its own") {
  Config config = small_config();
  config.epochs = 3;

  const Outcome joint = train(kSmallRegions, config, 3, 10), alone = train(kSmallRegions, config, 1, 12);

  for (std::size_t i = 0; i < alone.last.size(); ++i) {
    CAPTURE(alone.last[i].name);
    const std::size_t bytes = alone.last[i].bytes.size();
    CHECK(std::equal(alone.last[i].bytes.begin(), alone.last[i].bytes.end(),
                     joint.last[i].bytes.begin() + static_cast<std::ptrdiff_t>(2 * bytes)));
  }
}

TEST_CASE("transbrain training: each repeat has a split and a scaler of its own, fitted on its training rows") {
  ThreadPool pool(1);
  const SimulatedRegions s = simulate_regions(kSmallRegions, pool);

  const PreparedRun run = prepare_run(profiles_of(s.training, 300), small_config(), 2, 5, pool);

  CHECK(run.splits[0].train != run.splits[1].train);
  CHECK(run.set.preparations[0].shift != run.set.preparations[1].shift);
  CHECK(run.tasks[1].seed == 6);
  CHECK(run.tasks[1].preparation == 1);
  CHECK(run.tasks[0].train_labels.empty());
  for (const std::size_t g : {0u, 150u, 299u}) {
    double sum = 0;
    for (const std::int64_t row : run.splits[1].train)
      sum += s.training.values[static_cast<std::size_t>(row) * 300 + g];
    CHECK(run.set.preparations[1].shift[g] == doctest::Approx(sum / run.splits[1].train.size()).epsilon(1e-5));
  }
}

TEST_CASE("transbrain training: permuted labels are the same labels in another order, for each repeat anew") {
  ThreadPool pool(1);
  const SimulatedRegions s = simulate_regions(kSmallRegions, pool);
  Config config = small_config();
  config.shuffle_labels = true;

  const PreparedRun run = prepare_run(profiles_of(s.training, 300), config, 2, 5, pool);

  std::vector<std::int32_t> own, permuted = run.tasks[0].train_labels;
  for (const std::int64_t row : run.tasks[0].train) own.push_back(run.set.labels[static_cast<std::size_t>(row)]);
  CHECK(own != permuted);
  CHECK(run.tasks[0].train_labels != run.tasks[1].train_labels);
  std::sort(own.begin(), own.end());
  std::sort(permuted.begin(), permuted.end());
  CHECK(own == permuted);
}

TEST_CASE("transbrain training: regions with a single sample are named, one region alone is refused") {
  ThreadPool pool(1);
  RegionProfiles p;
  p.values = {5, 2, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10}};
  p.regions = {0, 0, 1, 0, 0};
  p.samples = {0, 0, 1, 2, 2};
  p.region_names = {"A", "B"};
  RegionProfiles one = p, lonely = p;
  one.region_names = {"A"};
  one.regions = {0, 0, -1, 0, 0};
  lonely.samples = {0, 0, 1, 0, 0};

  const PreparedRun run = prepare_run(p, small_config(), 1, 1, pool);

  REQUIRE(run.warnings.size() == 1);
  CHECK(contains(run.warnings[0], "1 regions have a single tissue sample"));
  CHECK(contains(run.warnings[0], "no rows to train on: B"));
  CHECK(contains(message_of<RefusedError>([&] { prepare_run(one, small_config(), 1, 1, pool); }), "has 1 regions"));
  CHECK(contains(message_of<RefusedError>([&] { prepare_run(lonely, small_config(), 1, 1, pool); }),
                 "every region has a single tissue sample"));
}

TEST_CASE("transbrain training: embeddings are those of one region alone, never negative, and need the right width") {
  CpuContext ctx;
  ThreadPool pool(1);
  const Network network = make_network({.inputs = 6, .hidden1 = 5, .hidden2 = 5, .hidden3 = 4, .outputs = 3}, 0.1);
  const RegionTable both = {{"a", "b"}, 6, {1, -2, 3, -4, 5, -6, 0.5, 0.25, -1, 1, 2, -2}};
  const RegionTable second = {{"b"}, 6, {0.5, 0.25, -1, 1, 2, -2}};
  std::vector<NamedTensor> weights;
  {
    SimulatedRegions s = simulate_regions({.human_regions = 3, .mouse_regions = 2, .genes = 10}, pool);
    TrainingSet set;
    set.dense = {6, 6, {}};
    for (std::int64_t i = 0; i < 36; ++i) set.dense.value.push_back(s.human.values[static_cast<std::size_t>(i)]);
    set.cells = 6;
    set.labels = {0, 1, 2, 0, 1, 2};
    set.classes = 3;
    set.preparations = {{.shift = std::vector<float>(6, 0.0f), .factor = std::vector<float>(6, 1.0f), .live_genes = 6}};
    std::vector<ReplicaTask> tasks(2);
    for (std::int64_t k = 0; k < 2; ++k) {
      tasks[static_cast<std::size_t>(k)].seed = k;
      tasks[static_cast<std::size_t>(k)].train = {0, 1, 2, 3, 4, 5};
    }
    Trainer trainer(ctx, network, set, tasks, make_trainer_config(network, small_config(), tasks), {});
    weights = trainer.weights();
  }
  RegionEmbedder of_both(ctx, network, 2, both), of_second(ctx, network, 2, second);

  const std::vector<RegionTable> e = of_both.embed(weights), alone = of_second.embed(weights);

  REQUIRE(e.size() == 2);
  CHECK(e[0].width == 4);
  CHECK(e[0].regions == both.regions);
  CHECK(*std::min_element(e[0].values.begin(), e[0].values.end()) >= 0);
  for (std::size_t k = 0; k < 2; ++k)
    for (std::size_t j = 0; j < 4; ++j) CHECK(e[k].values[4 + j] == doctest::Approx(alone[k].values[j]).epsilon(1e-5));
  CHECK(e[0].values != e[1].values);
  CHECK_THROWS_AS(RegionEmbedder(ctx, network, 1, RegionTable{{"a"}, 2, {1, 2}}), ShapeError);
}
