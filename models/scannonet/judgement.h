// SPDX-License-Identifier: Apache-2.0
// What came of a training run: models of its weights, and how good they are on every part of the data.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/context.h"
#include "models/metrics.h"
#include "models/model.h"
#include "models/scannonet/preparation.h"
#include "models/training_set.h"

namespace genexx::scannonet {

// The model of replicas [first, first + count) of `weights`, which share the preparation `preparation`.
Model make_model(const Network& network, const Prepared& prepared, const std::vector<NamedTensor>& weights,
                 std::int64_t first, std::int64_t count, std::size_t preparation);

struct Judged {
  std::vector<ClassificationMetrics> train, validation, test;  // of each replica
  std::vector<std::int64_t> test_cells;                        // ascending; with folds all cells that were held out
  std::vector<float> probability;  // [test_cells, classes], mean over the replicas that saw none of them
  // [split][class][gene] mean over the class's test cells, first replica of the split; NaN where the class has none or
  // the split did not select the gene.
  std::vector<std::vector<std::vector<double>>> gate;
  std::vector<float> validation_probability;  // [validation cells of split 0, classes], mean over replicas
};

// Applies every replica to the parts of its split.
Judged judge(Context& ctx, const Network& network, const Prepared& prepared, const std::vector<ReplicaTask>& tasks,
             const std::vector<NamedTensor>& weights);

// The class of the largest probability of each row, the first of equal ones. `probability` [rows, classes].
std::vector<std::int32_t> most_probable(const std::vector<float>& probability, std::int64_t classes);

}  // namespace genexx::scannonet
