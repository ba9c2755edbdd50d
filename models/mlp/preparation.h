// SPDX-License-Identifier: Apache-2.0
// The fly classifier's preprocessing: unknown and small classes dropped, ln(1 + x), every gene scaled by numbers fitted
// on the training cells alone. Rows stay sparse.
#pragma once

#include "engine/context.h"
#include "models/mlp/config.h"
#include "models/prepared_cells.h"

namespace genexx::mlp {

// `config` may leave widths, batch and the like open. Genes found in fewer than select.min_gene_cells training cells of
// every split are left out. Throws RefusedError for fewer than two classes of enough cells or no gene.
PreparedCells prepare(Context& ctx, const CellInput& input, const Config& config, const PreparationOptions& options);

// The cells with a label that counts.
std::int64_t labelled_cells(const CellInput& input, const Config& config);

}  // namespace genexx::mlp
