// SPDX-License-Identifier: Apache-2.0
#include "tools/dgex_data.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <fstream>
#include <unordered_map>

#include <fmt/format.h>

#include "engine/error.h"
#include "io/dense_rows.h"
#include "io/npy_rows.h"
#include "io/probe_map.h"
#include "io/sha256.h"
#include "io/tab_fields.h"
#include "io/text_reader.h"
#include "io/value_check.h"
#include "models/dgex/clustering.h"
#include "models/dgex/profile_set.h"
#include "tools/stop_signal.h"

namespace genexx::tools {
namespace {

using Clock = std::chrono::steady_clock;
double since(Clock::time_point begin) { return std::chrono::duration<double>(Clock::now() - begin).count(); }

std::size_t at(std::int64_t i) { return static_cast<std::size_t>(i); }

nlohmann::json read_json(const std::string& path) {
  std::ifstream file(path);
  if (!file) throw InputError(path + ": cannot be opened; is the preparation whole? Run genexx prepare-dgex again");
  try {
    return nlohmann::json::parse(file);
  } catch (const nlohmann::json::exception& error) {
    throw InputError(path + ": not JSON: " + error.what());
  }
}

std::vector<std::vector<std::string>> read_tsv(const std::string& path) {
  TextReader text(path);
  std::vector<std::vector<std::string>> rows;
  std::string_view line;
  while (text.next(line)) {
    std::vector<std::string> fields;
    for (TabFields cut(line); !cut.done();) fields.emplace_back(cut.next());
    rows.push_back(std::move(fields));
    if (rows.back().size() != rows.front().size())
      text.fail(fmt::format("{} fields, the header has {}", rows.back().size(), rows.front().size()));
  }
  if (rows.empty()) throw InputError(path + ": the file is empty");
  return rows;
}

std::size_t column_of(const std::vector<std::string>& header, const std::string& name, const std::string& path) {
  const auto found = std::find(header.begin(), header.end(), name);
  if (found == header.end()) throw InputError(path + ": there is no column '" + name + "'; prepare the data again");
  return static_cast<std::size_t>(found - header.begin());
}

void read_genes(const std::string& path, DgexData& data) {
  const auto rows = read_tsv(path);
  const auto& head = rows[0];
  const std::size_t role = column_of(head, "role", path), id = column_of(head, "id", path);
  const std::size_t symbol = column_of(head, "symbol", path), mean = column_of(head, "mean_GEO", path);
  const std::size_t deviation = column_of(head, "deviation_GEO", path);
  for (std::size_t i = 1; i < rows.size(); ++i) {
    const auto& row = rows[i];
    try {
      const DgexGene gene = {row[id], row[symbol], std::stod(row[mean]),
                             std::stod(row[deviation]) + dgex::kDeviationFloor};
      (row[role] == "landmark" ? data.landmarks : data.targets).push_back(gene);
    } catch (const std::exception&) {
      throw InputError(fmt::format("{}: line {}: mean '{}' or deviation '{}' is not a number", path, i + 1, row[mean],
                                   row[deviation]));
    }
  }
}

void read_samples(const std::string& path, DgexData& data) {
  const auto rows = read_tsv(path);
  const std::size_t set = column_of(rows[0], "set", path), name = column_of(rows[0], "sample", path);
  std::unordered_map<std::string, std::vector<std::string>> of_set;
  for (std::size_t i = 1; i < rows.size(); ++i) of_set[rows[i][set]].push_back(rows[i][name]);
  for (const dgex::Part& part : data.parts) {
    const auto& names = of_set[part.name];
    if (static_cast<std::int64_t>(names.size()) != part.count)
      throw InputError(
          fmt::format("{}: {} samples of {}, its matrices have {}", path, names.size(), part.name, part.count));
    data.samples.insert(data.samples.end(), names.begin(), names.end());
  }
}

void expect_size(const std::string& path, const NpyRows& rows, std::int64_t count, std::int64_t cols) {
  if (rows.rows() == count && rows.cols() == cols) return;
  throw InputError(fmt::format("{} is {} x {}, expected {} x {}; prepare the data again", path, rows.rows(),
                               rows.cols(), count, cols));
}

struct Range {
  std::int64_t begin = 0, end = 0;
};

Range targets_of(const nlohmann::json& prepared, const std::string& which) {
  if (which == "all") return {0, prepared.at("targets").get<std::int64_t>()};
  const nlohmann::json half = prepared.at("halves").at(which == "first" ? 0 : 1);
  return {half.at(0).get<std::int64_t>(), half.at(1).get<std::int64_t>()};
}

void append_part(const std::string& directory, const dgex::Part& part, const nlohmann::json& files,
                 const Range& targets, std::int64_t all_targets, DgexData& data) {
  constexpr std::int64_t kRowsAtOnce = 256;
  const std::string x_path = directory + "/" + files.at("x").get<std::string>();
  const std::string y_path = directory + "/" + files.at("y").get<std::string>();
  const NpyRows x(x_path), y(y_path);
  expect_size(x_path, x, part.count, data.set.dense.cols);
  expect_size(y_path, y, part.count, all_targets);
  const std::size_t x_begin = data.set.dense.value.size();
  data.set.dense.value.resize(x_begin + at(part.count * x.cols()));
  x.read(0, part.count, data.set.dense.value.data() + x_begin);
  std::vector<float> block(at(kRowsAtOnce * all_targets));
  for (std::int64_t first = 0; first < part.count; first += kRowsAtOnce) {
    const std::int64_t count = std::min(kRowsAtOnce, part.count - first);
    y.read(first, count, block.data());
    for (std::int64_t i = 0; i < count; ++i)
      data.set.targets.value.insert(data.set.targets.value.end(), block.begin() + i * all_targets + targets.begin,
                                    block.begin() + i * all_targets + targets.end);
  }
}

void refuse_not_finite(const std::vector<float>& values, const std::string& what) {
  for (std::size_t i = 0; i < values.size(); ++i)
    if (!std::isfinite(values[i]))
      throw RefusedError(fmt::format("{}: element {} is {}, expected finite numbers", what, i, values[i]));
}

// The cells of the set, and one preparation that leaves the landmarks as they are.
void finish(DgexData& data) {
  data.set.cells = data.set.dense.rows;
  Preparation p;
  p.shift.assign(at(data.set.dense.cols), 0.0f);
  p.factor.assign(at(data.set.dense.cols), 1.0f);
  p.live_genes = data.set.dense.cols;
  data.set.preparations = {std::move(p)};
}

// Mean and scale of each column over the first `rows` rows; then all rows are standardised.
void standardise(DenseMatrix& m, std::int64_t rows, std::vector<DgexGene>& genes) {
  for (std::int64_t c = 0; c < m.cols; ++c) {
    double mean = 0, squares = 0;
    for (std::int64_t r = 0; r < rows; ++r) mean += static_cast<double>(m.value[at(r * m.cols + c)]);
    mean /= static_cast<double>(rows);
    for (std::int64_t r = 0; r < rows; ++r) {
      const double d = static_cast<double>(m.value[at(r * m.cols + c)]) - mean;
      squares += d * d;
    }
    genes[at(c)].mean = mean;
    genes[at(c)].scale = std::sqrt(squares / static_cast<double>(rows)) + dgex::kDeviationFloor;
  }
  for (std::size_t i = 0; i < m.value.size(); ++i) {
    const DgexGene& gene = genes[i % genes.size()];
    m.value[i] = static_cast<float>((static_cast<double>(m.value[i]) - gene.mean) / gene.scale);
  }
}

// Columns of the landmarks, in the order of the list.
std::vector<std::int32_t> landmark_columns(const MatrixSource& source, const std::string& path) {
  std::unordered_map<std::string, std::int32_t> column;
  for (std::size_t i = 0; i < source.gene_names().size(); ++i)
    column.emplace(without_version(source.gene_names()[i]), static_cast<std::int32_t>(i));
  TextReader text(path);
  std::vector<std::int32_t> columns;
  std::string missing;
  std::int64_t absent = 0;
  std::string_view line;
  while (text.next(line)) {
    if (without_tail(line).empty() || line.front() == '#') continue;
    const std::string name(TabFields(line).next());
    const auto found = column.find(without_version(name));
    if (found == column.end()) {
      ++absent;
      if (missing.empty()) missing = name;
    } else if (std::find(columns.begin(), columns.end(), found->second) != columns.end()) {
      text.fail("'" + name + "' is a landmark that was named before; expected each once");
    } else {
      columns.push_back(found->second);
    }
  }
  if (absent > 0)
    throw RefusedError(
        fmt::format("{}: {} landmarks are no genes of the data, the first being '{}'; do they use the "
                    "same names? (--gene-column)",
                    path, absent, missing));
  if (columns.empty()) throw InputError(path + " names no landmark, expected one on each line");
  return columns;
}

}  // namespace

namespace {

// Sizes, parts and matrices, as prepared.json says. Throws nlohmann's exceptions for what it does not say.
void read_parts(const std::string& directory, const nlohmann::json& prepared, const std::string& which,
                Console& console, DgexData& data) {
  if (prepared.at("format") != "genexx-dgex-prepared" || prepared.at("version").get<int>() > 1)
    throw InputError(directory + "/prepared.json: not a preparation this program knows; use a newer Genexx");
  const Range targets = targets_of(prepared, which);
  const auto all_targets = prepared.at("targets").get<std::int64_t>();
  data.set.dense.cols = prepared.at("landmarks").get<std::int64_t>();
  data.set.targets.cols = targets.end - targets.begin;
  if (static_cast<std::int64_t>(data.landmarks.size()) != data.set.dense.cols ||
      static_cast<std::int64_t>(data.targets.size()) != all_targets)
    throw InputError(directory + ": genes.tsv and prepared.json disagree; prepare the data again");
  std::int64_t rows = 0;
  for (const char* name : {"train", "validation", "test", "1000G", "GTEx"}) {
    if (!prepared.at("sets").contains(name)) continue;
    data.parts.push_back({name, rows, prepared.at("sets").at(name).at("profiles").get<std::int64_t>()});
    rows += data.parts.back().count;
  }
  if (!dgex::find_part(data.parts, "train") || !dgex::find_part(data.parts, "validation"))
    throw InputError(directory + " has no training or no validation profiles; prepare the data again");
  data.set.dense.rows = data.set.targets.rows = rows;
  data.set.dense.value.reserve(at(rows * data.set.dense.cols));
  data.set.targets.value.reserve(at(rows * data.set.targets.cols));
  for (const dgex::Part& part : data.parts) {
    append_part(directory, part, prepared.at("sets").at(part.name), targets, all_targets, data);
    console.show_progress(part.begin + part.count, rows, "reading " + part.name);
    expect_not_stopped("reading");
  }
  console.end_progress();
  data.targets = {data.targets.begin() + targets.begin, data.targets.begin() + targets.end};
}

}  // namespace

DgexData read_prepared_dgex(const std::string& directory, const dgex::Config& config, Console& console) {
  const auto begin = Clock::now();
  const std::string summary_path = directory + "/prepared.json";
  const nlohmann::json prepared = read_json(summary_path);
  DgexData data;
  data.prepared = true;
  data.sha256 = sha256_of(summary_path);
  read_genes(directory + "/genes.tsv", data);
  try {
    read_parts(directory, prepared, config.targets, console, data);
  } catch (const nlohmann::json::exception& error) {
    throw InputError(summary_path + ": damaged: " + error.what());
  }
  read_samples(directory + "/samples.tsv", data);
  refuse_not_finite(data.set.dense.value, directory + ": landmarks");
  refuse_not_finite(data.set.targets.value, directory + ": targets");
  finish(data);
  data.description = directory + " (prepared)";
  data.seconds = since(begin);
  return data;
}

namespace {

// Which columns of a matrix are landmarks, which targets; and the place of each row after the shuffle.
struct MatrixLayout {
  std::vector<std::int32_t> landmarks, targets;
  std::vector<std::int64_t> place;
};

std::vector<std::int32_t> other_columns(const std::vector<std::int32_t>& landmarks, std::int64_t columns) {
  std::vector<bool> is_landmark(at(columns), false);
  for (const std::int32_t c : landmarks) is_landmark[at(c)] = true;
  std::vector<std::int32_t> others;
  for (std::int32_t c = 0; c < static_cast<std::int32_t>(columns); ++c)
    if (!is_landmark[at(c)]) others.push_back(c);
  return others;
}

std::vector<dgex::Part> split_profiles(const std::string& path, std::int64_t rows, const dgex::Config& config) {
  const auto part_of = [rows](double fraction) {
    return static_cast<std::int64_t>(std::llround(fraction * static_cast<double>(rows)));
  };
  const std::int64_t test = part_of(config.test_fraction), validation = part_of(config.validation_fraction);
  const std::int64_t train = rows - test - validation;
  if (train < 2 || validation < 1)
    throw RefusedError(fmt::format("{}: {} profiles are too few to train, validate and test on", path, rows));
  return {{"train", 0, train}, {"validation", train, validation}, {"test", train + validation, test}};
}

void take_names(const MatrixSource& source, const std::vector<std::int64_t>& order, MatrixLayout& layout,
                DgexData& data) {
  layout.place.resize(order.size());
  data.samples.resize(order.size());
  for (std::size_t i = 0; i < order.size(); ++i) {
    layout.place[at(order[i])] = static_cast<std::int64_t>(i);
    data.samples[i] = source.cell_names()[at(order[i])];
  }
  for (const std::int32_t c : layout.landmarks) data.landmarks.push_back({source.gene_names()[at(c)], "", 0, 1});
  for (const std::int32_t c : layout.targets) data.targets.push_back({source.gene_names()[at(c)], "", 0, 1});
}

DenseMatrix empty_matrix(std::int64_t rows, std::size_t cols) {
  DenseMatrix m;
  m.rows = rows;
  m.cols = static_cast<std::int64_t>(cols);
  m.value.resize(at(m.rows * m.cols));
  return m;
}

void read_values(MatrixSource& source, const MatrixLayout& layout, Console& console, TrainingSet& set) {
  set.dense = empty_matrix(source.rows(), layout.landmarks.size());
  set.targets = empty_matrix(source.rows(), layout.targets.size());
  CsrMatrix block;
  std::int64_t done = 0;
  while (source.next(block, 256)) {
    check_values(block, done, source, ValueRule::finite);
    const std::vector<float> values = dense_rows(block);
    for (std::int64_t i = 0; i < block.rows; ++i, ++done) {
      const float* row = values.data() + i * block.cols;
      float* x = set.dense.value.data() + layout.place[at(done)] * set.dense.cols;
      float* y = set.targets.value.data() + layout.place[at(done)] * set.targets.cols;
      for (std::size_t c = 0; c < layout.landmarks.size(); ++c) x[c] = row[layout.landmarks[c]];
      for (std::size_t c = 0; c < layout.targets.size(); ++c) y[c] = row[layout.targets[c]];
    }
    console.show_progress(done, source.rows(), "reading");
    expect_not_stopped("reading");
  }
  console.end_progress();
}

}  // namespace

DgexData read_matrix_dgex(const ReadingOptions& reading, const std::string& landmark_file, const dgex::Config& config,
                          std::uint64_t seed, Console& console) {
  const auto begin = Clock::now();
  if (config.targets != "all")
    throw UsageError("train.targets=" + config.targets + " is for prepared directories; one matrix trains all targets");
  const std::unique_ptr<MatrixSource> source = open_matrix(reading.data, reader_options(reading));
  MatrixLayout layout;
  layout.landmarks = landmark_columns(*source, landmark_file);
  layout.targets = other_columns(layout.landmarks, source->cols());
  if (layout.targets.empty())
    throw RefusedError(landmark_file + ": every gene of the data is a landmark, no target is left");
  DgexData data;
  data.parts = split_profiles(reading.data, source->rows(), config);
  take_names(*source, dgex::shuffled_order(seed, dgex::kSampleOrder, source->rows()), layout, data);
  read_values(*source, layout, console, data.set);
  if (config.standardise == "yes") {
    const std::int64_t train = dgex::find_part(data.parts, "train")->count;
    standardise(data.set.dense, train, data.landmarks);
    standardise(data.set.targets, train, data.targets);
  }
  finish(data);
  data.description = source->description();
  data.sha256 = sha256_of(reading.data);
  data.seconds = since(begin);
  return data;
}

}  // namespace genexx::tools
