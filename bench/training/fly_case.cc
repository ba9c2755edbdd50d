// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <limits>

#include "bench/training/step_case.h"
#include "models/class_codes.h"
#include "models/mlp/network.h"
#include "models/mlp/training.h"
#include "models/simulate.h"

namespace genexx::bench {
namespace {

// Min-max scaling of every gene over all cells; a gene some cell does not have begins at 0.
Preparation min_max(const CsrMatrix& data) {
  const auto genes = static_cast<std::size_t>(data.cols);
  std::vector<float> low(genes, std::numeric_limits<float>::infinity()), high(genes, 0.0f);
  std::vector<std::int64_t> stored(genes, 0);
  for (std::size_t k = 0; k < data.value.size(); ++k) {
    const auto gene = static_cast<std::size_t>(data.column[k]);
    low[gene] = std::min(low[gene], data.value[k]);
    high[gene] = std::max(high[gene], data.value[k]);
    ++stored[gene];
  }
  Preparation p;
  p.live_genes = data.cols;
  for (std::size_t g = 0; g < genes; ++g) {
    p.shift.push_back(stored[g] == data.rows ? low[g] : 0.0f);
    p.factor.push_back(high[g] > p.shift[g] ? 1.0f / (high[g] - p.shift[g]) : 0.0f);
  }
  return p;
}

}  // namespace

StepCase fly_case(StepSizes sizes, ThreadPool& pool) {
  fill_in(sizes,
          {.cells = 512, .inputs = 17000, .outputs = 59, .hidden = 8192, .layers = 2, .batch = 128, .density = 0.07});
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
  for (float& value : c.set.data.value) value = std::log1p(value);
  c.set.preparations.push_back(min_max(c.set.data));
  mlp::Config config;
  mlp::apply_preset(config, "Owens and Swingle");
  config.widths.assign(static_cast<std::size_t>(sizes.layers), sizes.hidden);
  config.batch = sizes.batch;
  config.epochs = 1;
  config.learning_rate = 0.5 / static_cast<double>(sizes.hidden);
  c.network = [sizes, config](StepDropout dropout) {
    mlp::Config own = config;
    if (dropout == StepDropout::off) own.dropout = 0;
    return mlp::make_network(sizes.inputs, sizes.outputs, own);
  };
  c.trainer = [config](const Network& network) { return mlp::make_trainer_config(network, config); };
  return c;
}

}  // namespace genexx::bench
