// SPDX-License-Identifier: Apache-2.0
#include "models/folds.h"

#include <algorithm>
#include <set>
#include <string>

#include "engine/error.h"
#include "models/split.h"
#include "models/stratify.h"

namespace genexx {
namespace {

void check(const FoldRequest& request) {
  if (request.folds < 2)
    throw UsageError("folds is " + std::to_string(request.folds) + ", expected 2 or more; 5 is customary");
  if (!(request.validation_fraction >= 0 && request.validation_fraction < 1))
    throw UsageError("the validation fraction is " + std::to_string(request.validation_fraction) +
                     ", expected 0 or more and less than 1");
  if (!request.groups.empty() && request.groups.size() != request.classes.size())
    throw ShapeError("groups has " + std::to_string(request.groups.size()) + " entries, expected " +
                         std::to_string(request.classes.size()) + ", one a cell",
                     CodeLocation::here());
}

// What folds are dealt from: labelled cells, or their groups.
void check_enough(const FoldRequest& request) {
  std::set<std::int32_t> groups;
  std::int64_t cells = 0;
  for (std::size_t i = 0; i < request.classes.size(); ++i) {
    if (request.classes[i] < 0) continue;
    ++cells;
    if (!request.groups.empty()) groups.insert(request.groups[i]);
  }
  const bool grouped = !request.groups.empty();
  const std::int64_t have = grouped ? static_cast<std::int64_t>(groups.size()) : cells;
  const std::int64_t need = request.folds + (grouped && request.validation_fraction > 0);
  if (have < need)
    throw RefusedError("there are " + std::to_string(have) + (grouped ? " groups" : " labelled cells") +
                       ", expected at least " + std::to_string(need) + " for " + std::to_string(request.folds) +
                       " folds; ask for fewer folds");
}

}  // namespace

std::vector<CellSplit> make_folds(const FoldRequest& request) {
  check(request);
  check_enough(request);
  const std::vector<std::int64_t> cells = all_cells(static_cast<std::int64_t>(request.classes.size()));
  const std::vector<double> fractions(static_cast<std::size_t>(request.folds),
                                      1.0 / static_cast<double>(request.folds));
  const std::vector<std::vector<std::int64_t>> parts = stratify({.cells = cells,
                                                                 .classes = request.classes,
                                                                 .groups = request.groups,
                                                                 .fractions = fractions,
                                                                 .seed = request.seed});
  std::vector<CellSplit> folds;
  for (std::size_t k = 0; k < parts.size(); ++k) {
    CellSplit& fold = folds.emplace_back();
    fold.test = parts[k];
    for (std::size_t other = 0; other < parts.size(); ++other)
      if (other != k) fold.train.insert(fold.train.end(), parts[other].begin(), parts[other].end());
    std::sort(fold.train.begin(), fold.train.end());
    if (request.validation_fraction == 0) continue;
    CellSplit rest = stratified_split_of(
        fold.train,
        {.classes = request.classes,
         .groups = request.groups,
         .fractions = {.train = 1 - request.validation_fraction, .validation = request.validation_fraction, .test = 0},
         .seed = request.seed + k});
    fold.train = std::move(rest.train);
    fold.validation = std::move(rest.validation);
  }
  return folds;
}

}  // namespace genexx
