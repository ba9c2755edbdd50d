// SPDX-License-Identifier: Apache-2.0
#include "io/orientation_evidence.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <initializer_list>
#include <string_view>
#include <unordered_set>

#include <fmt/format.h>

namespace genexx {
namespace {

constexpr std::array<std::string_view, 22> kGeneCorners = {
    "gene",   "genes",   "gene_id",  "geneid", "gene_name", "genename",       "gene_symbol", "genesymbol",
    "symbol", "symbols", "ensembl",  "ensg",   "entrez",    "entrezid",       "entrez_id",   "ensembl_id",
    "hgnc",   "feature", "features", "probe",  "id_ref",    "gene_short_name"};
constexpr std::array<std::string_view, 14> kCellCorners = {"cell",    "cells",    "cellid",   "cell_id", "cell_name",
                                                           "barcode", "barcodes", "sample",   "samples", "sample_id",
                                                           "label",   "region",   "sampleid", "cellname"};
// Symbols that nearly every expression table holds, in human spelling; compared without regard to case.
constexpr std::array<std::string_view, 44> kKnownSymbols = {
    "ACTB", "GAPDH", "B2M",   "MALAT1", "EEF1A1", "TMSB4X", "FTL",   "FTH1",  "TPT1",   "VIM",  "CD3D",
    "CD3E", "CD4",   "CD8A",  "CD14",   "CD19",   "CD79A",  "MS4A1", "LYZ",   "NKG7",   "GNLY", "PPBP",
    "CST3", "XIST",  "INS",   "GCG",    "SST",    "PPY",    "GAD1",  "GAD2",  "SNAP25", "MBP",  "GFAP",
    "AQP4", "SOX2",  "SOX17", "TP53",   "EGFR",   "MYC",    "STAT1", "ACTG1", "TUBA1A", "UBC",  "HPRT1"};
constexpr std::size_t kMostNames = 2000;  // of each axis are looked at
constexpr double kEnough = 0.05;          // difference of shares that counts as evidence

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool all_digits(std::string_view text) { return !text.empty() && std::all_of(text.begin(), text.end(), is_digit); }

std::string upper(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), [](unsigned char c) { return std::toupper(c); });
  return out;
}

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), [](unsigned char c) { return std::tolower(c); });
  return out;
}

bool starts_with_any(std::string_view text, std::initializer_list<std::string_view> starts) {
  return std::any_of(starts.begin(), starts.end(), [&](std::string_view start) { return text.starts_with(start); });
}

bool only_genes_have(const std::string& name) {
  const std::string text = upper(name);
  if (text.starts_with("ENS") && text.size() >= 15) return true;
  if (text.starts_with("FBGN") && all_digits(std::string_view(text).substr(4))) return true;
  if (starts_with_any(text, {"MT-", "RPS", "RPL", "HLA-"})) return true;
  if (name.ends_with("Rik") || text.starts_with("GENE")) return true;
  return std::find(kKnownSymbols.begin(), kKnownSymbols.end(), text) != kKnownSymbols.end();
}

bool holds_barcode(std::string_view text) {
  std::size_t run = 0;
  for (const char c : text) {
    run = c == 'A' || c == 'C' || c == 'G' || c == 'T' ? run + 1 : 0;
    if (run >= 10) return true;
  }
  return false;
}

bool only_cells_have(const std::string& name) {
  if (only_genes_have(name)) return false;
  const std::string text = upper(name);
  if (holds_barcode(text)) return true;
  if (starts_with_any(text, {"TCGA-", "GTEX-"})) return true;
  if (starts_with_any(text, {"GSM", "SRR", "ERR", "DRR"}) && all_digits(std::string_view(text).substr(3))) return true;
  if (text.find("CELL") != std::string::npos || text.find("SAMPLE") != std::string::npos) return true;
  const std::size_t underscore = text.rfind('_');
  return underscore != std::string::npos && all_digits(std::string_view(text).substr(underscore + 1));
}

struct Shares {
  double gene = 0, cell = 0;
};

Shares name_shares(const std::vector<std::string>& names) {
  // Evenly spread, since files sorted by name show one family of names at the start.
  const std::size_t step = std::max<std::size_t>(1, names.size() / kMostNames);
  double seen = 0;
  Shares shares;
  for (std::size_t i = 0; i < names.size(); i += step) {
    ++seen;
    shares.gene += only_genes_have(names[i]);
    shares.cell += only_cells_have(names[i]);
  }
  if (seen > 0) shares = {shares.gene / seen, shares.cell / seen};
  return shares;
}

OrientationVerdict by_labels(const TableNames& table) {
  const std::unordered_set<std::string_view> labelled(table.labels->cell.begin(), table.labels->cell.end());
  const auto found = [&](const std::vector<std::string>& names) {
    return std::count_if(names.begin(), names.end(), [&](const std::string& name) { return labelled.count(name) > 0; });
  };
  const auto in_columns = found(*table.columns);
  const auto in_rows = found(*table.rows);
  if (in_columns == in_rows) return {};
  const bool genes_in_rows = in_columns > in_rows;
  return {genes_in_rows ? RowsAre::genes : RowsAre::cells,
          fmt::format("the label file names {} of the {}", std::max(in_columns, in_rows),
                      genes_in_rows ? "columns" : "rows")};
}

OrientationVerdict by_corner(const std::string& corner) {
  const std::string text = lower(corner);
  const std::string reason = fmt::format("the row names are headed '{}'", corner);
  if (std::find(kGeneCorners.begin(), kGeneCorners.end(), text) != kGeneCorners.end()) return {RowsAre::genes, reason};
  if (std::find(kCellCorners.begin(), kCellCorners.end(), text) != kCellCorners.end()) return {RowsAre::cells, reason};
  return {};
}

OrientationVerdict by_names(const TableNames& table) {
  const Shares columns = name_shares(*table.columns);
  const Shares rows = name_shares(*table.rows);
  const double genes_in_rows = (rows.gene - columns.gene) + (columns.cell - rows.cell);
  if (std::abs(genes_in_rows) < kEnough) return {};
  return {genes_in_rows > 0 ? RowsAre::genes : RowsAre::cells,
          fmt::format("names of genes: {:.0f} % of the rows, {:.0f} % of the columns; names of cells: {:.0f} % of the "
                      "rows, {:.0f} % of the columns",
                      100 * rows.gene, 100 * columns.gene, 100 * rows.cell, 100 * columns.cell)};
}

OrientationVerdict by_shape(const TableNames& table) {
  const auto as_many_as_genes = [](std::size_t count) { return count >= 8000 && count <= 70000; };
  const bool rows = as_many_as_genes(table.rows->size());
  const bool columns = as_many_as_genes(table.columns->size());
  if (rows == columns) return {};
  return {rows ? RowsAre::genes : RowsAre::cells,
          fmt::format("{} rows and {} columns, and an organism has 8,000 to 70,000 genes", table.rows->size(),
                      table.columns->size())};
}

}  // namespace

OrientationVerdict tell_orientation_by_names(const TableNames& table) {
  OrientationVerdict verdict;
  if (table.labels) verdict = by_labels(table);
  if (verdict.rows_are == RowsAre::unknown) verdict = by_corner(table.corner);
  if (verdict.rows_are == RowsAre::unknown) verdict = by_names(table);
  return verdict;
}

OrientationVerdict tell_orientation(const TableNames& table) {
  const OrientationVerdict verdict = tell_orientation_by_names(table);
  return verdict.rows_are == RowsAre::unknown ? by_shape(table) : verdict;
}

}  // namespace genexx
