// SPDX-License-Identifier: Apache-2.0
// The data of a D-GEX training: a prepared directory, or one matrix with a list of landmarks.
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "models/dgex/config.h"
#include "models/dgex/training.h"
#include "models/training_set.h"
#include "tools/dataset.h"

namespace genexx::tools {

// A gene and what undoes its standardisation: x * scale + mean.
struct DgexGene {
  std::string id, symbol;
  double mean = 0, scale = 1;
};

struct DgexData {
  TrainingSet set;  // dense landmarks, targets; the parts one after the other
  std::vector<dgex::Part> parts;
  std::vector<DgexGene> landmarks, targets;
  std::vector<std::string> samples;  // [set.cells]
  std::string description, sha256;
  bool prepared = false;  // landmarks are standardised within their data set already
  double seconds = 0;
};

// Reads a prepared directory (docs/dgex.md); of the targets those the configuration names. Throws InputError for a
// directory that is not whole or does not agree with itself.
DgexData read_prepared_dgex(const std::string& directory, const dgex::Config& config, Console& console);

// Reads one matrix: its profiles are shuffled by the seed and split; the genes are standardised by the mean and the
// standard deviation (dividing by n, 0.001 added) of the training profiles unless the configuration says no. Landmarks
// are the genes named in the file, one a line; all others are targets. Throws RefusedError for values that are not
// finite, landmarks the matrix lacks, and where no target or no profile is left.
DgexData read_matrix_dgex(const ReadingOptions& reading, const std::string& landmark_file, const dgex::Config& config,
                          std::uint64_t seed, Console& console);

}  // namespace genexx::tools
