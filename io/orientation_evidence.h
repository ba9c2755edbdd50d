// SPDX-License-Identifier: Apache-2.0
// Tells whether the rows of a table are genes or cells, from its names.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "io/labels.h"

namespace genexx {

// What is known about a table. Pointers are borrowed for the call.
struct TableNames {
  std::string corner;  // the field above the row names
  const std::vector<std::string>* columns = nullptr;
  const std::vector<std::string>* rows = nullptr;
  const LabelFile* labels = nullptr;  // nullptr where there is none
};

enum class RowsAre { genes, cells, unknown };

struct OrientationVerdict {
  RowsAre rows_are = RowsAre::unknown;
  std::string reason;  // for a person: "...because..." without the because
};

// In this order, the first that tells: the names in the label file; the corner field (gene, symbol, entrez, cell,
// barcode, sample, ...); names that only genes have (Ensembl and FlyBase ids, MT-, RPS/RPL, Rik, gene..., widely
// expressed symbols) or only cells (nucleotide barcodes, TCGA, GSM, SRR, "cell" or "sample" in the name, WORD_NUMBER);
// an axis of 8,000 to 70,000 names where the other is outside.
OrientationVerdict tell_orientation(const TableNames& table);

// The same without the last: for a table of which only the first rows are known.
OrientationVerdict tell_orientation_by_names(const TableNames& table);

}  // namespace genexx
