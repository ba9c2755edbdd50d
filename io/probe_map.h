// SPDX-License-Identifier: Apache-2.0
// Which probes of a microarray make a gene, and which genes are landmarks: the two tables D-GEX starts from.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "io/matrix_source.h"

namespace genexx {

// A gene: its value is the mean of its probes.
struct ProbedGene {
  std::string symbol;
  std::string id;                   // Ensembl id as in the file; compared without its version suffix
  std::vector<std::string> probes;  // at least one, none twice
};

// An Ensembl id without its version ("ENSG00000141510.17" becomes "ENSG00000141510"); other texts as they are.
std::string without_version(const std::string& id);

// Lines of symbol TAB id TAB probes separated by commas; empty lines and lines that begin with # are skipped. Throws
// InputError naming the line for other forms, an empty id or probe, an id given twice, and a map without genes.
std::vector<ProbedGene> read_probe_map(const std::string& path);

// A list of landmarks: a map of the same three columns, or one name a line, each an id, a symbol or a probe of `map`.
struct LandmarkSplit {
  std::vector<ProbedGene> landmarks, targets;  // in the order of their files
  // Genes of the map that are landmarks under the same id or symbol with other probes, or share a probe with one: they
  // would let a target be read off the input, and are left out.
  std::vector<std::string> leaks;
};
// Throws InputError for a list that is empty or names a gene twice, RefusedError for names that the map does not know,
// and where no target is left.
LandmarkSplit split_landmarks(const std::vector<ProbedGene>& map, const std::string& landmark_file);

// For each gene the columns of a matrix whose mean is its value.
struct GeneColumns {
  std::vector<std::vector<std::int32_t>> columns;  // [genes]; empty for a gene that is not there
  std::int64_t missing_genes = 0, missing_probes = 0;
  std::string first_missing;  // a name for messages
};
// By probe: a gene is there when one of its probes is. By gene: the column named by its id (versions aside), else by
// its symbol. Throws RefusedError where the name wanted stands for several columns.
GeneColumns probe_columns(const std::vector<ProbedGene>& genes, const MatrixSource& source);
GeneColumns gene_columns(const std::vector<ProbedGene>& genes, const MatrixSource& source);

}  // namespace genexx
