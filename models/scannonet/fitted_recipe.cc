// SPDX-License-Identifier: Apache-2.0
#include "models/scannonet/fitted_recipe.h"

#include <algorithm>

namespace genexx::scannonet {
namespace {

using Index = std::size_t;

// Each column once, in order of first mention.
std::vector<std::int64_t> feature_union(std::span<const Selection> selections, std::size_t cols) {
  std::vector<std::int64_t> columns;
  std::vector<std::uint8_t> seen(cols, 0);
  for (const Selection& s : selections)
    for (const std::int64_t j : s.features) {
      if (!seen[static_cast<Index>(j)]) columns.push_back(j);
      seen[static_cast<Index>(j)] = 1;
    }
  return columns;
}

// Position of each column in `columns`, -1 where it is not.
std::vector<std::int64_t> positions(const std::vector<std::int64_t>& columns, std::size_t cols) {
  std::vector<std::int64_t> at(cols, -1);
  for (Index i = 0; i < columns.size(); ++i) at[static_cast<Index>(columns[i])] = static_cast<std::int64_t>(i);
  return at;
}

// Returns the columns of the library genes.
std::vector<std::int64_t> add_library(std::span<const Selection> selections, const GeneNames& names, Recipe& recipe) {
  std::vector<std::int64_t> columns;
  for (const Selection& s : selections) columns.insert(columns.end(), s.genes.begin(), s.genes.end());
  std::sort(columns.begin(), columns.end());
  columns.erase(std::unique(columns.begin(), columns.end()), columns.end());
  recipe.library_gene_ids = names_of(names.ids, columns);
  recipe.library_gene_symbols = names_of(names.symbols, columns);
  recipe.library_share.assign(selections.size() * columns.size(), 0.0);
  const std::vector<std::int64_t> at = positions(columns, names.ids.size());
  for (Index k = 0; k < selections.size(); ++k) {
    recipe.target_sum.push_back(selections[k].target_sum);
    for (Index i = 0; i < selections[k].genes.size(); ++i) {
      const Index place = static_cast<Index>(at[static_cast<Index>(selections[k].genes[i])]);
      recipe.library_share[k * columns.size() + place] = selections[k].gene_share[i];
    }
  }
  return columns;
}

}  // namespace

FittedRecipe fit_recipe(std::span<const Selection> selections, const GeneNames& names, Recipe::InputKind input) {
  FittedRecipe fitted;
  fitted.columns = feature_union(selections, names.ids.size());
  Recipe& recipe = fitted.recipe;
  recipe.gene_ids = names_of(names.ids, fitted.columns);
  recipe.gene_symbols = names_of(names.symbols, fitted.columns);
  recipe.input = input;
  recipe.log1p = input == Recipe::InputKind::counts;
  recipe.scaling = Recipe::Scaling::z_score;
  recipe.missing = Recipe::MissingGene::mean;
  if (input == Recipe::InputKind::counts) fitted.library = add_library(selections, names, recipe);
  const std::size_t genes = fitted.columns.size(), all = selections.size() * genes;
  recipe.shift.assign(all, 0.0);
  recipe.factor.assign(all, 0.0);
  recipe.mask.assign(all, 0);
  fitted.index.assign(all, 0.0);
  const std::vector<std::int64_t> at = positions(fitted.columns, names.ids.size());
  for (Index k = 0; k < selections.size(); ++k) {
    const Selection& s = selections[k];
    for (Index i = 0; i < s.features.size(); ++i) {
      const Index place = k * genes + static_cast<Index>(at[static_cast<Index>(s.features[i])]);
      recipe.shift[place] = s.mean[i];
      recipe.factor[place] = 1 / s.deviation[i];
      recipe.mask[place] = 1;
      fitted.index[place] = s.index[i];
    }
  }
  check(recipe);
  return fitted;
}

}  // namespace genexx::scannonet
