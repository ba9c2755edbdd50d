// SPDX-License-Identifier: Apache-2.0
// Writing the prepared directory of D-GEX (docs/dgex.md, "The prepared directory").
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/dtype.h"
#include "io/probe_map.h"
#include "models/dgex/profile_set.h"

namespace genexx::tools {

// One of train, validation, test, 1000G, GTEx: profiles [begin, begin + count) of a normalised set.
struct PreparedPart {
  std::string name;
  std::int64_t begin = 0, count = 0;
};

// Writes X_NAME.npy [count, landmarks] and Y_NAME.npy [count, targets]; the landmarks are the first genes of the set.
void write_part(const std::string& directory, const PreparedPart& part, const dgex::RankedSet& set,
                std::int64_t landmarks, DType dtype);

// A normalised data set: its name and what de-standardises it.
struct NamedStatistics {
  std::string name;  // GEO, GTEx, 1000G
  dgex::GeneStatistics statistics;
};

// genes.tsv: a line a gene in the order of the columns of X and then of Y.
void write_genes(const std::string& directory, const std::vector<ProbedGene>& genes, std::int64_t landmarks,
                 const std::vector<NamedStatistics>& statistics);

// samples.tsv: a line a profile: part, row in its matrices, name, row in the file it came from.
struct PreparedSample {
  std::string part;
  std::int64_t row = 0;
  std::string name;
  std::int64_t source_row = 0;
};
void write_samples(const std::string& directory, const std::vector<PreparedSample>& samples);

}  // namespace genexx::tools
