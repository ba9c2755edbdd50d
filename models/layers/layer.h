// SPDX-License-Identifier: Apache-2.0
// A layer computes one node: it says what outputs it has, and runs them forward and backward on a session's memory.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "models/fusion.h"
#include "models/network.h"
#include "models/session.h"

namespace genexx {

class Layer {
 public:
  virtual ~Layer() = default;

  // Widths of the outputs, output 0 first.
  virtual std::vector<std::int64_t> plan(const NodeSpec& spec) const { return {spec.width}; }

  // Elements each replica keeps from forward to backward besides the outputs; Session::memory.
  virtual std::int64_t memory(const NodeSpec&) const { return 0; }

  // Reads the values of the inputs, writes the values of the outputs.
  virtual void forward(Session& s, int node, std::int64_t rows) const = 0;

  // Reads the gradients of the outputs that were written, adds to those of the inputs that want one and overwrites
  // those of its parameters. Called only when at least one output has a gradient.
  virtual void backward(Session& s, int node, std::int64_t rows) const = 0;
};

// The layer of a kind; `chain` is the one whose source the node is, if any.
std::unique_ptr<Layer> make_layer(NodeKind kind, const Chain* chain = nullptr);

// The layer that stands at the last node of a chain, for all of them.
std::unique_ptr<Layer> make_chain_layer(const Chain& chain);

}  // namespace genexx
