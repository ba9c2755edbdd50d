// SPDX-License-Identifier: Apache-2.0
// The losses of a training phase: which node each looks at and how much it counts in the total of each replica.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/context.h"
#include "engine/tensor.h"
#include "kernels/regression_loss.h"
#include "models/session.h"

namespace genexx {

enum class LossKind {
  cross_entropy,   // softmax cross-entropy of the node's output against the labels
  discriminative,  // mean squared distance of a gate to the discriminant index of its genes
  collinearity,    // of the columns of the node's output, divided by the batch size
  regression       // distance of the node's output to the targets
};

// How the collinearity loss meets batches as small as its width; see kernels/collinearity_loss.h.
enum class SmallBatch { guarded, reference };

struct LossSpec {
  LossKind kind = LossKind::cross_entropy;
  std::string name;
  int node = 0;
  int output = 0;
  double weight = 1;  // in the total; the same for all replicas
  // Of LossKind::regression.
  regression_loss::Kind distance = regression_loss::Kind::squared;
  regression_loss::Reduction reduction = regression_loss::Reduction::mean;
  double delta = 1;
  // Of LossKind::cross_entropy: also count how often the largest output is the label's. One loss of a phase at most.
  bool counts_hits = false;
};

// What losses compare with, on the device.
struct LossTargets {
  ConstTensor labels;        // [r, rows] i32; -1: the row does not count
  ConstTensor class_weight;  // [r, k] or absent
  ConstTensor targets;       // [r, rows, t], or absent
  ConstTensor index;         // [r, g] discriminant index, or absent
  ConstTensor gene_mask;     // [r, g] of 0/1, or absent
  ConstTensor live_genes;    // [r] f64: the sum of the mask, or absent
};

class LossSet {
 public:
  LossSet(Session& session, std::vector<LossSpec> losses, double label_smoothing, SmallBatch small_batch);

  // Nodes the losses need; what Session::forward must compute.
  const std::vector<int>& nodes() const { return nodes_; }

  // Before the forward pass of a step: leaves the discriminative loss of a gate to the gate, where the session runs
  // nodes together, nothing else looks at that output, and the live genes are said with a mask. Without this call, run
  // computes it.
  void prepare(const LossTargets& targets);

  // Computes every loss of the step and writes its gradient into the session. Adds rows * loss to the running sums. A
  // replica with a loss that is not finite is put out of `active` [r] i32, where given, so that its weights stay those
  // of the step.
  void run(std::int64_t rows, const LossTargets& targets, const Tensor& active = {});

  // Of each replica, the session's step() with the first loss that was not finite since the phase began; below 0:
  // none. Synchronizes.
  std::vector<std::int64_t> lost_at() const;

  // Sums of rows * loss since the last reset, and the share of hits; then starts anew. Synchronizes.
  struct Sums {
    std::vector<std::vector<double>> loss;  // [losses][r]
    std::vector<double> accuracy;           // [r]; NaN where hits are not counted
  };
  Sums take_sums();

  const std::vector<LossSpec>& specs() const { return losses_; }

 private:
  bool pulls_gate(std::size_t index) const;
  Tensor of_loss(const Buffer& values, std::size_t index) const;
  std::vector<double> take_accuracy();

  Session& session_;
  std::vector<LossSpec> losses_;
  std::vector<int> nodes_;
  std::vector<char> pulls_;  // by loss: whether it may be left to the gate
  double label_smoothing_;
  SmallBatch small_batch_;
  std::int64_t replicas_;
  Buffer scale_, value_, sum_;  // [losses][r] f64 each
  Buffer lost_at_;              // [r] i64
  std::int64_t classes_ = 0;
  Buffer counts_;  // [r, classes, classes] i64, where hits are counted
};

}  // namespace genexx
