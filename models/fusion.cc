// SPDX-License-Identifier: Apache-2.0
#include "models/fusion.h"

#include <algorithm>

namespace genexx {
namespace {

bool is_activation(NodeKind kind) {
  return kind == NodeKind::relu || kind == NodeKind::tanh || kind == NodeKind::sigmoid;
}

class Finder {
 public:
  Finder(const Network& network, const std::vector<int>& read) : network_(network), read_(read) {}

  // The node that alone reads `node`, or -1 where there is none, several, or somebody outside.
  int only_reader(int node) const {
    if (std::find(read_.begin(), read_.end(), node) != read_.end()) return -1;
    int reader = -1;
    for (std::size_t i = 0; i < network_.nodes().size(); ++i)
      for (const int input : network_.nodes()[i].inputs) {
        if (input != node) continue;
        if (reader >= 0) return -1;
        reader = static_cast<int>(i);
      }
    return reader;
  }

  Chain chain_from(int source, DropoutNodes dropout) const {
    Chain chain;
    int end = source;
    const auto take = [&](int& place, auto&& fits) {
      const int next = only_reader(end);
      if (next < 0 || !fits(spec(next))) return;
      place = end = next;
    };
    take(chain.norm, [](const NodeSpec& s) { return s.kind == NodeKind::batch_norm; });
    take(chain.activation, [](const NodeSpec& s) { return is_activation(s.kind); });
    const bool sequence_norm = chain.norm >= 0 && spec(chain.norm).channels > 0;
    if (dropout == DropoutNodes::run && !sequence_norm)
      take(chain.dropout, [](const NodeSpec& s) { return acts_in_training_only(s.kind); });
    if (end != source) chain.source = source;
    return chain;
  }

 private:
  const NodeSpec& spec(int node) const { return network_.nodes()[static_cast<std::size_t>(node)]; }
  const Network& network_;
  const std::vector<int>& read_;
};

}  // namespace

std::vector<Chain> find_chains(const Network& network, const std::vector<int>& read, DropoutNodes dropout) {
  const Finder finder(network, read);
  std::vector<Chain> chains;
  for (std::size_t i = 0; i < network.nodes().size(); ++i) {
    const NodeKind kind = network.nodes()[i].kind;
    if (kind != NodeKind::linear && kind != NodeKind::conv1d) continue;
    const Chain chain = finder.chain_from(static_cast<int>(i), dropout);
    if (chain.source >= 0) chains.push_back(chain);
  }
  return chains;
}

}  // namespace genexx
