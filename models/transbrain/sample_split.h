// SPDX-License-Identifier: Apache-2.0
// The split of TransBrain: grouped by tissue sample, stratified by region. Source: spec, section 4.1.
#pragma once

#include <cstdint>
#include <span>

#include "engine/cell_split.h"

namespace genexx::transbrain {

struct SampleSplitRequest {
  std::span<const std::int32_t> regions;  // [rows] codes; rows below zero are in no part
  std::span<const std::int32_t> samples;  // [rows] codes; a sample belongs to one region
  double validation = 0.1;                // share of the samples of each region, in (0, 1)
  std::uint64_t seed = 0;
};

// Of the k samples of each region, max(1, round(k * validation)) go to validation with all their rows, drawn without
// replacement, each set equally likely; halves are rounded to even. The others train; both parts ascending, `test`
// empty. A region with a single sample so has no training rows. The draw depends on the arguments alone (the published
// program's depends on the order of a hash set). Throws UsageError for a share out of range, RefusedError for a row
// without a sample and for a sample that is in two regions.
CellSplit split_by_sample(const SampleSplitRequest& request);

// max(1, round half to even (samples * share)).
std::int64_t validation_samples(std::int64_t samples, double share);

}  // namespace genexx::transbrain
