// SPDX-License-Identifier: Apache-2.0
// From a matrix and labels to what the trainer takes: small classes dropped, cells split, stage 1 fitted for each
// split, rows normalised and cut to the genes in use.
#pragma once

#include <vector>

#include "engine/context.h"
#include "models/prepared_cells.h"
#include "models/scannonet/config.h"
#include "models/scannonet/fitted_recipe.h"
#include "models/scannonet/gene_selection.h"

namespace genexx::scannonet {

struct Prepared : PreparedCells {
  std::vector<Selection> selections;  // of each split; types are indices into `classes`
};

// Throws RefusedError for fewer than two classes of enough cells, UsageError for a split the data cannot give.
Prepared prepare(Context& ctx, const CellInput& input, const Config& config, const PreparationOptions& options);

// How stage 2 splits.
SplitPlan split_plan(const Config& config);

SelectionOptions selection_options(const Config& config, Recipe::InputKind input);

}  // namespace genexx::scannonet
