// SPDX-License-Identifier: Apache-2.0
// What an epoch came to for each replica, known to every rank that trains some of them.
#pragma once

#include <vector>

#include "engine/communicator.h"
#include "engine/named_tensor.h"
#include "models/lane.h"

namespace genexx {

struct EpochOutcome {
  EpochLosses losses;
  Judgement validation;
  std::vector<double> monitors;  // mean absolute error on each
  double learning_rate = 0;
  double seconds = 0;
};

// The outcomes of all replicas in order, from those that each rank trains; the bits are the same on every rank. Every
// outcome has `losses` losses and `monitors` monitors.
std::vector<EpochOutcome> share_outcomes(Communicator& ranks, const std::vector<EpochOutcome>& own, std::size_t losses,
                                         std::size_t monitors);

// Slices of [r, ...] tensors, put together again along r. There is one part at least, and none is empty.
std::vector<NamedTensor> concatenate(const std::vector<std::vector<NamedTensor>>& parts);

// Tensors [r, ...] of all replicas, from those of the replicas that each rank trains: none where it trains none.
std::vector<NamedTensor> share_tensors(Communicator& ranks, std::vector<NamedTensor> own);

}  // namespace genexx
