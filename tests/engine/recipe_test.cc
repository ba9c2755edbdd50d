// SPDX-License-Identifier: Apache-2.0
#include "engine/recipe.h"

#include <limits>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "engine/error.h"

using namespace genexx;

namespace {

// Three genes, two replicas that differ in scaling and mask and share the library step.
Recipe sample() {
  Recipe r;
  r.gene_ids = {"ENSG1", "ENSG2", "ENSG3"};
  r.gene_symbols = {"A", "B", "C"};
  r.target_sum = {1234.5};
  r.library_gene_ids = {"ENSG1", "ENSG2", "ENSG3", "ENSG4"};
  r.library_share = {0.1, 0.2, 0.3, 0.4};
  r.log1p = true;
  r.scaling = Recipe::Scaling::z_score;
  r.shift = {1, 2, 3, 1.0 / 3.0, 5, 6};
  r.factor = {0.5, 0.25, 2, 3, 4, 5};
  r.clip = 10;
  r.mask = {1, 0, 1, 1, 1, 0};
  r.missing = Recipe::MissingGene::mean;
  return r;
}

// Through text, as the model file keeps it.
Recipe there_and_back(const Recipe& r) { return recipe_from(nlohmann::json::parse(to_json(r).dump()), statistics(r)); }

}  // namespace

TEST_CASE("recipe: comes back from text and tensors as it was") {
  const Recipe r = sample();

  const Recipe back = there_and_back(r);

  CHECK(back.gene_ids == r.gene_ids);
  CHECK(back.gene_symbols == r.gene_symbols);
  CHECK(back.input == Recipe::InputKind::counts);
  CHECK(back.target_sum == r.target_sum);
  CHECK(back.library_gene_ids == r.library_gene_ids);
  CHECK(back.library_gene_symbols.empty());
  CHECK(back.library_share == r.library_share);
  CHECK(back.log1p);
  CHECK(back.scaling == Recipe::Scaling::z_score);
  CHECK(back.shift == r.shift);
  CHECK(back.factor == r.factor);
  CHECK(back.clip == 10);
  CHECK(back.mask == r.mask);
  CHECK(back.missing == Recipe::MissingGene::mean);
  CHECK(back.replicas() == 2);
}

TEST_CASE("recipe: one without any step comes back too") {
  Recipe r;
  r.gene_ids = {"A"};
  r.input = Recipe::InputKind::scaled;

  const Recipe back = there_and_back(r);

  CHECK(statistics(r).empty());
  CHECK(back.input == Recipe::InputKind::scaled);
  CHECK(back.scaling == Recipe::Scaling::none);
  CHECK_FALSE(back.log1p);
  CHECK(back.replicas() == 1);
}

TEST_CASE("recipe: tensors carry their shapes") {
  const std::vector<NamedTensor> tensors = statistics(sample());

  REQUIRE(tensors.size() == 5);
  CHECK(tensors[0].name == "recipe.shift");
  CHECK(tensors[0].shape == std::vector<std::int64_t>{2, 3});
  CHECK(tensors[2].name == "recipe.mask");
  CHECK(tensors[2].dtype == DType::u8);
  CHECK(tensors[3].shape == std::vector<std::int64_t>{1});
  CHECK(tensors[4].shape == std::vector<std::int64_t>{1, 4});
}

TEST_CASE("recipe: the effective factor is 0 for masked genes and for missing genes filled by the mean") {
  const Recipe r = sample();

  CHECK(r.effective_factor(2) == std::vector<double>{0.5, 0, 2, 3, 4, 0});
  CHECK(r.effective_factor(2, {0, 0, 1}) == std::vector<double>{0.5, 0, 0, 3, 4, 0});
  Recipe zero = r;
  zero.missing = Recipe::MissingGene::zero;
  CHECK(zero.effective_factor(2, {0, 0, 1}) == std::vector<double>{0.5, 0, 2, 3, 4, 0});
}

TEST_CASE("recipe: shared statistics are repeated for each replica") {
  Recipe r = sample();
  r.shift = {7, 8, 9};
  r.factor.clear();
  r.mask = {1, 1, 0};

  CHECK(r.effective_shift(2) == std::vector<double>{7, 8, 9, 7, 8, 9});
  CHECK(r.effective_factor(2) == std::vector<double>{1, 1, 0, 1, 1, 0});
}

TEST_CASE("recipe: a damaged one names the field") {
  const Recipe r = sample();
  const nlohmann::json json = to_json(r);
  const auto fails = [&](const nlohmann::json& text, const std::vector<NamedTensor>& tensors, const char* words) {
    CHECK_THROWS_WITH_AS(recipe_from(text, tensors), doctest::Contains(words), InputError);
  };
  nlohmann::json changed = json;

  changed.erase("scaling");
  fails(changed, statistics(r), "recipe.scaling is missing");
  changed = json;
  changed["log1p"] = "yes";
  fails(changed, statistics(r), "recipe.log1p is of type string");
  changed = json;
  changed["input"] = "magic";
  fails(changed, statistics(r), "recipe.input is 'magic', expected 'counts', 'log-normalized', 'scaled'");
  fails(nlohmann::json::array(), {}, "recipe is a JSON array");
  std::vector<NamedTensor> tensors = statistics(r);
  tensors[0].bytes.resize(40);
  fails(json, tensors, "recipe.shift is 5 numbers, expected a multiple of 3");
  tensors = statistics(r);
  tensors[1].dtype = DType::f32;
  fails(json, tensors, "recipe.factor is f32, expected f64");
  tensors = statistics(r);
  tensors.erase(tensors.begin() + 4);
  fails(json, tensors, "recipe.library_share is missing, expected to come with target_sum");
}

TEST_CASE("recipe: statistics that are not finite or disagree on replicas are refused") {
  Recipe r = sample();
  r.factor[4] = std::numeric_limits<double>::quiet_NaN();
  CHECK_THROWS_WITH_AS(check(r), doctest::Contains("recipe.factor is not finite at element 4"), InputError);

  r = sample();
  r.shift.resize(9, 1.0);
  CHECK_THROWS_WITH_AS(check(r), doctest::Contains("recipe.factor is for 2 replicas, expected 1 or 3"), InputError);

  r = sample();
  r.scaling = Recipe::Scaling::none;
  CHECK_THROWS_WITH_AS(check(r), doctest::Contains("recipe.scaling is 'none'"), InputError);
}
