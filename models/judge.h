// SPDX-License-Identifier: Apache-2.0
// Judges the replicas of a lane on cells that training does not learn from. Everything is added up on the device over
// all batches; the host asks once.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "engine/context.h"
#include "models/judged_cells.h"
#include "models/session.h"
#include "models/training_set.h"

namespace genexx {

// How good a replica is on some cells; NaN for what the kind of training does not have.
struct Judgement {
  double loss = 0, accuracy = 0, macro_f1 = 0;  // classification: mean cross-entropy, ...
  double absolute_error = 0;                    // regression: mean over cells and targets
};

class Judge {
 public:
  // Brings a batch into the session's input; in regression also its targets, which it returns.
  using Feed = std::function<Tensor(const Tensor& cells, std::int64_t rows)>;

  // `session` outlives the judge.
  Judge(Session& session, const TrainingSet& set, const std::vector<ReplicaTask>& tasks,
        const JudgedCells::Lists& cells, Feed feed);

  // Of each replica, by the session's weights as they are; NaN where it has no cells. Losses and errors are added up in
  // f64 in the order of the cells. Synchronizes once.
  std::vector<Judgement> run();

  std::int64_t bytes() const { return cells_.bytes() + sums_.bytes() + error_.bytes(); }

 private:
  void pass();
  void judge_classification(const JudgedCells::Batch& batch, const Tensor& output);
  void judge_regression(const JudgedCells::Batch& batch, const Tensor& output, const Tensor& targets);
  Judgement classification(const double* sums, const std::int64_t* counts, std::size_t replica) const;

  Session& session_;
  JudgedCells cells_;
  Feed feed_;
  std::int64_t replicas_, classes_;  // classes_ 0: regression
  Buffer sums_;   // [r] f64: sums of cross-entropy or absolute error; then [r, classes, classes] i64: confusion
  Buffer error_;  // [r] f64: mean absolute error of a batch
  std::unique_ptr<StepGraph> graph_;
};

}  // namespace genexx
