// SPDX-License-Identifier: Apache-2.0
#include "io/matrix_market_files.h"

#include <algorithm>
#include <filesystem>
#include <initializer_list>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "engine/error.h"
#include "io/number_text.h"
#include "io/text_reader.h"
#include "io/utf8_text.h"

namespace genexx {
namespace {

namespace fs = std::filesystem;

bool ends_with(const std::string& text, std::string_view end) {
  return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

bool is_matrix_name(const std::string& name) { return ends_with(name, ".mtx") || ends_with(name, ".mtx.gz"); }

bool is_main_matrix_name(const std::string& name) {
  return ends_with(name, "matrix.mtx") || ends_with(name, "matrix.mtx.gz");
}

std::string only_matrix_in(const std::string& directory) {
  std::vector<std::string> names, matrices, main_matrices;
  for (const fs::directory_entry& entry : fs::directory_iterator(directory)) {
    const std::string name = entry.path().filename().string();
    names.push_back(name);
    if (!entry.is_regular_file() || !is_matrix_name(name)) continue;
    matrices.push_back(name);
    if (is_main_matrix_name(name)) main_matrices.push_back(name);
  }
  if (main_matrices.size() == 1) return main_matrices.front();
  if (matrices.size() == 1) return matrices.front();
  std::sort(names.begin(), names.end());
  std::sort(matrices.begin(), matrices.end());
  if (names.empty())
    throw InputError(directory + " is an empty directory; expected matrix.mtx(.gz) with its barcodes and features");
  if (matrices.empty()) {
    names.resize(std::min<std::size_t>(names.size(), 10));
    throw InputError(
        fmt::format("{} holds no Matrix Market file (*.mtx, *.mtx.gz); it holds: {}. Give the directory "
                    "that holds matrix.mtx, or a file.",
                    directory, fmt::join(names, ", ")));
  }
  throw InputError(fmt::format("{} holds {} matrices: {}; give the path of one of them", directory, matrices.size(),
                               fmt::join(matrices, ", ")));
}

std::string existing(const std::string& directory, const std::vector<std::string>& prefixes,
                     std::initializer_list<const char*> stems) {
  for (const std::string& prefix : prefixes) {
    for (const char* stem : stems) {
      for (const char* ending : {".tsv.gz", ".tsv", ".txt.gz", ".txt"}) {
        const std::string path = (fs::path(directory) / (prefix + stem + ending)).string();
        if (fs::is_regular_file(path)) return path;
      }
    }
  }
  return "";
}

}  // namespace

MatrixMarketFiles find_matrix_market_files(const std::string& path) {
  std::error_code error;
  const bool in_directory = fs::is_directory(path, error);
  const std::string directory = in_directory ? path : fs::path(path).parent_path().string();
  const std::string name = in_directory ? only_matrix_in(path) : fs::path(path).filename().string();
  std::vector<std::string> prefixes;
  const std::size_t main_part = name.rfind("matrix.mtx");
  if (is_main_matrix_name(name)) prefixes.push_back(name.substr(0, main_part));
  const std::string stem = name.substr(0, name.rfind(".mtx"));
  if (is_matrix_name(name)) prefixes.insert(prefixes.end(), {stem + ".", stem + "_"});
  return {(fs::path(directory) / name).string(), existing(directory, prefixes, {"features", "genes"}),
          existing(directory, prefixes, {"barcodes", "cells"})};
}

Features read_features(const std::string& path) {
  TextReader reader(path);
  Features features;
  std::vector<std::string> fields;
  std::size_t expected = 0;
  for (std::string_view line; reader.next(line);) {
    if (!split_fields(line, '\t', fields)) reader.fail("a quote that is not closed; check the line");
    if (expected == 0) expected = fields.size();
    if (fields.size() != expected) {
      reader.fail(fmt::format("{} fields, the lines before have {}; expected id, name, type separated by tabs",
                              fields.size(), expected));
    }
    if (fields[0].empty()) reader.fail("an empty feature id; expected id, name, type separated by tabs");
    for (std::string& field : fields) {
      reader.check_field(field);
      field = utf8_text(std::move(field));
    }
    features.id.push_back(fields[0]);
    features.name.push_back(expected > 1 && !fields[1].empty() ? fields[1] : fields[0]);
    if (expected > 2) features.type.push_back(fields[2]);
  }
  return features;
}

std::vector<std::string> read_barcodes(const std::string& path) {
  TextReader reader(path);
  std::vector<std::string> barcodes;
  for (std::string_view line; reader.next(line);) {
    const std::string_view name = line.substr(0, line.find('\t'));
    reader.check_field(name);
    barcodes.push_back(utf8_text(std::string(name)));
    if (barcodes.back().empty()) reader.fail("an empty cell name; expected one name on each line");
  }
  return barcodes;
}

}  // namespace genexx
