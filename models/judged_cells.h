// SPDX-License-Identifier: Apache-2.0
// The cells each replica of a lane is judged on, batch by batch, on the device: brought there once and used after every
// epoch.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/context.h"
#include "engine/tensor.h"
#include "models/training_set.h"

namespace genexx {

class JudgedCells {
 public:
  using Lists = std::vector<const std::vector<std::int64_t>*>;  // of each replica

  JudgedCells(Context& ctx, const TrainingSet& set, const std::vector<ReplicaTask>& tasks, const Lists& cells,
              std::int64_t batch);

  struct Batch {
    std::int64_t rows = 0;
    Tensor cells;                    // [r, rows] i64: rows of the data, -1 where a replica has no more
    Tensor labels;                   // [r, rows] i32, -1 likewise; absent in regression
    std::vector<std::int64_t> mine;  // how many of the rows each replica has
  };
  std::int64_t batches() const { return (longest_ + batch_ - 1) / batch_; }
  Batch batch(std::int64_t index) const;

  std::int64_t count(std::size_t replica) const { return counts_[replica]; }
  std::int64_t bytes() const { return cells_.bytes() + labels_.bytes(); }

 private:
  std::int64_t batch_, longest_ = 0;
  std::vector<std::int64_t> counts_;  // of each replica
  Buffer cells_, labels_;             // batch after batch, each [r, its rows]
};

}  // namespace genexx
