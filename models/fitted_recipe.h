// SPDX-License-Identifier: Apache-2.0
// A recipe and the columns of the training matrix it was fitted on.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "engine/recipe.h"

namespace genexx {

struct FittedRecipe {
  Recipe recipe;                      // statistics [r, g]; a gene a replica does not use is masked there
  std::vector<std::int64_t> columns;  // [g] column of the training matrix that gene j of the recipe was
  std::vector<std::int64_t> library;  // [l] the same of its library genes
  std::vector<double> index;          // [r, g] discriminant index, 0 where masked; or empty
};

// Names of the columns of the training matrix; symbols may be empty.
struct GeneNames {
  std::span<const std::string> ids, symbols = {};
};

// The names of some columns; empty for empty names.
std::vector<std::string> names_of(std::span<const std::string> names, const std::vector<std::int64_t>& columns);

// The recipe of one replica alone: the genes of all, the statistics of replica k. Throws ShapeError where there is no
// replica k.
Recipe recipe_of(const Recipe& joint, std::int64_t replica);

}  // namespace genexx
