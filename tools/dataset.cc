// SPDX-License-Identifier: Apache-2.0
#include "tools/dataset.h"

#include <algorithm>
#include <cctype>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <string_view>
#include <thread>
#include <unordered_map>
#include <unordered_set>

#include <fmt/format.h>

#include "engine/error.h"
#include "io/value_check.h"
#include "models/config.h"
#include "tools/option_checks.h"
#include "tools/stop_signal.h"

namespace genexx::tools {
namespace {

constexpr std::int64_t kBlockRows = 4096;

MatrixKind kind_by_name(const std::string& name) {
  if (name == "counts") return MatrixKind::counts;
  if (name == "log1p") return MatrixKind::log1p;
  if (name == "log2p1") return MatrixKind::log2p1;
  return name == "scaled" ? MatrixKind::scaled : MatrixKind::unknown;  // asis: taken as it is
}

// Whether a column about the genes names them, by its own name: ids where the genes go by symbols, or the reverse.
bool names_genes(std::string column) {
  static constexpr std::string_view kNames[] = {"gene_id",   "gene_ids",   "ensembl",      "ensembl_id",   "feature_id",
                                                "id",        "accession",  "gene_symbol",  "gene_symbols", "symbol",
                                                "gene_name", "gene_names", "feature_name", "name",         "gene"};
  std::transform(column.begin(), column.end(), column.begin(), [](unsigned char c) { return std::tolower(c); });
  return std::find(std::begin(kNames), std::end(kNames), column) != std::end(kNames);
}

// The first such column, for the genes in `genes` (first of equal names), "" where it has no entry.
std::vector<std::string> other_names_of(const MatrixSource& source, const std::vector<std::string>& genes) {
  for (const Column& column : source.genes().columns) {
    if (!names_genes(column.name)) continue;
    const Categorical names = as_categorical(column);
    std::unordered_map<std::string_view, std::string> other;
    for (std::size_t j = 0; j < names.codes.size(); ++j)
      other.emplace(source.gene_names()[j],
                    names.codes[j] < 0 ? "" : names.categories[static_cast<std::size_t>(names.codes[j])]);
    std::vector<std::string> found;
    for (const std::string& gene : genes) found.push_back(other[gene]);
    if (found != genes) return found;
  }
  return {};
}

void append(CsrMatrix& all, const CsrMatrix& block) {
  const std::int64_t base = all.nnz();
  for (std::int64_t i = 1; i <= block.rows; ++i)
    all.row_begin.push_back(base + block.row_begin[static_cast<std::size_t>(i)]);
  all.column.insert(all.column.end(), block.column.begin(), block.column.end());
  all.value.insert(all.value.end(), block.value.begin(), block.value.end());
  all.rows += block.rows;
}

// What the matrix of a source will take in memory: as it says, or as the share of the values looked at says.
std::int64_t matrix_bytes(const MatrixSource& source, const MatrixKindReport& looked_at) {
  const double each =
      looked_at.rows > 0 ? static_cast<double>(looked_at.stored) / static_cast<double>(looked_at.rows) : 0;
  const std::int64_t known = source.stored_values();
  const double values = known >= 0 ? static_cast<double>(known) : each * static_cast<double>(source.rows());
  return static_cast<std::int64_t>(8 * values) + 8 * source.rows();
}

// Reads every row, checking values, with several columns of one gene brought together.
void read_matrix(Dataset& d, const ReadingOptions& o, Console& console) {
  const bool counts = d.kind == MatrixKind::counts;
  const std::string rule = o.duplicates == "auto" ? (counts ? "sum" : "error") : o.duplicates;
  d.genes = unique_names(d.source->gene_names());
  d.other_names = other_names_of(*d.source, d.genes);
  std::unique_ptr<MatchedSource> matched;
  GeneMatch match;
  if (d.genes.size() != d.source->gene_names().size()) {
    GeneMatchOptions options;
    options.duplicates = rule == "sum"     ? DuplicateGenes::sum
                         : rule == "first" ? DuplicateGenes::first
                                           : DuplicateGenes::error;
    match = match_genes({{"gene names", d.source->gene_names()}}, {{"gene names", d.genes}}, options);
    if (match.merged > 0)
      console.warn(fmt::format("{} columns repeat the name of a gene and were {}", match.merged,
                               options.duplicates == DuplicateGenes::sum ? "added to its first" : "left out"));
    matched = std::make_unique<MatchedSource>(*d.source, match);
  }
  BatchSource& rows = matched ? static_cast<BatchSource&>(*matched) : *d.source;
  d.matrix = {};
  d.matrix.cols = static_cast<std::int64_t>(d.genes.size());
  const std::int64_t bound = d.source->stored_values();
  if (bound > 0) {
    d.matrix.column.reserve(static_cast<std::size_t>(bound));
    d.matrix.value.reserve(static_cast<std::size_t>(bound));
  }
  const ValueRule values =
      d.kind == MatrixKind::scaled || d.kind == MatrixKind::unknown ? ValueRule::finite : ValueRule::non_negative;
  CsrMatrix block;
  while (rows.next(block, kBlockRows)) {
    check_values(block, d.matrix.rows, {d.source->description(), d.source->cell_names(), d.genes}, values);
    append(d.matrix, block);
    expect_not_stopped("reading");
  }
}

}  // namespace

void add_reading_options(CLI::App& verb, ReadingOptions& o) {
  verb.add_option("--label", o.label_column, "column of the cells with their type");
  verb.add_option("--labels", o.labels_file, "text file with lines cell TAB label");
  verb.add_option("--exclude-label", o.excluded_labels, "leave out cells with this label; may be repeated")
      ->expected(1)
      ->take_all();
  verb.add_option("--batch", o.batch_column, "column of the cells with their batch");
  verb.add_option("--group", o.group_column, "column of the cells (a donor) that a split must not tear apart");
  verb.add_option("--orientation", o.orientation, "what a row is")
      ->check(CLI::IsMember({"auto", "cells-rows", "genes-rows"}))
      ->capture_default_str();
  verb.add_option("--matrix", o.matrix, "X, raw or layers/NAME");
  verb.add_option("--input-kind", o.input_kind, "what the values are")
      ->check(CLI::IsMember({"auto", "counts", "log1p", "log2p1", "asis", "scaled"}))
      ->capture_default_str();
  verb.add_option("--gene-column", o.gene_column, "column of the genes to name them by");
  verb.add_option("--duplicates", o.duplicates, "several columns of one gene: sum (counts), else error")
      ->check(CLI::IsMember({"auto", "sum", "first", "error"}))
      ->capture_default_str();
  verb.add_option("--min-overlap", o.min_overlap, "least part of a model's genes that must be there")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  verb.add_option("--threads", o.threads, "0: as many as the machine has")->check(CLI::Range(0, 4096));
  verb.add_option("--time-limit", o.time_limit, "seconds after which to stop")->check(duration());
  verb.add_option("--limit-cells", o.limit_cells, "read only so many first cells")->check(positive_count());
  verb.add_flag("--memory-check,!--no-memory-check", o.memory_check, "refuse what the memory will not hold");
  verb.add_flag("--overwrite,!--no-overwrite", o.overwrite, "replace outputs that are there");
}

void refuse_unused(const ReadingOptions& o, const std::string& verb, std::initializer_list<Unused> unused) {
  const auto given = [&](Unused option) -> const char* {
    switch (option) {
      case Unused::label:
        return o.label_column.empty() ? nullptr : "--label";
      case Unused::exclude_label:
        return o.excluded_labels.empty() ? nullptr : "--exclude-label";
      case Unused::batch:
        return o.batch_column.empty() ? nullptr : "--batch";
      case Unused::group:
        return o.group_column.empty() ? nullptr : "--group";
      case Unused::input_kind:
        return o.input_kind == "auto" ? nullptr : "--input-kind";
      case Unused::duplicates:
        return o.duplicates == "auto" ? nullptr : "--duplicates";
      case Unused::min_overlap:
        return o.min_overlap == ReadingOptions().min_overlap ? nullptr : "--min-overlap";
      case Unused::time_limit:
        return o.time_limit > 0 ? "--time-limit" : nullptr;
    }
    return nullptr;
  };
  std::vector<std::string> names;
  for (const Unused option : unused)
    if (const char* name = given(option)) names.emplace_back(name);
  if (!names.empty())
    throw UsageError(fmt::format("genexx {} does not do what {} asks for: leave it out", verb, fmt::join(names, ", ")));
}

MemoryCheck memory_check(const ReadingOptions& o) { return o.memory_check ? MemoryCheck::on : MemoryCheck::off; }

int thread_count(const ReadingOptions& o) {
  return o.threads > 0 ? o.threads : static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
}

ReadOptions reader_options(const ReadingOptions& o) {
  ReadOptions r;
  if (!o.matrix.empty()) r.matrix = o.matrix;
  if (!o.gene_column.empty()) r.gene_column = o.gene_column;
  if (!o.labels_file.empty()) r.labels_file = o.labels_file;
  if (o.limit_cells > 0) r.limit_cells = o.limit_cells;
  if (o.orientation == "cells-rows") r.orientation = Orientation::cells_rows;
  if (o.orientation == "genes-rows") r.orientation = Orientation::genes_rows;
  r.threads = thread_count(o);
  return r;
}

std::vector<std::string> labels_of(const MatrixSource& source, const std::string& column,
                                   const std::vector<std::string>& excluded) {
  const Column* found = source.cells().find(column);
  for (const UnreadColumn& unread : source.cells().unread)
    if (!found && unread.name == column)
      throw InputError(
          fmt::format("{}: this column about the cells cannot be read: {}; expected text, numbers or a "
                      "categorical of version 0.2.0. Choose another column, or give the labels with "
                      "--labels FILE",
                      unread.place, unread.reason));
  if (!found) {
    std::vector<std::string> names;
    std::string list;
    for (const Column& c : source.cells().columns) {
      names.push_back(c.name);
      list += (list.empty() ? "" : ", ") + c.name;
    }
    throw RefusedError("there is no column '" + column + "' about the cells" +
                       (names.empty()
                            ? "; the file has none at all, give a label file with --labels"
                            : "; the columns are " + list + ". Did you mean '" + nearest_name(column, names) + "'?"));
  }
  const Categorical labels = as_categorical(*found);
  std::vector<std::string> out(static_cast<std::size_t>(source.rows()));
  for (std::size_t i = 0; i < out.size(); ++i) {
    if (labels.codes[i] < 0) continue;
    const std::string& name = labels.categories[static_cast<std::size_t>(labels.codes[i])];
    if (std::find(excluded.begin(), excluded.end(), name) == excluded.end()) out[i] = name;
  }
  return out;
}

std::vector<std::int32_t> codes_of(const MatrixSource& source, const std::string& column) {
  if (column.empty()) return {};
  const std::vector<std::string> texts = labels_of(source, column, {});
  std::vector<std::string> names = texts;
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  std::vector<std::int32_t> codes;
  for (const std::string& text : texts)
    codes.push_back(static_cast<std::int32_t>(std::lower_bound(names.begin(), names.end(), text) - names.begin()));
  return codes;
}

std::unique_ptr<MatrixSource> open_source(const ReadingOptions& o, Console& console, MatrixKindReport& kind) {
  ReadOptions r = reader_options(o);
  std::unique_ptr<MatrixSource> source = open_matrix(o.data, r);
  for (const std::string& text : source->warnings()) console.warn(text);
  kind = classify_source(*source);
  if (kind.kind == MatrixKind::scaled && o.matrix.empty() && o.input_kind == "auto") {
    r.matrix = "raw";
    try {
      std::unique_ptr<MatrixSource> raw = open_matrix(o.data, r);
      const MatrixKindReport other = classify_source(*raw);
      if (other.kind != MatrixKind::scaled && other.kind != MatrixKind::unknown) {
        console.say("X is scaled (" + kind.evidence + "); raw is " + name_of(other.kind) + " and is used instead");
        kind = other;
        return raw;
      }
    } catch (const InputError&) {
      // The file has no raw: the scaled X is what there is, and its reader's error is not this one.
    }
  }
  if (o.input_kind != "auto") {
    kind.kind = kind_by_name(o.input_kind);
    kind.evidence = "--input-kind " + o.input_kind;
  }
  return source;
}

void warn_of_repeated_names(const MatrixSource& source, Console& console) {
  std::unordered_set<std::string_view> seen;
  std::int64_t repeated = 0;
  std::string_view example;
  for (const std::string& name : source.cell_names()) {
    if (seen.insert(name).second) continue;
    if (repeated++ == 0) example = name;
  }
  if (repeated > 0)
    console.warn(fmt::format("{} {} the name of an earlier cell (the first is '{}'); all are kept", repeated,
                             repeated == 1 ? "cell has" : "cells have", example));
}

void expect_known_kind(MatrixKindReport& kind, const ReadingOptions& o) {
  if (kind.kind != MatrixKind::unknown || o.input_kind != "auto") return;
  if (kind.negative + kind.nan + kind.infinite > 0) {
    kind.kind = MatrixKind::counts;  // whose check will name the value that cannot be one, and its place
    return;
  }
  throw RefusedError(o.data + ": the values are neither counts nor their logarithm (" + kind.evidence +
                     "); choose another matrix with --matrix (genexx inspect lists them), or say --input-kind asis "
                     "to use them as they are");
}

Dataset read_dataset(const ReadingOptions& o, Labels labels, Console& console) {
  const auto begin = std::chrono::steady_clock::now();
  if (o.time_limit > 0) set_time_limit(o.time_limit);
  Dataset d;
  MatrixKindReport report;
  d.source = open_source(o, console, report);
  expect_known_kind(report, o);
  d.kind = report.kind;
  d.evidence = report.evidence;
  console.say(fmt::format("{}: {} cells, {} genes; {}; {} ({})", o.data, d.source->rows(), d.source->cols(),
                          d.source->description(), name_of(d.kind), d.evidence));
  warn_of_repeated_names(*d.source, console);
  if (d.kind == MatrixKind::scaled && o.input_kind != "scaled")
    throw RefusedError(
        o.data + ": the values are scaled (" + d.evidence +
        "), expected counts or their logarithm; choose another matrix with --matrix (genexx inspect lists "
        "them), or say --input-kind scaled to use them as they are");
  d.label_name = !o.label_column.empty() ? o.label_column : !o.labels_file.empty() ? "label" : "";
  if (labels != Labels::none && !d.label_name.empty()) d.labels = labels_of(*d.source, d.label_name, o.excluded_labels);
  if (labels == Labels::required && d.labels.empty())
    throw RefusedError(o.data +
                       ": which column holds the cell types? Give --label COLUMN (genexx inspect lists the "
                       "columns), or --labels FILE");
  if (!o.excluded_labels.empty() && !d.labels.empty())
    console.say(fmt::format("{} cells have no label or an excluded one",
                            std::count(d.labels.begin(), d.labels.end(), std::string())));
  expect_memory(matrix_bytes(*d.source, report), o.data + ": its matrix", memory_check(o));
  read_matrix(d, o, console);
  if (d.kind == MatrixKind::log2p1) {
    for (float& v : d.matrix.value) v *= static_cast<float>(std::log(2.0));
    console.say("logarithms to base 2 were made natural");
  }
  d.read_seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  return d;
}

}  // namespace genexx::tools
