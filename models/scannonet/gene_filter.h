// SPDX-License-Identifier: Apache-2.0
// Steps 1 and 2 of stage 1: which cells and genes take part at all.
#pragma once

#include "models/device_matrix.h"
#include "models/scannonet/gene_selection.h"

namespace genexx::scannonet {

// The least total count of a gene among `cells` cells with `total` counts in all; SelectionOptions::min_gene_total says
// how it is chosen.
double least_gene_total(const SelectionOptions& options, std::int64_t cells, double total);

// Steps 1 and 2: sets cells, types, genes, cell_totals, target_sum and warnings. Throws as select_genes.
void filter(Context& ctx, const DeviceMatrix& matrix, const SelectionInput& input, const SelectionOptions& options,
            Selection& selection);

}  // namespace genexx::scannonet
