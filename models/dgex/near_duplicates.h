// SPDX-License-Identifier: Apache-2.0
// Profiles that are nearly the same as an earlier one of their cluster.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/context.h"
#include "engine/thread_pool.h"
#include "models/dgex/row_store.h"

namespace genexx::dgex {

struct NearDuplicateOptions {
  double distance = 1.0;          // Euclidean; a pair strictly below it counts
  double band = 0.1;              // pairs this near to `distance` are measured again in double
  std::int64_t tile_rows = 1024;  // rows of a cluster that are compared at once
};

struct NearDuplicates {
  std::vector<std::uint8_t> dropped;       // [rows]: 1 for j of a pair i < j
  std::int64_t pairs = 0, remeasured = 0;  // pairs compared; pairs whose distance was taken in double
};

// Of every pair i < j of one cluster with |x_i - x_j| < distance, j is dropped, whether or not i is dropped itself
// (Chen et al., Bioinformatics 2016, supplement; published script). `cluster` is [rows].
//
// Squared distances are |a|^2 + |b|^2 - 2 a.b of the rows about their cluster's mean, products in f32 on the context's
// device; about zero, f32 would lose the digits that decide. The band grows with the error bound of the product where
// rows lie far from the mean. Memory: six tiles of rows and one of products.
NearDuplicates find_near_duplicates(Context& ctx, ThreadPool& pool, const RowStore<float>& rows,
                                    const std::vector<std::int32_t>& cluster, const NearDuplicateOptions& options = {});

}  // namespace genexx::dgex
