// SPDX-License-Identifier: Apache-2.0
// Named columns beside a matrix: what is known about each cell, or about each gene.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

namespace genexx {

// Labels as small integers: row i has categories[codes[i]], or no label where codes[i] is -1. Categories are unique;
// one that no row uses may be there.
struct Categorical {
  std::vector<std::int32_t> codes;
  std::vector<std::string> categories;
};

// What the numbers of a column were in the file, so that a copy can be written as the same kind.
enum class NumberKind { real, integer, boolean };

// Numbers as doubles; NaN means missing. Booleans are 0 and 1.
struct Numbers {
  std::vector<double> values;
  NumberKind kind = NumberKind::real;
};

using Strings = std::vector<std::string>;  // "" means missing

struct Column {
  std::string name;
  std::variant<Strings, Categorical, Numbers> values;
};

// Number of rows of a column.
std::int64_t row_count(const Column& column);

// The column as labels. Strings: categories in sorted order, "" is missing. Numbers: ascending, whole numbers written
// without a fraction, others with the fewest digits that give the number back, NaN missing; booleans as "False",
// "True". A categorical column is copied.
Categorical as_categorical(const Column& column);

// Cells of each category, in the order of `categories`; the rows without a label are not counted.
std::vector<std::int64_t> category_counts(const Categorical& labels);

// A column that is in the file but of a kind this program does not know.
struct UnreadColumn {
  std::string name;
  std::string reason;
  std::string place = {};  // file and path in it, for messages
};

// Columns of equal length, in file order. The names of the rows themselves are not a column.
struct ObsTable {
  std::vector<Column> columns;
  std::vector<UnreadColumn> unread = {};

  // The column of that name, or nullptr.
  const Column* find(const std::string& name) const;
};

// Keeps the first `rows` rows of every column.
void truncate_rows(ObsTable& table, std::int64_t rows);

}  // namespace genexx
