// SPDX-License-Identifier: Apache-2.0
#include "tests/support/toy_set.h"

#include "engine/philox.h"
#include "models/sampler.h"

namespace genexx::test {
namespace {

float uniform(std::uint64_t seed, std::uint32_t stream, std::int64_t i, std::int64_t j) {
  return philox_uniform(
      philox(philox_key(seed, stream), {static_cast<std::uint32_t>(i), static_cast<std::uint32_t>(j), 0, 0}).x);
}

}  // namespace

TrainingSet toy_training_set(const ToySize& size, std::uint64_t seed) {
  TrainingSet set;
  set.cells = size.cells;
  set.classes = size.classes;
  set.data.rows = size.cells;
  set.data.cols = size.genes;
  for (std::int64_t i = 0; i < size.cells; ++i) {
    const std::int64_t k = i % size.classes;
    set.labels.push_back(static_cast<std::int32_t>(k));
    for (std::int64_t g = 0; g < size.genes; ++g) {
      const bool marker = g % size.classes == k;
      if (uniform(seed, 1, i, g) > (marker ? 0.9f : 0.2f)) continue;
      set.data.column.push_back(static_cast<std::int32_t>(g));
      set.data.value.push_back(0.5f + 2.0f * uniform(seed, 2, i, g));
    }
    set.data.row_begin.push_back(static_cast<std::int64_t>(set.data.column.size()));
  }
  Preparation p;
  p.live_genes = size.genes;
  for (std::int64_t g = 0; g < size.genes; ++g) {
    p.shift.push_back(0.3f + uniform(seed, 3, g, 0));
    p.factor.push_back(0.7f + uniform(seed, 4, g, 0));
    p.index.push_back(uniform(seed, 5, g, 0));
    p.mask.push_back(1);
  }
  set.preparations.push_back(p);
  return set;
}

std::vector<ReplicaTask> toy_replicas(const TrainingSet& set, std::int64_t count, std::int64_t first_seed) {
  std::vector<ReplicaTask> all;
  for (std::int64_t k = 0; k < count; ++k) {
    ReplicaTask task;
    task.seed = first_seed + k;
    for (std::int64_t c = 0; c < set.cells; ++c) (c % 5 == k % 5 ? task.validation : task.train).push_back(c);
    std::vector<std::int32_t> labels;
    for (const std::int64_t c : task.train) labels.push_back(set.labels[static_cast<std::size_t>(c)]);
    task.cell_weights = oversampling_weights(labels);
    all.push_back(std::move(task));
  }
  return all;
}

}  // namespace genexx::test
