// SPDX-License-Identifier: Apache-2.0
#include "models/scannonet/fitted_recipe.h"

#include <doctest/doctest.h>

#include "engine/error.h"
#include "models/library_size.h"

using namespace genexx;
using namespace genexx::scannonet;

namespace {

// Two folds over columns 0..4: genes 2, 0 and 4, 2; library genes 0 2 3 and 0 2 4.
std::vector<Selection> two_folds() {
  std::vector<Selection> folds(2);
  folds[0].genes = {0, 2, 3};
  folds[0].gene_share = {0.5, 0.3, 0.2};
  folds[0].target_sum = 100;
  folds[0].features = {2, 0};
  folds[0].mean = {1, 2};
  folds[0].deviation = {4, 5};
  folds[0].index = {0.25, 1};
  folds[1].genes = {0, 2, 4};
  folds[1].gene_share = {0.6, 0.3, 0.1};
  folds[1].target_sum = 120;
  folds[1].features = {4, 2};
  folds[1].mean = {7, 8};
  folds[1].deviation = {0.5, 2};
  folds[1].index = {1, 0.5};
  return folds;
}

const std::vector<std::string> kIds = {"a", "b", "c", "d", "e"};

}  // namespace

TEST_CASE("fitted_recipe: folds share the union of their genes, each with its own mask and statistics") {
  const FittedRecipe f = fit_recipe(two_folds(), {kIds}, Recipe::InputKind::counts);

  CHECK(f.columns == std::vector<std::int64_t>{2, 0, 4});
  CHECK(f.recipe.gene_ids == std::vector<std::string>{"c", "a", "e"});
  CHECK(f.recipe.gene_symbols.empty());
  CHECK(f.recipe.mask == std::vector<std::uint8_t>{1, 1, 0, 1, 0, 1});
  CHECK(f.recipe.shift == std::vector<double>{1, 2, 0, 8, 0, 7});
  CHECK(f.recipe.factor == std::vector<double>{0.25, 0.2, 0, 0.5, 0, 2});
  CHECK(f.index == std::vector<double>{0.25, 1, 0, 0.5, 0, 1});
  CHECK(f.recipe.replicas() == 2);
  CHECK(f.recipe.log1p);
}

TEST_CASE("fitted_recipe: library genes are the union of those kept, with each fold's shares and target") {
  const FittedRecipe f = fit_recipe(two_folds(), {kIds, kIds}, Recipe::InputKind::counts);

  CHECK(f.recipe.library_gene_ids == std::vector<std::string>{"a", "c", "d", "e"});
  CHECK(f.recipe.library_gene_symbols == f.recipe.library_gene_ids);
  CHECK(f.recipe.target_sum == std::vector<double>{100, 120});
  CHECK(f.recipe.library_share == std::vector<double>{0.5, 0.3, 0.2, 0, 0.6, 0.3, 0, 0.1});
}

TEST_CASE("fitted_recipe: the factors of the training cells are those of the selection") {
  CsrMatrix m;
  m.rows = 1;
  m.cols = 5;
  m.row_begin = {0, 3};
  m.column = {0, 1, 3};
  m.value = {2, 50, 6};
  const FittedRecipe f = fit_recipe(two_folds(), {kIds}, Recipe::InputKind::counts);
  const std::vector<std::int32_t> library = {0, -1, 1, 2, 3};

  CHECK(library_factors(m, f.recipe, 0, library) == std::vector<float>{100.0f / 8});
  CHECK(library_factors(m, f.recipe, 1, library) == std::vector<float>{120.0f / 2});
}

TEST_CASE("fitted_recipe: input that is already normalised has no library step") {
  std::vector<Selection> one = {two_folds()[1]};
  one[0].target_sum = 0;
  one[0].gene_share.clear();

  const FittedRecipe f = fit_recipe(one, {kIds}, Recipe::InputKind::log_normalized);

  CHECK(f.recipe.target_sum.empty());
  CHECK(f.recipe.library_gene_ids.empty());
  CHECK_FALSE(f.recipe.log1p);
  CHECK(f.columns == std::vector<std::int64_t>{4, 2});
}

TEST_CASE("fitted_recipe: the recipe of one replica has the genes of all and its own statistics") {
  const FittedRecipe f = fit_recipe(two_folds(), {kIds}, Recipe::InputKind::counts);

  const Recipe second = recipe_of(f.recipe, 1);

  CHECK(f.library == std::vector<std::int64_t>{0, 2, 3, 4});
  CHECK(second.gene_ids == f.recipe.gene_ids);
  CHECK(second.replicas() == 1);
  CHECK(second.mask == std::vector<std::uint8_t>{1, 0, 1});
  CHECK(second.shift == std::vector<double>{8, 0, 7});
  CHECK(second.factor == std::vector<double>{0.5, 0, 2});
  CHECK(second.target_sum == std::vector<double>{120});
  CHECK(second.library_share == std::vector<double>{0.6, 0.3, 0, 0.1});
  CHECK_THROWS_AS(recipe_of(f.recipe, 2), ShapeError);
}
