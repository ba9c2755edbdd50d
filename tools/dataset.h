// SPDX-License-Identifier: Apache-2.0
// The reading options every verb shares, and a data set read with them: matrix, names, labels, what kind of values.
#pragma once

#include <initializer_list>
#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "engine/csr_matrix.h"
#include "io/gene_matcher.h"
#include "io/matrix_kind.h"
#include "io/matrix_source.h"
#include "io/open_matrix.h"
#include "tools/console.h"
#include "tools/memory_budget.h"

namespace genexx::tools {

struct ReadingOptions {
  std::string data;
  std::string labels_file, matrix, gene_column, group_column, label_column, batch_column;
  std::string orientation = "auto", input_kind = "auto", duplicates = "auto";
  std::vector<std::string> excluded_labels;
  double min_overlap = 0.8;
  int threads = 0;
  double time_limit = 0;
  std::int64_t limit_cells = 0;
  bool overwrite = false, memory_check = true;
};

// Adds --matrix, --orientation, ... to a verb.
void add_reading_options(CLI::App& verb, ReadingOptions& options);

// Throws UsageError when one of the options `unused` was given: `verb` does not do what they ask for, and whoever gave
// them would take its results for something else.
enum class Unused { label, exclude_label, batch, group, input_kind, duplicates, min_overlap, time_limit };
void refuse_unused(const ReadingOptions& options, const std::string& verb, std::initializer_list<Unused> unused);

// What the readers take of them.
ReadOptions reader_options(const ReadingOptions& options);

// --memory-check or --no-memory-check.
MemoryCheck memory_check(const ReadingOptions& options);

// Threads asked for, or as many as the machine has.
int thread_count(const ReadingOptions& options);

struct Dataset {
  std::unique_ptr<MatrixSource> source;  // names and tables; its rows have been read
  CsrMatrix matrix;                      // [cells, genes], duplicates merged when asked for
  std::vector<std::string> genes;        // [genes] names by which the matrix' columns are known
  std::vector<std::string> other_names;  // [genes] identifiers or symbols the file has beside them, or empty
  MatrixKind kind = MatrixKind::unknown;
  std::string evidence;
  std::vector<std::string> labels;  // [cells], "" where there is none; empty without --label
  std::string label_name;
  std::string sha256;  // of the file, hex; empty for a directory
  double read_seconds = 0;
};

enum class Labels { required, optional, none };

// Opens the matrix: where X is scaled and raw is not, raw is taken and named. Applies --labels and --limit-cells.
std::unique_ptr<MatrixSource> open_source(const ReadingOptions& options, Console& console, MatrixKindReport& kind);

// Warns, once and with the count, where several cells have one name: they are all kept.
void warn_of_repeated_names(const MatrixSource& source, Console& console);

// Throws RefusedError for values of no known kind (large fractions, nothing at all) unless --input-kind says what they
// are. Whole numbers with negative, NaN or infinite ones among them become counts, which check_values then refuses by
// name.
void expect_known_kind(MatrixKindReport& kind, const ReadingOptions& options);

// Opens and reads everything. Throws RefusedError for values that cannot be (NaN, infinite, negative counts), for
// scaled input without --input-kind scaled, for a label column that is missing.
Dataset read_dataset(const ReadingOptions& options, Labels labels, Console& console);

// The label column of `source` as text, "" where missing or excluded. Throws RefusedError listing the columns there
// are, InputError for a column that is there but cannot be read.
std::vector<std::string> labels_of(const MatrixSource& source, const std::string& column,
                                   const std::vector<std::string>& excluded);

// Small integers for the texts of a column of the cells, in sorted order of the texts; empty for an empty name.
std::vector<std::int32_t> codes_of(const MatrixSource& source, const std::string& column);

}  // namespace genexx::tools
