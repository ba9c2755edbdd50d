// SPDX-License-Identifier: Apache-2.0
#include "io/split_file.h"

#include <algorithm>
#include <string_view>
#include <unordered_map>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "engine/error.h"
#include "io/atomic_file.h"
#include "io/binary_file.h"

namespace genexx {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kFormat = "genexx-split";
constexpr int kVersion = 1;

// Empty where the split is sound; otherwise what is wrong.
std::string problem_of(const CellSplit& split, std::int64_t cells) {
  std::vector<char> seen(static_cast<std::size_t>(cells), 0);
  for (const auto* part : {&split.train, &split.validation, &split.test}) {
    for (const std::int64_t row : *part) {
      if (row < 0 || row >= cells) return fmt::format("row {} is not one of {} cells", row, cells);
      char& mark = seen[static_cast<std::size_t>(row)];
      if (mark != 0) return fmt::format("row {} is there twice", row);
      mark = 1;
    }
  }
  return "";
}

template <typename Failure>
void check_splits(const SplitFile& file, const std::string& path) {
  for (std::size_t i = 0; i < file.splits.size(); ++i) {
    const std::string problem = problem_of(file.splits[i], static_cast<std::int64_t>(file.cell_names.size()));
    if (!problem.empty()) throw Failure(fmt::format("{}: split {}: {}", path, i, problem));
  }
}

Json parse(const std::string& path) {
  const BinaryFile in(path);
  std::string text(static_cast<std::size_t>(in.size()), '\0');
  in.read(text.data(), 0, in.size());
  try {
    return Json::parse(text);
  } catch (const Json::exception& error) {
    throw InputError(fmt::format("{} is not JSON ({}); expected a split.json", path, error.what()));
  }
}

void check_format(const std::string& path, const Json& json) {
  if (!json.is_object() || !json.contains("format") || json["format"] != kFormat) {
    throw InputError(fmt::format("{} is not a split.json: it lacks \"format\": \"{}\"", path, kFormat));
  }
  const Json version = json.value("version", Json());
  if (!version.is_number_integer() || version.get<std::int64_t>() > kVersion || version.get<std::int64_t>() < 1) {
    throw InputError(fmt::format("{} has split version {}, this program reads up to {}; use a newer program", path,
                                 version.dump(), kVersion));
  }
}

template <typename Value>
Value field(const std::string& path, const Json& json, const char* name) {
  try {
    return json.at(name).get<Value>();
  } catch (const Json::exception& error) {
    throw InputError(fmt::format("{}: field '{}' is missing or of the wrong type ({})", path, name, error.what()));
  }
}

// Rows of the data by place in the file; the k-th repeat of a name is the k-th in the data.
std::vector<std::int64_t> rows_in(const SplitFile& file, const std::vector<std::string>& cell_names) {
  std::unordered_map<std::string_view, std::vector<std::int64_t>> rows;
  for (std::size_t row = 0; row < cell_names.size(); ++row) {
    rows[cell_names[row]].push_back(static_cast<std::int64_t>(row));
  }
  std::unordered_map<std::string_view, std::size_t> used;
  std::vector<std::int64_t> place;
  for (const std::string& name : file.cell_names) {
    const auto found = rows.find(name);
    const std::size_t repeat = used[name]++;
    place.push_back(found == rows.end() || repeat >= found->second.size() ? -1 : found->second[repeat]);
  }
  return place;
}

}  // namespace

void write_split_file(const std::string& path, const SplitFile& file) {
  check_splits<UsageError>(file, path);
  Json json;
  json["format"] = kFormat;
  json["version"] = kVersion;
  json["kind"] = file.kind;
  json["seed"] = file.seed;
  json["cells"] = file.cell_names;
  json["splits"] = Json::array();
  for (const CellSplit& split : file.splits) {
    Json entry;
    entry["train"] = split.train;
    entry["validation"] = split.validation;
    entry["test"] = split.test;
    json["splits"].push_back(std::move(entry));
  }
  // A name that is not UTF-8 keeps its place; only its bytes are replaced.
  write_file_atomically(path, json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n");
}

SplitFile read_split_file(const std::string& path) {
  const Json json = parse(path);
  check_format(path, json);
  SplitFile file;
  file.kind = field<std::string>(path, json, "kind");
  file.seed = field<std::uint64_t>(path, json, "seed");
  file.cell_names = field<std::vector<std::string>>(path, json, "cells");
  for (const Json& entry : field<Json>(path, json, "splits")) {
    file.splits.push_back({field<std::vector<std::int64_t>>(path, entry, "train"),
                           field<std::vector<std::int64_t>>(path, entry, "validation"),
                           field<std::vector<std::int64_t>>(path, entry, "test")});
  }
  check_splits<InputError>(file, path);
  return file;
}

std::vector<CellSplit> splits_for(const SplitFile& file, const std::vector<std::string>& cell_names) {
  if (file.cell_names == cell_names) return file.splits;
  const std::vector<std::int64_t> place = rows_in(file, cell_names);
  std::vector<CellSplit> splits = file.splits;
  std::int64_t lost = 0;
  std::string example;
  for (CellSplit& split : splits) {
    for (auto* part : {&split.train, &split.validation, &split.test}) {
      for (std::int64_t& row : *part) {
        const std::string& name = file.cell_names[static_cast<std::size_t>(row)];
        row = place[static_cast<std::size_t>(row)];
        if (row >= 0) continue;
        ++lost;
        if (example.empty()) example = name;
      }
      std::sort(part->begin(), part->end());
    }
  }
  if (lost > 0) {
    throw RefusedError(
        fmt::format("the split names cells that are not in the data ({} places, the first is '{}'); use "
                    "the data it was made for",
                    lost, example));
  }
  return splits;
}

}  // namespace genexx
