// SPDX-License-Identifier: Apache-2.0
// The tables `obs` and `var` of AnnData files, in all three layouts they have had.
#pragma once

#include <string>
#include <vector>

#include "io/hdf5.h"
#include "io/table.h"

namespace genexx::h5ad {

enum class Generation {
  compound,    // up to 0.6: obs and var are datasets of compound elements
  references,  // 0.7: groups; category names behind object references
  encoded      // 0.8 and later: every element says its encoding
};

// Told from the root: its encoding attribute, and whether obs is a dataset. Throws InputError when there is no obs or
// var, or the root's encoding version is unknown.
Generation generation(const hdf5::Node& root);
const char* layout_name(Generation generation);

struct Frame {
  std::vector<std::string> names;  // of the rows
  ObsTable table;
};

// Reads a table of any layout. A column of an unknown encoding goes to table.unread; anything malformed throws
// InputError. `uns` holds the category names of the oldest layout and may be nullptr.
Frame read_frame(const hdf5::Node& frame, const hdf5::Node* uns);

// Only the number of rows.
std::int64_t frame_rows(const hdf5::Node& frame);

// Throws InputError when the node says another encoding than `type`, or a version not among `versions`. A node without
// encoding attributes passes: before 0.8 they were optional.
void expect_encoding(const hdf5::Node& node, const std::string& type, const std::vector<std::string>& versions);

}  // namespace genexx::h5ad
