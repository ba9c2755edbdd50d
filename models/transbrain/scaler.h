// SPDX-License-Identifier: Apache-2.0
// The standard scaler of one repeat: a z-score per gene, fitted on its training rows. Source: spec, section 4.2.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/dense_matrix.h"
#include "engine/thread_pool.h"

namespace genexx::transbrain {

struct Scaler {
  std::vector<double> mean, deviation;  // [genes]
};

// Mean and population deviation (ddof 0) of each column over the listed rows, in double, two passes; a column of equal
// values has deviation 1. Throws RefusedError without rows. The same for any number of threads.
Scaler fit_scaler(const DenseMatrix& values, std::span<const std::int64_t> rows, ThreadPool& pool);

}  // namespace genexx::transbrain
