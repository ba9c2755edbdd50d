// SPDX-License-Identifier: Apache-2.0
// Embeds regions with the weights of many repeats at once, and ranks known homologues by them.
#pragma once

#include <vector>

#include "engine/context.h"
#include "engine/named_tensor.h"
#include "models/session.h"
#include "models/transbrain/homology.h"

namespace genexx::transbrain {

// One species: region means of expression, uploaded once.
class RegionEmbedder {
 public:
  // `ctx` must outlive the embedder. `expression` has a column for each input of the network.
  RegionEmbedder(Context& ctx, const Network& network, std::int64_t replicas, const RegionTable& expression);

  // Each region's embedding by each replica of `weights` [r, ...]: values of embedding_node in inference. As published,
  // the means are read as they are, without the scaler of training (spec, sections 4.2 and 5).
  std::vector<RegionTable> embed(const std::vector<NamedTensor>& weights);

 private:
  Session session_;
  std::vector<std::string> regions_;
  int node_ = 0;
};

// Both species and the pairs: what a repeat is judged by after every epoch.
class RankJudge {
 public:
  RankJudge(Context& ctx, const Network& network, std::int64_t replicas, const RegionTable& human,
            const RegionTable& mouse, ResolvedPairs pairs);

  struct Embedded {
    std::vector<RegionTable> human, mouse;  // one a replica
  };
  Embedded embed(const std::vector<NamedTensor>& weights);

  // The mean rank of the pairs for each replica.
  std::vector<double> mean_ranks(const std::vector<NamedTensor>& weights);
  std::vector<double> mean_ranks(const Embedded& embedded) const;

  const ResolvedPairs& pairs() const { return pairs_; }

 private:
  RegionEmbedder human_, mouse_;
  ResolvedPairs pairs_;
};

}  // namespace genexx::transbrain
