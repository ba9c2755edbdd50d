// SPDX-License-Identifier: Apache-2.0
// A dense matrix that arrives gene by gene, as text tables with genes in rows do, and is read cell by cell.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "io/matrix_source.h"

namespace genexx {

// Values of one gene after the other: value (g, c) at g * cells + c.
struct GeneMajorMatrix {
  std::int64_t cells = 0;
  std::vector<float> values;

  std::int64_t genes() const { return cells > 0 ? static_cast<std::int64_t>(values.size()) / cells : 0; }
};

// Streams it as rows of cells; holds 4 bytes a value. The annotations have its shape.
std::unique_ptr<MatrixSource> gene_major_source(Annotations annotations, GeneMajorMatrix matrix);

}  // namespace genexx
