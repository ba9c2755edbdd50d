// SPDX-License-Identifier: Apache-2.0
#include "models/mlp/preparation.h"

#include <doctest/doctest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "engine/error.h"
#include "models/mlp/network.h"
#include "models/mlp/training.h"

using namespace genexx;

namespace {

// 40 cells of two types and 4 without; 5 genes. Gene 0 marks type a, gene 1 type b, gene 2 is everywhere, gene 3
// nowhere, gene 4 in the last cell alone.
struct Cells {
  CsrMatrix matrix;
  std::vector<std::string> genes = {"a1", "b1", "all", "none", "rare"}, labels;

  Cells() {
    matrix.cols = 5;
    for (std::int64_t i = 0; i < 44; ++i) {
      labels.push_back(i >= 40 ? "unknown" : i % 2 == 0 ? "a" : "b");
      add(i % 2 == 0 ? 0 : 1, static_cast<float>(1 + i % 5));
      add(2, static_cast<float>(3 + i % 7));
      if (i == 39) add(4, 9);
      matrix.row_begin.push_back(static_cast<std::int64_t>(matrix.column.size()));
      ++matrix.rows;
    }
  }
  CellInput input() const { return {.matrix = matrix, .genes = genes, .labels = labels, .groups = {}, .batches = {}}; }

 private:
  void add(std::int32_t column, float value) {
    matrix.column.push_back(column);
    matrix.value.push_back(value);
  }
};

}  // namespace

TEST_CASE("mlp: min-max is fitted on the logarithms of the training cells alone") {
  CpuContext ctx;
  const Cells cells;
  mlp::Config config;
  config.min_class_cells = 5;

  const PreparedCells p = mlp::prepare(ctx, cells.input(), config, {.seed = 3});

  REQUIRE(p.classes == std::vector<std::string>{"a", "b"});
  double least = 1e9, most = 0;
  for (const std::int64_t c : p.splits[0].train) {
    const double value = std::log1p(3 + c % 7);
    least = std::min(least, value);
    most = std::max(most, value);
  }
  const std::size_t place = 2;  // of the gene found everywhere, among those in use
  REQUIRE(p.fitted.columns[place] == 2);
  CHECK(p.fitted.recipe.shift[place] == doctest::Approx(least).epsilon(1e-6));
  CHECK(p.fitted.recipe.factor[place] == doctest::Approx(1 / (most - least)).epsilon(1e-6));
  CHECK(p.fitted.recipe.scaling == Recipe::Scaling::min_max);
  CHECK(p.fitted.recipe.log1p);
  CHECK(p.set.data.rows == 44);
  CHECK(p.set.data.value[1] == doctest::Approx(std::log1p(3.0)));
}

TEST_CASE("mlp: cells of unknown types are left out and counted; genes no training cell has are dropped") {
  CpuContext ctx;
  const Cells cells;
  mlp::Config config;
  config.min_class_cells = 5;
  config.min_gene_cells = 2;

  const PreparedCells p = mlp::prepare(ctx, cells.input(), config, {});

  CHECK(mlp::labelled_cells(cells.input(), config) == 40);
  REQUIRE(p.warnings.size() >= 1);
  CHECK(p.warnings[0].rfind("4 cells left out: their label means no known type", 0) == 0);
  CHECK(p.fitted.columns == std::vector<std::int64_t>{0, 1, 2});
  for (const CellSplit& s : p.splits)
    for (const auto* part : {&s.train, &s.validation, &s.test})
      for (const std::int64_t c : *part) CHECK(c < 40);
}

TEST_CASE("mlp: folds share the rows and have statistics of their own") {
  CpuContext ctx;
  const Cells cells;
  mlp::Config config;
  config.min_class_cells = 5;

  const PreparedCells p = mlp::prepare(ctx, cells.input(), config, {.folds = 4});

  CHECK(p.splits.size() == 4);
  CHECK(p.set.preparations.size() == 4);
  CHECK(p.set.rows() == p.set.cells);
  CHECK(p.fitted.recipe.replicas() == 4);
}

TEST_CASE("mlp: a matrix of zeros is refused") {
  CpuContext ctx;
  Cells cells;
  for (float& v : cells.matrix.value) v = 0;
  mlp::Config config;
  config.min_class_cells = 5;

  CHECK_THROWS_WITH_AS(mlp::prepare(ctx, cells.input(), config, {}), doctest::Contains("no gene is found in 1"),
                       RefusedError);
}

TEST_CASE("mlp: the network has batch norm, activation and dropout after every layer but the output") {
  mlp::Config config;
  config.widths = {7, 3};
  config.activation = "tanh";

  const Network n = mlp::make_network(5, 2, config);

  std::vector<NodeKind> kinds;
  for (const NodeSpec& node : n.nodes()) kinds.push_back(node.kind);
  const std::vector<NodeKind> hidden = {NodeKind::linear, NodeKind::batch_norm, NodeKind::tanh, NodeKind::dropout};
  std::vector<NodeKind> expected = {NodeKind::input};
  for (int k = 0; k < 2; ++k) expected.insert(expected.end(), hidden.begin(), hidden.end());
  expected.push_back(NodeKind::linear);
  CHECK(kinds == expected);
  // 5 7 + 7, 4 7 of batch norm, 7 3 + 3, 4 3, 3 2 + 2.
  CHECK(n.parameter_count() == 42 + 28 + 24 + 12 + 8);
  CHECK(Network::from_json(n.to_json()).to_json() == n.to_json());
}

TEST_CASE("mlp: what is left open follows the number of cells") {
  const mlp::Config small = mlp::resolved({}, 180), large = mlp::resolved({}, 20679);

  CHECK(small.min_class_cells == 5);
  CHECK(small.widths == std::vector<std::int64_t>{1024, 1024});
  CHECK(small.batch == 32);
  CHECK(large.min_class_cells == 50);
  CHECK(large.widths == std::vector<std::int64_t>{8192, 8192});
  CHECK(large.batch == 128);
  CHECK(large.learning_rate < small.learning_rate);
  CHECK(small.epochs == 300);
  CHECK(large.epochs == 30);
}

TEST_CASE("mlp: the field that is out of range is named") {
  mlp::Config config;
  config.widths = {0};
  CHECK_THROWS_WITH_AS(mlp::check(config), doctest::Contains("network.widths is [... 0 ...]"), UsageError);
  config = {};
  config.test_fraction = 0.9;
  CHECK_THROWS_WITH_AS(mlp::check(config), doctest::Contains("split.validation + split.test"), UsageError);
  CHECK_THROWS_WITH_AS(mlp::apply_preset(config, "Davie"), doctest::Contains("Owens and Swingle"), UsageError);
}

TEST_CASE("mlp: genes come in the order wanted, those without a place last, with their statistics") {
  CpuContext ctx;
  const Cells cells;
  const std::vector<std::int64_t> rank = {2, 7, -1, 0, 1};
  CellInput input = cells.input();
  input.gene_rank = rank;
  mlp::Config config;
  config.min_class_cells = 5;

  const PreparedCells plain = mlp::prepare(ctx, cells.input(), config, {.seed = 3}),
                      ordered = mlp::prepare(ctx, input, config, {.seed = 3});

  std::vector<std::string> expected = {"rare", "a1", "b1", "all"};
  if (plain.fitted.columns.size() == 3) expected.erase(expected.begin());  // "rare" is in no training cell
  CHECK(ordered.fitted.recipe.gene_ids == expected);
  CHECK(ordered.fitted.recipe.factor.back() == plain.fitted.recipe.factor[2]);  // of "all"
  CHECK(ordered.set.data.nnz() == plain.set.data.nnz());
}

TEST_CASE("mlp: synthetic cells are learned from, and nothing else is told of them") {
  CpuContext ctx;
  Cells cells;
  for (std::size_t i = 8; i < 40; i += 2) cells.labels[i] = "b";  // 4 of a, 36 of b
  mlp::Config config;
  config.min_class_cells = 3;
  config.augment_share = 0.5;
  config.augment_keep = 0.5;
  config.library_size = true;

  const PreparedCells p = mlp::prepare(ctx, cells.input(), config, {.folds = 2, .seed = 3});
  const std::vector<ReplicaTask> tasks = mlp::make_tasks(p, 1, 5, config);

  REQUIRE(p.synthetic_begin.size() == 3);
  CHECK(p.synthetic_begin[0] == 44);
  CHECK(p.synthetic_begin[2] == p.set.cells);
  CHECK(p.set.data.rows == 2 * p.set.cells);  // each fold has library sizes of its own
  for (const CellSplit& split : p.splits)
    for (const auto* list : {&split.train, &split.validation, &split.test})
      for (const std::int64_t c : *list) CHECK(c < 44);
  CHECK(tasks[0].train.size() ==
        p.splits[0].train.size() + static_cast<std::size_t>(p.synthetic_begin[1] - p.synthetic_begin[0]));
  CHECK(tasks[0].train.back() == p.synthetic_begin[1] - 1);
  CHECK(p.set.labels[static_cast<std::size_t>(tasks[0].train.back())] == 0);
}

TEST_CASE("mlp: replicas learn from the same synthetic cells, whose statistics are not counted") {
  CpuContext ctx;
  Cells cells;
  for (std::size_t i = 8; i < 40; i += 2) cells.labels[i] = "b";
  mlp::Config config;
  config.min_class_cells = 3;
  const PreparedCells plain = mlp::prepare(ctx, cells.input(), config, {.seed = 3});
  config.augment_share = 1;
  config.augment_mix_up = 0.4;

  const PreparedCells p = mlp::prepare(ctx, cells.input(), config, {.seed = 3});
  const std::vector<ReplicaTask> tasks = mlp::make_tasks(p, 2, 5, config);

  CHECK(tasks[0].train == tasks[1].train);
  CHECK(p.fitted.recipe.shift == plain.fitted.recipe.shift);
  CHECK(p.fitted.recipe.factor == plain.fitted.recipe.factor);
  CHECK(p.splits[0].train == plain.splits[0].train);
  CHECK(p.set.data.rows == p.set.cells);
}

TEST_CASE("mlp: augmentation that cannot be is named") {
  CpuContext ctx;
  const Cells cells;
  CellInput input = cells.input();
  input.input = Recipe::InputKind::log_normalized;
  mlp::Config config;
  config.min_class_cells = 5;
  config.augment_share = 1;
  config.augment_keep = 0.5;

  CHECK_THROWS_WITH_AS(mlp::prepare(ctx, input, config, {}), doctest::Contains("augment.keep thins counts"),
                       RefusedError);
  mlp::check(config);
  config.augment_keep = 1;
  CHECK_THROWS_WITH_AS(mlp::check(config), doctest::Contains("augment.share is 1"), UsageError);
  config.augment_share = 0;
  config.augment_mix_up = 1;
  CHECK_THROWS_WITH_AS(mlp::check(config), doctest::Contains("expected above 0 together with"), UsageError);
}

TEST_CASE("mlp: convolutions come before the hidden layers, each with norm, activation and pool") {
  mlp::Config config;
  config.widths = {6};
  config.dropout = 0;
  config.conv_channels = {4, 3};
  config.conv_width = {5, 3};
  config.conv_pool = {2, 1};
  config.conv_pooling = "average";
  mlp::check(config);

  const Network n = mlp::make_network(20, 2, config);

  std::vector<std::string> names;
  for (const NodeSpec& node : n.nodes()) names.push_back(node.name);
  CHECK(names == std::vector<std::string>{"genes", "convolution.0", "convolution.0.norm", "relu_3", "average_pool_4",
                                          "convolution.1", "convolution.1.norm", "relu_7", "hidden.0", "hidden.0.norm",
                                          "relu_10", "output"});
  CHECK(n.nodes()[8].width == 6);
  CHECK(n.parameters()[12].shape == std::vector<std::int64_t>{6, 30});  // 10 positions of 3 channels
  config.conv_width = {5, 3, 1};
  CHECK_THROWS_WITH_AS(mlp::check(config), doctest::Contains("network.convolution.width is a list of 3"), UsageError);
  config.conv_width = {0};
  CHECK_THROWS_WITH_AS(mlp::check(config), doctest::Contains("network.convolution.width is [... 0 ...]"), UsageError);
}
