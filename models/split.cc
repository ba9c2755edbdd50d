// SPDX-License-Identifier: Apache-2.0
#include "models/split.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <string>

#include "engine/error.h"
#include "models/stratify.h"

namespace genexx {
namespace {

constexpr std::uint32_t kRandomStream = 0x73706C74u;
constexpr int kScarceOrder[] = {0, 2, 1};  // train, test, validation

void check_lengths(std::span<const std::int32_t> classes, std::span<const std::int32_t> others, const char* name) {
  if (others.empty() || others.size() == classes.size()) return;
  throw ShapeError(std::string(name) + " has " + std::to_string(others.size()) + " entries, expected " +
                       std::to_string(classes.size()) + ", one a cell",
                   CodeLocation::here());
}

void check_train(const SplitFractions& fractions) {
  if (!(fractions.train > 0))
    throw UsageError("the training fraction is " + std::to_string(fractions.train) + ", expected more than 0");
}

void check_group_count(std::span<const std::int64_t> cells, const SplitRequest& request) {
  if (request.groups.empty()) return;
  std::set<std::int32_t> groups;
  for (const std::int64_t cell : cells)
    if (request.classes[static_cast<std::size_t>(cell)] >= 0)
      groups.insert(request.groups[static_cast<std::size_t>(cell)]);
  const SplitFractions& f = request.fractions;
  const std::size_t parts = std::size_t{f.train > 0} + std::size_t{f.validation > 0} + std::size_t{f.test > 0};
  if (groups.size() < parts)
    throw RefusedError("the labelled cells come from " + std::to_string(groups.size()) +
                       " group(s), expected at least " + std::to_string(parts) +
                       ", one for each part; leave a part out, or split without groups");
}

std::vector<std::int64_t> labelled(std::span<const std::int32_t> classes, std::int64_t begin, std::int64_t end) {
  std::vector<std::int64_t> cells;
  for (std::int64_t i = begin; i < end; ++i)
    if (classes[static_cast<std::size_t>(i)] >= 0) cells.push_back(i);
  return cells;
}

// Takes a stratified share of split.train out as split.validation.
void take_validation(CellSplit& split, std::span<const std::int32_t> classes, double fraction, std::uint64_t seed) {
  if (!(fraction >= 0 && fraction < 1))
    throw UsageError("the validation fraction is " + std::to_string(fraction) + ", expected 0 or more and less than 1");
  if (fraction == 0) return;
  const SplitRequest request{
      .classes = classes, .fractions = {.train = 1 - fraction, .validation = fraction, .test = 0}, .seed = seed};
  CellSplit parts = stratified_split_of(split.train, request);
  split.train = std::move(parts.train);
  split.validation = std::move(parts.validation);
}

}  // namespace

CellSplit stratified_split(const SplitRequest& request) {
  return stratified_split_of(all_cells(static_cast<std::int64_t>(request.classes.size())), request);
}

CellSplit stratified_split_of(std::span<const std::int64_t> cells, const SplitRequest& request) {
  check_lengths(request.classes, request.groups, "groups");
  check_train(request.fractions);
  check_group_count(cells, request);
  const double fractions[] = {request.fractions.train, request.fractions.validation, request.fractions.test};
  std::vector<std::vector<std::int64_t>> parts = stratify({.cells = cells,
                                                           .classes = request.classes,
                                                           .groups = request.groups,
                                                           .fractions = fractions,
                                                           .scarce_order = kScarceOrder,
                                                           .seed = request.seed});
  return {std::move(parts[0]), std::move(parts[1]), std::move(parts[2])};
}

CellSplit random_split(const SplitRequest& request) {
  check_train(request.fractions);
  const std::vector<std::int64_t> cells =
      labelled(request.classes, 0, static_cast<std::int64_t>(request.classes.size()));
  const std::vector<std::int64_t> order = random_order(cells, request.seed, kRandomStream);
  const SplitFractions& f = request.fractions;
  if (!(f.validation >= 0 && f.test >= 0 && std::fabs(f.train + f.validation + f.test - 1) < 1e-9))
    throw UsageError("split fractions are " + std::to_string(f.train) + ", " + std::to_string(f.validation) + ", " +
                     std::to_string(f.test) + ", expected none negative and the sum 1");
  const auto share = [&](double fraction) {
    return static_cast<std::ptrdiff_t>(std::floor(fraction * static_cast<double>(order.size()) + 1e-9));
  };
  const auto validation = order.begin() + share(f.test), train = validation + share(f.validation);
  CellSplit split{{train, order.end()}, {validation, train}, {order.begin(), validation}};
  for (std::vector<std::int64_t>* part : {&split.train, &split.validation, &split.test})
    std::sort(part->begin(), part->end());
  return split;
}

CellSplit leading_test_split(const LeadingTestRequest& request) {
  const std::int64_t cells = static_cast<std::int64_t>(request.classes.size());
  const std::int64_t end = request.last_cell == LastCell::keep ? cells : cells - 1;
  if (request.test_cells <= 0 || request.test_cells >= end)
    throw UsageError("the first " + std::to_string(request.test_cells) + " of " + std::to_string(cells) +
                     " cells were to be the test platform, expected at least 1 and fewer than " + std::to_string(end));
  CellSplit split{
      labelled(request.classes, request.test_cells, end), {}, labelled(request.classes, 0, request.test_cells)};
  take_validation(split, request.classes, request.validation_fraction, request.seed);
  return split;
}

CellSplit batch_split(const BatchSplitRequest& request) {
  check_lengths(request.classes, request.batches, "batches");
  CellSplit split;
  for (std::size_t i = 0; i < request.batches.size(); ++i) {
    if (request.classes[i] < 0) continue;
    if (request.batches[i] == request.train_batch) split.train.push_back(static_cast<std::int64_t>(i));
    if (request.batches[i] == request.test_batch) split.test.push_back(static_cast<std::int64_t>(i));
  }
  if (split.train.empty() || split.test.empty())
    throw RefusedError("the training batch has " + std::to_string(split.train.size()) +
                       " labelled cells and the test batch " + std::to_string(split.test.size()) +
                       ", expected some in both; check the batch column");
  take_validation(split, request.classes, request.validation_fraction, request.seed);
  return split;
}

}  // namespace genexx
