// SPDX-License-Identifier: Apache-2.0
// Brings data into the gene order of a model: which column of the data is which gene of the model.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/batch.h"
#include "io/matrix_source.h"

namespace genexx {

// What happens to several columns of the data that are one gene of the model.
enum class DuplicateGenes { sum, first, error };

// One way to name the same genes: the names themselves, or a column of ids or symbols.
struct GeneNaming {
  std::string source;              // "gene names", "gene column 'id'", "model symbols"; for messages
  std::vector<std::string> names;  // one a gene; "" where there is none
};

// All namings of a source: its names, then every column of its gene table in which at least half of the entries are
// different. Whole numbers become text (Entrez ids), other numbers are left out.
std::vector<GeneNaming> gene_namings(const MatrixSource& source);

struct GeneMatchOptions {
  DuplicateGenes duplicates = DuplicateGenes::sum;
  double min_overlap = 0.8;       // least share of the model's genes that the data must have
  std::string missing_file = {};  // where write_missing_genes writes to, before a refusal too; "": nowhere
};

// Result of matching q columns of data to g genes of a model.
struct GeneMatch {
  std::vector<std::int32_t> target;   // [q] gene of the model, -1 for columns that are not used
  std::vector<std::int64_t> missing;  // genes of the model that the data lack, ascending
  std::int64_t genes = 0;             // g
  std::int64_t merged = 0;            // columns beyond the first of their gene
  double overlap = 0;                 // share of the model's genes that are there
  std::string description;            // which namings, how many, what was merged: for a person

  // [g] 1 for genes that the data lack.
  std::vector<std::uint8_t> missing_mask() const;
};

// Tries every naming of the data against every naming of the model, as they are and with the version of Ensembl ids cut
// off (ENSG00000141510.17), and takes the pair with the largest overlap; of equal ones the first. Letters' case counts.
// A name that the model has twice is its first gene. Throws RefusedError where the overlap is under
// options.min_overlap, with the numbers, example names of both sides and, where it would help, that case is what
// differs; and for duplicates where they are an error, naming one. O(namings * genes).
GeneMatch match_genes(const std::vector<GeneNaming>& data, const std::vector<GeneNaming>& model,
                      const GeneMatchOptions& options);

// `names` without repeats, in order of first appearance: the gene list of data by which match_genes merges duplicates.
std::vector<std::string> unique_names(const std::vector<std::string>& names);

// A source seen through a match: its rows with the model's columns. Genes that the data lack are zero. Duplicates are
// summed in column order. Borrows both, which must outlive it.
class MatchedSource final : public BatchSource {
 public:
  MatchedSource(BatchSource& source, const GeneMatch& match);

  std::int64_t rows() const override { return source_.rows(); }
  std::int64_t cols() const override { return match_.genes; }
  bool next(CsrMatrix& block, std::int64_t max_rows) override;
  void rewind() override { source_.rewind(); }

 private:
  void add_row(const float* value, const std::int32_t* column, std::int64_t count, CsrMatrix& block);

  BatchSource& source_;
  const GeneMatch& match_;
  CsrMatrix unmatched_;
  std::vector<float> sum_;             // one row, [g]
  std::vector<std::uint64_t> filled_;  // a bit for each gene of the row
};

// Writes the missing genes atomically as a table: one line a gene, one column a naming of the model, with a header.
void write_missing_genes(const std::string& path, const GeneMatch& match, const std::vector<GeneNaming>& model);

}  // namespace genexx
