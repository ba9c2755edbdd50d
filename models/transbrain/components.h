// SPDX-License-Identifier: Apache-2.0
// Gradients of the brain: principal components of human region embeddings, and mouse regions projected onto them.
// Source: TransBrain, spec section 6.3.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "models/transbrain/homology.h"

namespace genexx::transbrain {

// Scores of one species, [regions, components], each component with mean 0 and variance 1 over the regions.
struct Scores {
  std::vector<std::string> regions;
  std::vector<double> values;
};

struct Components {
  std::int64_t count = 0;
  std::vector<double> variance_ratio;  // [count] share of the human variance
  Scores human, mouse;
};

// Takes model after model; memory O(human * (human + mouse)) for any number of models and units.
//   each model: units that are constant over the regions of either species are dropped; each region's row is z-scored
//   over the units that are left; each unit is z-scored over the regions, human and mouse by their own numbers
//   the units of all models side by side: components of the human rows, mouse rows projected by the human loadings
// Deviations are those of the population; a constant row or unit becomes 0. The sign of a component makes its largest
// human score (by size) positive.
class ComponentAnalysis {
 public:
  // Regions of later models must be those of the first, in any order. Throws RefusedError naming the one that is not,
  // ShapeError when the widths of the two tables differ.
  void add(const RegionTable& human, const RegionTable& mouse);

  // At most `most` components, fewer where there are not as many. Empty when nothing varies. O(human^3).
  Components components(std::int64_t most) const;

 private:
  std::vector<std::string> human_, mouse_;
  std::vector<double> gram_;   // [human, human]
  std::vector<double> cross_;  // [mouse, human]
};

}  // namespace genexx::transbrain
