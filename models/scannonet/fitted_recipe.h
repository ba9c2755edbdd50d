// SPDX-License-Identifier: Apache-2.0
// From selections to what the network and the model file need: one gene list for all replicas, a recipe, and the index
// of the discriminative loss.
#pragma once

#include <span>

#include "engine/recipe.h"
#include "models/fitted_recipe.h"
#include "models/scannonet/gene_selection.h"

namespace genexx::scannonet {

// Joins selections fitted on different cells of one matrix (folds), or takes the only one. Genes: those of the first
// selection in its order, then what each further one adds. Library genes: the union of the genes each kept, ascending.
// Genes that an input to predict lacks get the mean of training.
FittedRecipe fit_recipe(std::span<const Selection> selections, const GeneNames& names, Recipe::InputKind input);

}  // namespace genexx::scannonet
