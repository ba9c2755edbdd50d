// SPDX-License-Identifier: Apache-2.0
// From selections to what the network and the model file need: one gene list for all replicas, a recipe, and the index
// of the discriminative loss.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "engine/recipe.h"
#include "models/scannonet/gene_selection.h"

namespace genexx::scannonet {

struct FittedRecipe {
  Recipe recipe;                      // statistics [r, g]; a gene a replica did not select is masked there
  std::vector<std::int64_t> columns;  // [g] column of the training matrix that gene j of the recipe was
  std::vector<std::int64_t> library;  // [l] the same of its library genes
  std::vector<double> index;          // [r, g] discriminant index, 0 where masked
};

// Names of the columns of the training matrix; symbols may be empty.
struct GeneNames {
  std::span<const std::string> ids, symbols = {};
};

// Joins selections fitted on different cells of one matrix (folds), or takes the only one. Genes: those of the first
// selection in its order, then what each further one adds. Library genes: the union of the genes each kept, ascending.
// Genes that an input to predict lacks get the mean of training.
FittedRecipe fit_recipe(std::span<const Selection> selections, const GeneNames& names, Recipe::InputKind input);

// The recipe of one replica alone: the genes of all, the statistics of replica k. Throws ShapeError where there is no
// replica k.
Recipe recipe_of(const Recipe& joint, std::int64_t replica);

}  // namespace genexx::scannonet
