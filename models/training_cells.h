// SPDX-License-Identifier: Apache-2.0
// The cells each replica of a lane draws its batches from, on the device: which ones, how often, under which labels.
#pragma once

#include <vector>

#include "engine/context.h"
#include "engine/tensor.h"
#include "models/session.h"
#include "models/training_set.h"

namespace genexx {

class TrainingCells {
 public:
  // `labels` are those of every row of the set's data, on the device; absent in regression.
  TrainingCells(Context& ctx, const TrainingSet& set, const std::vector<ReplicaTask>& tasks, const ConstTensor& labels);

  struct Batch {
    std::int64_t steps_per_epoch = 1, batch = 1;
    Tensor rows;    // [r, n] i64
    Tensor labels;  // [r, n] i32; not written in regression
  };
  // Draws the batch of the session's current step.
  void draw(const Session& session, const Batch& batch) const;

 private:
  void upload_tables(const std::vector<ReplicaTask>& tasks);
  void upload_labels(const TrainingSet& set, const std::vector<ReplicaTask>& tasks);

  Context& ctx_;
  std::int64_t replicas_, longest_ = 0;
  Buffer rows_, count_, probability_, alias_, own_labels_;  // [r, longest], own_labels_ [r, rows of the data]
  ConstTensor labels_;
  enum class Drawing { shuffled, weighted } drawing_ = Drawing::shuffled;
};

}  // namespace genexx
