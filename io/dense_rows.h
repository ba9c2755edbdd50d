// SPDX-License-Identifier: Apache-2.0
// Rows of a CSR block with their zeros.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/csr_matrix.h"

namespace genexx {

// [rows * cols], row-major.
std::vector<float> dense_rows(const CsrMatrix& block);

}  // namespace genexx
