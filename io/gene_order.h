// SPDX-License-Identifier: Apache-2.0
// Where genes lie on the genome: from a GTF, or a table with the columns gene, chromosome, start; plain or gzip.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace genexx {

struct GenePlace {
  std::string id;    // gene_id of a GTF, gene of a table
  std::string name;  // gene_name or gene_symbol of a GTF; "" where there is none
  std::string chromosome;
  std::int64_t start = 0;  // least coordinate, whatever the strand
};

struct GeneOrder {
  std::string path;
  std::vector<GenePlace> genes;  // along the genome
};

// Genes by chromosome, start and line. Chromosomes in natural order, "chr" aside: those that begin with a number of at
// most three digits by that number (2L, 2R, 3, 10), then the other short names (X, Y), then the mitochondrial one, then
// scaffolds. Of a GTF the lines whose feature is "gene"; where there is none, the least start of each gene_id's lines.
// A gene that is given again keeps its first place. Throws InputError naming path, line, field, what was found and what
// was expected for a line that is neither, a GFF3, a start that is no coordinate, and a file without genes.
GeneOrder read_gene_order(const std::string& path);

// Whether chromosome `a` comes before `b` in that order.
bool chromosome_before(const std::string& a, const std::string& b);

struct GeneRanks {
  std::vector<std::int64_t> rank;  // [genes] place along the genome; -1 for a gene that the order does not have
  std::int64_t found = 0;
};

// Finds genes by id, else by name, versions of Ensembl ids aside; a gene under its name, else its other name. Where the
// order has several genes of a name the first has it. Throws RefusedError, with names of both sides, where fewer than
// `least` (0 to 1) of the genes are found, or none. `other_names` is [genes] or empty.
GeneRanks rank_genes(const GeneOrder& order, std::span<const std::string> names,
                     std::span<const std::string> other_names, double least);

}  // namespace genexx
