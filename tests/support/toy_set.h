// SPDX-License-Identifier: Apache-2.0
// A small made-up training set: a few classes with genes of their own, sparse values.
#pragma once

#include <cstdint>

#include "models/training_set.h"

namespace genexx::test {

struct ToySize {
  std::int64_t cells = 120, genes = 40, classes = 4;
};

// One preparation with scattered statistics (no zero shift, no unit factor).
TrainingSet toy_training_set(const ToySize& size, std::uint64_t seed);

// Replica k: seed first_seed + k, cells c with c % 5 == k % 5 for validation, the others for training.
std::vector<ReplicaTask> toy_replicas(const TrainingSet& set, std::int64_t count, std::int64_t first_seed);

}  // namespace genexx::test
