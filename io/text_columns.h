// SPDX-License-Identifier: Apache-2.0
// Columns of text from a small table with a header (gene lists, lists of pairs): csv, tsv or semicolons, plain or gzip.
#pragma once

#include <string>
#include <vector>

namespace genexx {

// The named columns, in the order asked for: [name][row]. The delimiter is the first of tab, comma, semicolon that the
// header holds; lines that are empty are skipped; a column without a name (the index pandas writes) may be there.
// Throws InputError naming path and line for a file without a header or rows, a column that is not there (listing those
// that are), a column that is there twice, a ragged line and a quote that is not closed.
std::vector<std::vector<std::string>> read_text_columns(const std::string& path, const std::vector<std::string>& names);

}  // namespace genexx
