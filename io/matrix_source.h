// SPDX-License-Identifier: Apache-2.0
// One interface over all file formats: an expression matrix, cells by genes, streamed in row blocks as CSR, and the
// tables beside it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/batch.h"
#include "io/table.h"

namespace genexx {

// Everything about a matrix except its values. cell_names and gene_names give its shape; names need not be unique.
struct Annotations {
  std::vector<std::string> cell_names = {};  // [rows]; "cell_0", ... where the file has none
  std::vector<std::string> gene_names = {};  // [cols]; "gene_0", ... where the file has none
  ObsTable cells = {};                       // columns of length rows
  ObsTable genes = {};                       // columns of length cols
  std::string description = {};              // which matrix was taken and why, for a person
  std::vector<std::string> warnings = {};    // what was left out on reading, a sentence each
  std::int64_t stored_values = -1;  // upper bound of the non-zeros of all rows, -1 when not known before reading
};

// Keeps the first `cells` cells (all of them when there are fewer).
void limit_cells(Annotations& annotations, std::int64_t cells);

// Blocks come with columns sorted, duplicates within a row summed and zeros dropped. NaN, infinite and negative values
// are passed on: whether they may be there is for the caller to say (io/value_check.h).
class MatrixSource : public BatchSource {
 public:
  std::int64_t rows() const final { return static_cast<std::int64_t>(annotations_.cell_names.size()); }
  std::int64_t cols() const final { return static_cast<std::int64_t>(annotations_.gene_names.size()); }

  const std::vector<std::string>& cell_names() const { return annotations_.cell_names; }
  const std::vector<std::string>& gene_names() const { return annotations_.gene_names; }
  const ObsTable& cells() const { return annotations_.cells; }
  const ObsTable& genes() const { return annotations_.genes; }
  const std::string& description() const { return annotations_.description; }
  const std::vector<std::string>& warnings() const { return annotations_.warnings; }
  std::int64_t stored_values() const { return annotations_.stored_values; }

  // Adds or replaces a column about the cells (labels that come in a file of their own). Throws InputError when its
  // length is not rows().
  void set_cell_column(Column column);

  // Takes the gene names from a column of genes(). Throws RefusedError listing the columns when there is none.
  void use_gene_column(const std::string& name);

 protected:
  explicit MatrixSource(Annotations annotations) : annotations_(std::move(annotations)) {}

 private:
  Annotations annotations_;
};

// All rows as one matrix. Peak memory: the result once where stored_values() is known, else twice.
CsrMatrix read_all(MatrixSource& source);

}  // namespace genexx
