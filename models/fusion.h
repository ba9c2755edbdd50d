// SPDX-License-Identifier: Apache-2.0
// Which nodes of a network one layer computes together: what follows a matrix product and is read by nobody else (batch
// norm, activation, dropout) runs in one pass over the batch, forward and backward, in one memory. The network itself
// stays as it is.
#pragma once

#include <vector>

#include "models/network.h"

namespace genexx {

// A linear layer or convolution and what ends it, in this order; -1: not there. Something follows the source.
struct Chain {
  int source = -1;
  int norm = -1, activation = -1, dropout = -1;

  int tail() const { return dropout >= 0 ? dropout : activation >= 0 ? activation : norm; }
  bool has(int node) const { return node >= 0 && (node == norm || node == activation || node == dropout); }
};

// Whether a session may run dropout at all: without it a dropout node is its input, and belongs to no chain.
enum class DropoutNodes { run, skipped };

// The longest chains in which every node but the last is read by the next one alone and is none of `read`. Dropout of a
// sequence does not follow batch norm: the one counts a sample's positions as rows, the other does not.
std::vector<Chain> find_chains(const Network& network, const std::vector<int>& read, DropoutNodes dropout);

}  // namespace genexx
