// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "bench/training/step_case.h"
#include "models/random_stream.h"
#include "models/transbrain/network.h"
#include "models/transbrain/training.h"

namespace genexx::bench {
namespace {

constexpr std::uint32_t kRegionStream = 0x7374626eu, kCellStream = 0x73746263u;

// z-scored profiles: what a region's cells share, and noise.
DenseMatrix profiles(const StepSizes& s, const std::vector<std::int32_t>& labels, ThreadPool& pool) {
  DenseMatrix x;
  x.rows = s.cells;
  x.cols = s.inputs;
  x.value.resize(static_cast<std::size_t>(s.cells * s.inputs));
  const auto fill = [&](std::int64_t i) {
    RandomStream region(0, kRegionStream, labels[static_cast<std::size_t>(i)]), cell(0, kCellStream, i);
    for (std::int64_t j = 0; j < s.inputs; ++j)
      x.value[static_cast<std::size_t>(i * s.inputs + j)] =
          static_cast<float>(std::sqrt(0.3) * region.normal() + std::sqrt(0.7) * cell.normal());
  };
  pool.run(s.cells, fill);
  return x;
}

}  // namespace

StepCase transbrain_case(StepSizes sizes, ThreadPool& pool) {
  fill_in(sizes, {.cells = 4096, .inputs = 4542, .outputs = 105, .hidden = 500, .layers = 3, .batch = 256});
  StepCase c;
  c.sizes = sizes;
  for (std::int64_t i = 0; i < sizes.cells; ++i) c.set.labels.push_back(static_cast<std::int32_t>(i % sizes.outputs));
  c.set.dense = profiles(sizes, c.set.labels, pool);
  c.set.cells = sizes.cells;
  c.set.classes = sizes.outputs;
  Preparation p;
  p.live_genes = sizes.inputs;
  p.shift.assign(static_cast<std::size_t>(sizes.inputs), 0.0f);
  p.factor.assign(static_cast<std::size_t>(sizes.inputs), 1.0f);
  c.set.preparations.push_back(std::move(p));
  transbrain::Config config;
  config.batch = sizes.batch;
  config.epochs = 1;
  config.lr_decay = 1;
  c.network = [sizes, config](StepDropout dropout) {
    const transbrain::NetworkShape shape = {sizes.inputs, sizes.hidden, sizes.hidden, sizes.hidden, sizes.outputs};
    return transbrain::make_network(shape, dropout == StepDropout::on ? config.dropout : 0.0);
  };
  c.trainer = [sizes, config](const Network& network) {
    ReplicaTask every_cell;
    every_cell.train.resize(static_cast<std::size_t>(sizes.cells));
    return transbrain::make_trainer_config(network, config, {every_cell});
  };
  return c;
}

}  // namespace genexx::bench
