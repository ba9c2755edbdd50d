// SPDX-License-Identifier: Apache-2.0
// Tables of regions from files: embeddings, or expression means, one row a region.
#pragma once

#include <string>
#include <vector>

#include "models/transbrain/homology.h"
#include "tools/console.h"

namespace genexx::tools {

// The files meant by `given`: a file is itself; a directory stands for the files below it (any depth) whose name holds
// `species` and "embedding" (any case, but not those of single epochs), or, where there are none, for the csv, tsv, npy
// and h5ad files directly in it. In natural order (Repeat_2 before Repeat_10). Throws InputError for what is not there
// and for a directory without such files.
std::vector<std::string> embedding_files(const std::vector<std::string>& given, const std::string& species);

// Reads one table: csv or tsv with a name first in each line, h5ad, or npy with names in `names_file` (a name a line)
// or, without it, in FILE.names.txt beside FILE.npy. Regions without a number are left out with a warning. The result
// is checked (transbrain::check).
transbrain::RegionTable read_region_table(const std::string& path, const std::string& names_file, Console& console);

// Writes a table: the header `corner`,1,2,... and a line a region, shortest digits that give the numbers back.
void write_region_csv(const std::string& path, const std::string& corner, const std::vector<std::string>& names,
                      const std::vector<float>& values);

// Where the names of FILE.npy are.
std::string names_file_of(const std::string& npy);

}  // namespace genexx::tools
