// SPDX-License-Identifier: Apache-2.0
#include "models/fitted_recipe.h"

#include "engine/error.h"

namespace genexx {
namespace {

// Row k of [r, n] values; shared ones ([1, n] or none) stay as they are.
template <class T>
std::vector<T> row_of(const std::vector<T>& values, std::int64_t replica, std::size_t n) {
  if (values.size() <= n) return values;
  const auto begin = values.begin() + replica * static_cast<std::ptrdiff_t>(n);
  return {begin, begin + static_cast<std::ptrdiff_t>(n)};
}

}  // namespace

std::vector<std::string> names_of(std::span<const std::string> names, const std::vector<std::int64_t>& columns) {
  std::vector<std::string> out;
  if (names.empty()) return out;
  out.reserve(columns.size());
  for (const std::int64_t j : columns) out.push_back(names[static_cast<std::size_t>(j)]);
  return out;
}

Recipe recipe_of(const Recipe& joint, std::int64_t replica) {
  if (replica < 0 || replica >= joint.replicas())
    throw ShapeError(
        "replica is " + std::to_string(replica) + ", expected less than " + std::to_string(joint.replicas()),
        CodeLocation::here());
  const std::size_t genes = joint.gene_ids.size();
  Recipe one = joint;
  one.target_sum = row_of(joint.target_sum, replica, 1);
  one.library_share = row_of(joint.library_share, replica, joint.library_gene_ids.size());
  one.shift = row_of(joint.shift, replica, genes);
  one.factor = row_of(joint.factor, replica, genes);
  one.mask = row_of(joint.mask, replica, genes);
  return one;
}

}  // namespace genexx
