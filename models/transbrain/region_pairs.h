// SPDX-License-Identifier: Apache-2.0
// Which human region is held to be the homologue of which mouse region: the lists homology is scored by.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace genexx::transbrain {

struct RegionPair {
  std::string human, mouse;
};

// The published lists: "cortex" (41 pairs, 17 mouse regions), "subcortex" (9), "all" (the one, then the other). Empty
// for any other name. Source: TransBrain, spec section 6.1.
std::vector<RegionPair> published_pairs(const std::string& name);

// A pair as rows of the tables it is looked up in.
struct PairIndex {
  std::int64_t human = 0, mouse = 0;
};

struct ResolvedPairs {
  std::vector<RegionPair> pairs;   // found in both tables, in the order given
  std::vector<PairIndex> index;    // of each
  std::vector<RegionPair> absent;  // those with a region the tables lack
};

enum class AbsentPairs { refuse, leave_out };

// Looks every pair up. Throws RefusedError for an empty list, an empty name, a pair that is listed twice (it would
// count twice in the mean), and, naming the region and the nearest one there is, for pairs whose regions are not in the
// tables: all of them with `refuse`, only when no pair is left with `leave_out`.
ResolvedPairs resolve_pairs(const std::vector<RegionPair>& pairs, const std::vector<std::string>& human_regions,
                            const std::vector<std::string>& mouse_regions, AbsentPairs rule);

}  // namespace genexx::transbrain
