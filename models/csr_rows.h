// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>

#include "engine/csr_matrix.h"

namespace genexx {

// The listed rows of a matrix, in that order; a row may be listed more than once.
CsrMatrix csr_rows(const CsrMatrix& matrix, std::span<const std::int64_t> rows);

}  // namespace genexx
