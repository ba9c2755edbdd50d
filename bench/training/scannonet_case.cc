// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "bench/training/step_case.h"
#include "models/class_codes.h"
#include "models/scannonet/discriminant_index.h"
#include "models/scannonet/network.h"
#include "models/simulate.h"

namespace genexx::bench {
namespace {

// Counts become log1p(counts per 10,000), the way every single-cell file does it.
void log_normalize(CsrMatrix& matrix) {
  for (std::int64_t row = 0; row < matrix.rows; ++row) {
    const auto begin = static_cast<std::size_t>(matrix.row_begin[static_cast<std::size_t>(row)]);
    const auto end = static_cast<std::size_t>(matrix.row_begin[static_cast<std::size_t>(row) + 1]);
    double sum = 0;
    for (std::size_t k = begin; k < end; ++k) sum += matrix.value[k];
    for (std::size_t k = begin; k < end; ++k)
      matrix.value[k] = static_cast<float>(std::log1p(1e4 * matrix.value[k] / sum));
  }
}

// The value every absent entry of gene g has is 0; sums over all cells, and over the cells of each class.
struct Moments {
  std::vector<double> mean, square, class_mean;  // [g], [g], [classes, g]
};

Moments moments_of(const TrainingSet& set) {
  const auto genes = static_cast<std::size_t>(set.genes());
  Moments m = {std::vector<double>(genes), std::vector<double>(genes),
               std::vector<double>(genes * static_cast<std::size_t>(set.classes))};
  for (std::int64_t row = 0; row < set.cells; ++row) {
    const std::size_t base = genes * static_cast<std::size_t>(set.labels[static_cast<std::size_t>(row)]);
    for (std::int64_t k = set.data.row_begin[static_cast<std::size_t>(row)];
         k < set.data.row_begin[static_cast<std::size_t>(row) + 1]; ++k) {
      const auto gene = static_cast<std::size_t>(set.data.column[static_cast<std::size_t>(k)]);
      const double value = set.data.value[static_cast<std::size_t>(k)];
      m.mean[gene] += value;
      m.square[gene] += value * value;
      m.class_mean[base + gene] += value;
    }
  }
  const std::vector<std::int64_t> sizes = class_sizes(set.labels, set.classes);
  for (std::size_t g = 0; g < genes; ++g) m.mean[g] /= static_cast<double>(set.cells);
  for (std::size_t i = 0; i < m.class_mean.size(); ++i)
    m.class_mean[i] /= static_cast<double>(std::max<std::int64_t>(sizes[i / genes], 1));
  return m;
}

// z-score over all cells, and the discriminant index of the z-scored genes.
Preparation preparation_of(const TrainingSet& set) {
  const Moments m = moments_of(set);
  const std::vector<std::int64_t> sizes = class_sizes(set.labels, set.classes);
  const auto genes = static_cast<std::size_t>(set.genes());
  const auto cells = static_cast<double>(set.cells);
  Preparation p;
  p.live_genes = set.genes();
  std::vector<scannonet::Scatter> scatter;
  for (std::size_t g = 0; g < genes; ++g) {
    const double total = m.square[g] - cells * m.mean[g] * m.mean[g];
    double between = 0;
    for (std::size_t c = 0; c < sizes.size(); ++c)
      between += static_cast<double>(sizes[c]) * std::pow(m.class_mean[c * genes + g] - m.mean[g], 2);
    const double factor = total > 0 ? std::sqrt(cells / total) : 1.0;
    p.shift.push_back(static_cast<float>(m.mean[g]));
    p.factor.push_back(static_cast<float>(factor));
    p.mask.push_back(1);
    scatter.push_back({between * factor * factor, std::max(total - between, 0.0) * factor * factor});
  }
  for (const double score : scannonet::discriminant_index(scatter, 1.0)) p.index.push_back(static_cast<float>(score));
  return p;
}

// Both phases as the published program runs them.
TrainerConfig trainer_of(const Network& network, std::int64_t batch) {
  TrainerConfig config;
  config.batch = batch;
  config.lr_decay = 0.99;
  config.lr_decay_steps = 20;
  config.phases = {{.name = "pretrain",
                    .epochs = 1,
                    .learning_rate = 0.1,
                    .losses = {scannonet::discriminative(network, 1.0)},
                    .trainable = {"gate."}},
                   {.name = "train",
                    .epochs = 1,
                    .learning_rate = 1e-3,
                    .losses = {scannonet::classification(network), scannonet::discriminative(network, 1000.0),
                               scannonet::collinearity(network, 1.0)}}};
  return config;
}

}  // namespace

StepCase scannonet_case(StepSizes sizes, ThreadPool& pool) {
  fill_in(sizes, {.cells = 4096, .inputs = 2000, .outputs = 10, .batch = 256, .density = 0.15});
  SimulatedCells cells = simulate_cells({.cells = sizes.cells,
                                         .genes = sizes.inputs,
                                         .types = sizes.outputs,
                                         .density = sizes.density,
                                         .type_ratio = 1.0},
                                        pool);
  StepCase c;
  c.sizes = sizes;
  c.set.labels = encode_classes(cells.cell_types).codes;
  c.set.data = std::move(cells.counts);
  c.set.cells = sizes.cells;
  c.set.classes = sizes.outputs;
  log_normalize(c.set.data);
  c.set.preparations.push_back(preparation_of(c.set));
  c.network = [sizes](StepDropout dropout) {
    return scannonet::make_network(sizes.inputs, sizes.outputs, dropout == StepDropout::on ? 0.5 : 0.0);
  };
  c.trainer = [sizes](const Network& network) { return trainer_of(network, sizes.batch); };
  return c;
}

}  // namespace genexx::bench
