// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "bench/training/step_case.h"
#include "models/dgex/training.h"
#include "models/simulate.h"

namespace genexx::bench {
namespace {

// Mean 0 and deviation 1 of every column.
void standardise(std::vector<float>& values, std::int64_t rows, std::int64_t cols) {
  for (std::int64_t j = 0; j < cols; ++j) {
    double sum = 0, squares = 0;
    for (std::int64_t i = 0; i < rows; ++i) sum += values[static_cast<std::size_t>(i * cols + j)];
    const double mean = sum / static_cast<double>(rows);
    for (std::int64_t i = 0; i < rows; ++i)
      squares += std::pow(values[static_cast<std::size_t>(i * cols + j)] - mean, 2);
    const double deviation = std::sqrt(squares / static_cast<double>(rows)) + 1e-3;
    for (std::int64_t i = 0; i < rows; ++i) {
      float& x = values[static_cast<std::size_t>(i * cols + j)];
      x = static_cast<float>((x - mean) / deviation);
    }
  }
}

}  // namespace

StepCase dgex_case(StepSizes sizes, ThreadPool& pool) {
  fill_in(sizes, {.cells = 2000, .inputs = 943, .outputs = 4760, .hidden = 3000, .layers = 3, .batch = 200});
  const LandmarkSimulator simulator({.samples = sizes.cells, .landmarks = sizes.inputs, .targets = sizes.outputs},
                                    pool);
  const std::int64_t genes = sizes.inputs + sizes.outputs;
  std::vector<float> values(static_cast<std::size_t>(sizes.cells * genes));
  simulator.fill(0, sizes.cells, values.data());
  standardise(values, sizes.cells, genes);
  StepCase c;
  c.sizes = sizes;
  c.set.cells = sizes.cells;
  c.set.dense.rows = c.set.targets.rows = sizes.cells;
  c.set.dense.cols = sizes.inputs;
  c.set.targets.cols = sizes.outputs;
  for (std::int64_t i = 0; i < sizes.cells; ++i) {
    const auto row = values.begin() + i * genes;
    c.set.dense.value.insert(c.set.dense.value.end(), row, row + sizes.inputs);
    c.set.targets.value.insert(c.set.targets.value.end(), row + sizes.inputs, row + genes);
  }
  Preparation p;
  p.live_genes = sizes.inputs;
  p.shift.assign(static_cast<std::size_t>(sizes.inputs), 0.0f);
  p.factor.assign(static_cast<std::size_t>(sizes.inputs), 1.0f);
  c.set.preparations.push_back(std::move(p));
  dgex::Config config;
  config.layers = sizes.layers;
  config.hidden = sizes.hidden;
  config.batch = sizes.batch;
  config.epochs = 1;
  config.lr_decay = 1;
  c.network = [sizes, config](StepDropout dropout) {
    dgex::Config own = config;
    if (dropout == StepDropout::off) own.dropout = 0;
    return dgex::make_network(sizes.inputs, sizes.outputs, own);
  };
  c.trainer = [config](const Network& network) {
    TrainerConfig trainer = dgex::make_trainer_config(network, {}, config);
    trainer.phases[0].rate_on_rise = {};
    return trainer;
  };
  return c;
}

}  // namespace genexx::bench
