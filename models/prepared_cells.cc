// SPDX-License-Identifier: Apache-2.0
#include "models/prepared_cells.h"

#include <algorithm>
#include <numeric>

#include "engine/error.h"
#include "models/folds.h"
#include "models/library_size.h"
#include "models/sampler.h"

namespace genexx {
namespace {

// Position of each column of a matrix in `columns`, -1 where it is not.
std::vector<std::int32_t> positions(const std::vector<std::int64_t>& columns, std::int64_t cols) {
  std::vector<std::int32_t> at(static_cast<std::size_t>(cols), -1);
  for (std::size_t i = 0; i < columns.size(); ++i)
    at[static_cast<std::size_t>(columns[i])] = static_cast<std::int32_t>(i);
  return at;
}

void append(CsrMatrix block, CsrMatrix& all) {
  if (all.rows == 0) {
    all = std::move(block);
    return;
  }
  const std::int64_t before = all.nnz();
  for (std::size_t i = 1; i < block.row_begin.size(); ++i) all.row_begin.push_back(before + block.row_begin[i]);
  all.column.insert(all.column.end(), block.column.begin(), block.column.end());
  all.value.insert(all.value.end(), block.value.begin(), block.value.end());
  all.rows += block.rows;
}

// The statistics of replica `k` as the trainer takes them.
Preparation preparation_of(const FittedRecipe& fitted, std::size_t k) {
  const Recipe& r = fitted.recipe;
  const auto genes = static_cast<std::ptrdiff_t>(fitted.columns.size()), at = static_cast<std::ptrdiff_t>(k) * genes;
  Preparation p;
  p.shift.assign(r.shift.begin() + at, r.shift.begin() + at + genes);
  p.factor.assign(r.factor.begin() + at, r.factor.begin() + at + genes);
  if (!fitted.index.empty()) p.index.assign(fitted.index.begin() + at, fitted.index.begin() + at + genes);
  p.live_genes = genes;
  if (r.mask.empty()) return p;
  p.mask.assign(r.mask.begin() + at, r.mask.begin() + at + genes);
  p.live_genes = std::count(p.mask.begin(), p.mask.end(), 1.0f);
  return p;
}

}  // namespace

std::vector<CellSplit> make_splits(const CellInput& input, const std::vector<std::int32_t>& codes,
                                   const SplitPlan& plan, const PreparationOptions& options) {
  if (options.folds > 0)
    return make_folds({.classes = codes,
                       .groups = input.groups,
                       .folds = options.folds,
                       .validation_fraction = plan.validation,
                       .seed = options.seed});
  if (options.test_cells == TestCells::none)
    return {stratified_split({.classes = codes,
                              .groups = input.groups,
                              .fractions = {.train = 1.0 - plan.validation, .validation = plan.validation, .test = 0},
                              .seed = options.seed})};
  if (plan.kind == SplitPlan::Kind::leading)
    return {leading_test_split({.classes = codes,
                                .test_cells = plan.leading_test_cells,
                                .validation_fraction = plan.validation,
                                .last_cell = plan.last_cell,
                                .seed = options.seed})};
  if (plan.kind == SplitPlan::Kind::batch) {
    if (input.batches.empty())
      throw UsageError("split.kind is batch: say which column holds the batch, with --batch COLUMN");
    return {batch_split(
        {.classes = codes, .batches = input.batches, .validation_fraction = plan.validation, .seed = options.seed})};
  }
  const SplitRequest request = {
      .classes = codes,
      .groups = input.groups,
      .fractions = {.train = 1.0 - plan.validation - plan.test, .validation = plan.validation, .test = plan.test},
      .seed = options.seed};
  return {plan.kind == SplitPlan::Kind::random ? random_split(request) : stratified_split(request)};
}

TrainingSet make_training_set(const CsrMatrix& matrix, const FittedRecipe& fitted, CellClasses classes,
                              const SyntheticCells& synthetic) {
  TrainingSet set;
  set.cells = matrix.rows + synthetic.count();
  set.labels = std::move(classes.labels);
  set.labels.insert(set.labels.end(), synthetic.labels.begin(), synthetic.labels.end());
  set.classes = static_cast<std::int64_t>(classes.count);
  const std::vector<std::int32_t> gene = positions(fitted.columns, matrix.cols);
  const std::vector<std::int32_t> library = positions(fitted.library, matrix.cols);
  const Logarithm logarithm = fitted.recipe.log1p ? Logarithm::yes : Logarithm::no;
  const bool shared = fitted.recipe.target_sum.empty();  // without library sizes all replicas normalise alike
  for (std::int64_t k = 0; k < fitted.recipe.replicas(); ++k) {
    const auto rows_of = [&](const CsrMatrix& cells) {
      const std::vector<float> factors = library_factors(cells, fitted.recipe, k, library);
      return normalised(cells, gene, fitted.recipe.genes(), factors, logarithm);
    };
    if (k == 0 || !shared) {
      append(rows_of(matrix), set.data);
      if (synthetic.count() > 0) {
        CsrMatrix parents = rows_of(synthetic.parents);
        append(synthetic.weight.empty() ? std::move(parents) : mixed(parents, synthetic.weight), set.data);
      }
    }
    set.preparations.push_back(preparation_of(fitted, static_cast<std::size_t>(k)));
  }
  return set;
}

std::vector<ReplicaTask> replicas_of(const PreparedCells& prepared, std::int64_t replicas, std::int64_t seed) {
  std::vector<ReplicaTask> tasks;
  for (std::int64_t k = 0; k < replicas; ++k) {
    const std::int64_t split = std::min(k, static_cast<std::int64_t>(prepared.splits.size()) - 1);
    const CellSplit& s = prepared.splits[static_cast<std::size_t>(split)];
    tasks.push_back({.seed = seed + k, .preparation = split, .train = s.train, .validation = s.validation});
    if (prepared.synthetic_begin.empty()) continue;
    std::vector<std::int64_t>& train = tasks.back().train;
    const std::int64_t first = prepared.synthetic_begin[static_cast<std::size_t>(split)];
    train.resize(s.train.size() +
                 static_cast<std::size_t>(prepared.synthetic_begin[static_cast<std::size_t>(split) + 1] - first));
    std::iota(train.begin() + static_cast<std::ptrdiff_t>(s.train.size()), train.end(), first);
  }
  return tasks;
}

void balance_classes(const TrainingSet& set, std::vector<ReplicaTask>& tasks) {
  for (ReplicaTask& task : tasks) {
    std::vector<std::int32_t> labels;
    for (const std::int64_t c : task.train) labels.push_back(set.labels[static_cast<std::size_t>(c)]);
    task.cell_weights = oversampling_weights(labels);
  }
}

void weigh_classes(const TrainingSet& set, std::vector<ReplicaTask>& tasks) {
  for (ReplicaTask& task : tasks) {
    std::vector<double> cells(static_cast<std::size_t>(set.classes), 0.0);
    for (const std::int64_t c : task.train)
      if (const std::int32_t label = set.labels[static_cast<std::size_t>(c)]; label >= 0)
        cells[static_cast<std::size_t>(label)] += 1;
    const double all = std::accumulate(cells.begin(), cells.end(), 0.0);
    task.class_weights.clear();
    for (const double n : cells)
      task.class_weights.push_back(n > 0 ? static_cast<float>(all / (static_cast<double>(set.classes) * n)) : 0.0f);
  }
}

}  // namespace genexx
