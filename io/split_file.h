// SPDX-License-Identifier: Apache-2.0
// split.json: which cells trained, validated and tested each replica or fold.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/cell_split.h"

namespace genexx {

// Rows of `splits` are places in `cell_names`.
struct SplitFile {
  std::string kind = "replicas";  // what a split is for: "replicas" or "folds"
  std::uint64_t seed = 0;
  std::vector<std::string> cell_names;  // all cells of the data, in its order
  std::vector<CellSplit> splits;
};

// Writes JSON atomically: {"format": "genexx-split", "version": 1, "kind", "seed", "cells": [names], "splits":
// [{"train": [rows], "validation": [...], "test": [...]}]}. Throws UsageError for a row that is out of range or twice
// in a split, RuntimeError where the file cannot be written.
void write_split_file(const std::string& path, const SplitFile& file);

// Throws InputError naming the field for text that is not such JSON, a newer version, or a row that is out of range or
// twice in a split.
SplitFile read_split_file(const std::string& path);

// The splits as rows of data whose cells are `cell_names`, ascending: by name, repeated names in order of appearance.
// Cells that the file does not know are in no part. Throws RefusedError with the count and an example where a cell of
// the file is missing.
std::vector<CellSplit> splits_for(const SplitFile& file, const std::vector<std::string>& cell_names);

}  // namespace genexx
