// SPDX-License-Identifier: Apache-2.0
// Labels of cells that come in a text file of their own.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "io/matrix_source.h"

namespace genexx {

// The cell column that a label file becomes.
inline constexpr const char* kLabelColumn = "label";

// A label file: cell TAB label, or comma separated where the first line has no tab; plain or gzip. `cell` keeps the
// order of the file.
struct LabelFile {
  std::string path;
  std::vector<std::string> cell, label;
};

// Throws InputError for an empty file, a line without exactly two fields, or a cell with two different labels; each
// with its line. Empty lines are skipped.
LabelFile read_label_file(const std::string& path);

// What became of a label file.
struct LabelMatch {
  std::int64_t labelled = 0;    // cells of the matrix that have a label now
  std::int64_t unlabelled = 0;  // cells the file does not mention
  std::int64_t unused = 0;      // lines of the file about cells that are not in the matrix
};

// Sets the cell column kLabelColumn of `source`: matched by name, "" where the file has no label for a cell. A header
// line is a line about a cell that is not there. Throws RefusedError, with example names of both sides, when no cell
// matches.
LabelMatch apply_labels(const LabelFile& labels, MatrixSource& source);

// The label file of `path` applied to `source`.
LabelMatch apply_labels_file(const std::string& path, MatrixSource& source);

}  // namespace genexx
