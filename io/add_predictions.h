// SPDX-License-Identifier: Apache-2.0
// H5adPredictions written back into the file that the cells came from, or into a copy of it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "io/read_options.h"
#include "io/table.h"

namespace genexx {

// What `key` becomes: obs KEY (labels), KEY_probability, KEY_margin; obsm KEY_probabilities; uns/genexx/KEY/classes
// (the columns of the probabilities). With fewer predictions than the file has cells (--limit-cells), the cells after
// them have no label and NaN.
struct H5adPredictions {
  std::string key = "genexx_label";
  Categorical labels;                // [n]
  std::vector<float> probability;    // [n], of the label
  std::vector<float> margin;         // [n], to the second best class
  std::vector<float> probabilities;  // [n, classes]
  std::vector<std::string> classes;
};

enum class ExistingKey {
  refuse,  // UsageError when obs or obsm has such a column already
  replace
};

struct PredictionTarget {
  std::string input;
  std::string output;  // the same file: in place
  ExistingKey existing = ExistingKey::refuse;
  ReadOptions reading;  // how the predictions' cells were read, for inputs that are written anew
};

// AnnData files of 0.7 and later are copied byte by byte and the copy is edited, so everything else in them survives,
// elements of unknown encoding included; the copy then takes the output's name (AtomicFile), so that a crash leaves the
// old file whole. In place it keeps owner, group and permissions, and check_replaceable holds. Any other input (AnnData
// up to 0.6, 10x, loom, text, ...) gives a new h5ad file with the matrix that was read, its tables and the predictions.
// `output` may exist: whether it may be replaced is the caller's to check.
//
// Throws UsageError for a key that is empty, has a '/', is the name of the index or _index, or exists; for an in-place
// edit of a file that is not AnnData 0.7 or later; and for vectors of unequal lengths. RuntimeError when it cannot be
// written, InputError when the input cannot be read.
void add_predictions(const H5adPredictions& predictions, const PredictionTarget& target);

// Throws RuntimeError for a file that may not be changed in place: a read-only one, which its folder alone would let be
// replaced. A file that is not there passes.
void check_replaceable(const std::string& path);

}  // namespace genexx
