// SPDX-License-Identifier: Apache-2.0
#include "models/classification.h"

#include <algorithm>
#include <limits>
#include <map>

#include "models/csr_rows.h"
#include "models/predictor.h"
#include "models/training_memory.h"

namespace genexx {
namespace {

std::vector<NamedTensor> slice(const std::vector<NamedTensor>& weights, std::int64_t first, std::int64_t count) {
  std::vector<NamedTensor> out;
  for (const NamedTensor& w : weights) {
    NamedTensor t = w;
    const auto each = static_cast<std::ptrdiff_t>(w.bytes.size() / static_cast<std::size_t>(w.shape[0]));
    t.shape[0] = count;
    t.bytes.assign(w.bytes.begin() + first * each, w.bytes.begin() + (first + count) * each);
    out.push_back(std::move(t));
  }
  return out;
}

CsrMatrix rows_of(const TrainingSet& set, const std::vector<std::int64_t>& cells, std::int64_t preparation) {
  std::vector<std::int64_t> rows;
  for (const std::int64_t cell : cells) rows.push_back(set.row_of(preparation, cell));
  return csr_rows(set.data, rows);
}

std::vector<std::int32_t> labels_of(const TrainingSet& set, const std::vector<std::int64_t>& cells) {
  std::vector<std::int32_t> labels;
  for (const std::int64_t c : cells) labels.push_back(set.labels[static_cast<std::size_t>(c)]);
  return labels;
}

// Metrics of each replica of one model on some cells; adds the mean probabilities to `mean` where it is given.
std::vector<ClassificationMetrics> measure(Predictor& predictor, const PreparedCells& prepared,
                                           const std::vector<std::int64_t>& cells, std::size_t preparation,
                                           std::int64_t replicas, std::vector<float>* mean) {
  const std::int64_t classes = prepared.set.classes, size = static_cast<std::int64_t>(cells.size()) * classes;
  const CsrMatrix rows = rows_of(prepared.set, cells, static_cast<std::int64_t>(preparation));
  const std::vector<float> all = predictor.replica_probabilities(rows);
  const std::vector<std::int32_t> truth = labels_of(prepared.set, cells);
  std::vector<ClassificationMetrics> metrics;
  for (std::int64_t r = 0; r < replicas; ++r) {
    const std::vector<float> own(all.begin() + r * size, all.begin() + (r + 1) * size);
    const std::vector<std::int32_t> predicted = most_probable(own, classes);
    metrics.push_back(
        classification_metrics({.classes = classes, .truth = truth, .predicted = predicted, .probability = own}));
  }
  for (std::int64_t i = 0; mean && i < size; ++i) {
    double sum = 0;
    for (std::int64_t r = 0; r < replicas; ++r) sum += all[static_cast<std::size_t>(r * size + i)];
    mean->push_back(static_cast<float>(sum / static_cast<double>(replicas)));
  }
  return metrics;
}

bool has_gate(const Network& network) {
  return std::any_of(network.nodes().begin(), network.nodes().end(),
                     [](const NodeSpec& n) { return n.kind == NodeKind::gate; });
}

std::vector<std::vector<double>> mean_gates(Predictor& predictor, const Network& network, const PreparedCells& prepared,
                                            const std::vector<std::int64_t>& cells, std::size_t preparation) {
  const CsrMatrix rows = rows_of(prepared.set, cells, static_cast<std::int64_t>(preparation));
  const std::vector<float> gate = predictor.values(rows, 0, network.find("gate"), 1);
  const auto genes = static_cast<std::size_t>(prepared.set.genes());
  std::vector<std::vector<double>> mean(static_cast<std::size_t>(prepared.set.classes),
                                        std::vector<double>(genes, 0.0));
  std::vector<double> count(mean.size(), 0.0);
  const std::vector<std::int32_t> labels = labels_of(prepared.set, cells);
  for (std::size_t i = 0; i < labels.size(); ++i) {
    if (labels[i] < 0) continue;
    const auto k = static_cast<std::size_t>(labels[i]);
    count[k] += 1;
    for (std::size_t g = 0; g < genes; ++g) mean[k][g] += gate[i * genes + g];
  }
  const std::vector<float>& mask = prepared.set.preparations[preparation].mask;
  for (std::size_t k = 0; k < mean.size(); ++k)
    for (std::size_t g = 0; g < genes; ++g)
      mean[k][g] = count[k] > 0 && mask[g] > 0 ? mean[k][g] / count[k] : std::numeric_limits<double>::quiet_NaN();
  return mean;
}

// Puts rows given in any order of cells into ascending order.
void sort_rows(std::vector<std::int64_t>& cells, std::vector<float>& probability, std::int64_t classes) {
  std::map<std::int64_t, std::size_t> place;
  for (std::size_t i = 0; i < cells.size(); ++i) place[cells[i]] = i;
  std::vector<float> sorted;
  cells.clear();
  for (const auto& [cell, row] : place) {
    cells.push_back(cell);
    const auto begin = probability.begin() + static_cast<std::ptrdiff_t>(row) * classes;
    sorted.insert(sorted.end(), begin, begin + classes);
  }
  probability = std::move(sorted);
}

void append(std::vector<ClassificationMetrics>& all, std::vector<ClassificationMetrics> more) {
  all.insert(all.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
}

}  // namespace

std::vector<std::int32_t> most_probable(const std::vector<float>& probability, std::int64_t classes) {
  std::vector<std::int32_t> out;
  for (auto row = probability.begin(); row != probability.end(); row += classes)
    out.push_back(static_cast<std::int32_t>(std::max_element(row, row + classes) - row));
  return out;
}

Model make_model(const std::string& system, const Network& network, const PreparedCells& prepared,
                 const std::vector<NamedTensor>& weights, std::int64_t first, std::int64_t count,
                 std::size_t preparation) {
  Model m;
  m.system = system;
  m.network = network;
  m.recipe = recipe_of(prepared.fitted.recipe, static_cast<std::int64_t>(preparation));
  m.classes = prepared.classes;
  m.replicas = count;
  m.weights = slice(weights, first, count);
  return m;
}

Judged judge(Context& ctx, const Network& network, const PreparedCells& prepared, const std::vector<ReplicaTask>& tasks,
             const std::vector<NamedTensor>& weights) {
  Judged out;
  // Replicas of one preparation follow one another.
  for (std::size_t first = 0; first < tasks.size();) {
    const auto preparation = static_cast<std::size_t>(tasks[first].preparation);
    std::size_t last = first;
    while (last < tasks.size() && tasks[last].preparation == tasks[first].preparation) ++last;
    const auto count = static_cast<std::int64_t>(last - first);
    const Model model =
        make_model("", network, prepared, weights, static_cast<std::int64_t>(first), count, preparation);
    Predictor predictor(ctx, model, {});
    const CellSplit& split = prepared.splits[preparation];
    append(out.train, measure(predictor, prepared, split.train, preparation, count, nullptr));
    append(out.validation, measure(predictor, prepared, split.validation, preparation, count,
                                   first == 0 ? &out.validation_probability : nullptr));
    append(out.test, measure(predictor, prepared, split.test, preparation, count, &out.probability));
    out.test_cells.insert(out.test_cells.end(), split.test.begin(), split.test.end());
    if (has_gate(network)) out.gate.push_back(mean_gates(predictor, network, prepared, split.test, preparation));
    first = last;
  }
  sort_rows(out.test_cells, out.probability, prepared.set.classes);
  return out;
}

std::int64_t estimate_training_bytes(const Network& network, const PreparedCells& prepared,
                                     const std::vector<ReplicaTask>& tasks, const TrainerConfig& config,
                                     std::int64_t threads) {
  const std::int64_t together =
      std::count_if(tasks.begin(), tasks.end(), [](const ReplicaTask& task) { return task.preparation == 0; });
  std::int64_t cells = 0;
  for (const ReplicaTask& task : tasks) cells = std::max(cells, static_cast<std::int64_t>(task.train.size()));
  const std::int64_t weights = 4 * static_cast<std::int64_t>(tasks.size()) * network.parameter_count();
  // The rows of the largest part and the probabilities of each of its replicas, copied once to be judged.
  const std::int64_t rows = 8 * prepared.set.data.nnz() / static_cast<std::int64_t>(prepared.splits.size());
  const std::int64_t judging = 2 * weights + threads * Predictor::bytes_per_thread(network, together) + rows +
                               8 * cells * prepared.set.classes * together;
  return std::max(estimate_trainer_bytes(network, tasks, config), judging);
}

}  // namespace genexx
