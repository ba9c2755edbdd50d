// SPDX-License-Identifier: Apache-2.0
#include "tools/dgex_application.h"

#include <cmath>
#include <filesystem>
#include <limits>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "engine/error.h"
#include "io/dense_rows.h"
#include "io/value_check.h"
#include "models/dgex/profile_set.h"
#include "tools/stop_signal.h"
#include "tools/train_options.h"

namespace genexx::tools {
namespace {

constexpr std::int64_t kRows = dgex::Inference::kMostRows;
constexpr const char* kHalves[] = {"first", "second"};

std::size_t at(std::int64_t i) { return static_cast<std::size_t>(i); }

bool holds_halves(const std::string& path) {
  return std::filesystem::is_directory(path) && !std::filesystem::exists(path + "/model.safetensors") &&
         std::filesystem::exists(path + "/first/model.safetensors") &&
         std::filesystem::exists(path + "/second/model.safetensors");
}

std::vector<Model> read_models(const std::string& path) {
  std::vector<Model> models;
  if (!holds_halves(path)) {
    models.push_back(read_model(path));
    return models;
  }
  for (const char* half : kHalves) models.push_back(read_model(path + "/" + half));
  if (models[0].recipe.gene_ids != models[1].recipe.gene_ids)
    throw InputError(path +
                     ": the models in first/ and second/ take different landmarks; expected the halves of one "
                     "training");
  return models;
}

// Calls use(values, rows) for blocks of all profiles in the matched genes; what is missing is zero.
template <class Use>
void for_rows(MatrixSource& source, const GeneMatch& match, Use&& use) {
  MatchedSource matched(source, match);
  matched.rewind();
  CsrMatrix block;
  while (matched.next(block, kRows)) {
    use(dense_rows(block), block.rows);
    expect_not_stopped("predicting");
  }
}

GeneMatchOptions match_options(const ReadingOptions& reading, double min_overlap) {
  return {.duplicates = reading.duplicates == "first" ? DuplicateGenes::first : DuplicateGenes::error,
          .min_overlap = min_overlap};
}

}  // namespace

void add_dgex_prediction_options(CLI::App& verb, DgexPredictionOptions& o) {
  verb.add_option("--standardise", o.standardise,
                  "dgex: landmarks by the mean and deviation of these data (own), of training (model), or none; auto: "
                  "own for a model of prepared data, else model")
      ->check(CLI::IsMember({"auto", "own", "model", "none"}))
      ->capture_default_str();
  verb.add_flag_callback(
      "--destandardise", [&o] { o.destandardise = true; }, "dgex: targets in the units of training");
  verb.add_flag_callback(
      "--no-destandardise", [&o] { o.destandardise = false; }, "dgex: targets standardised");
}

bool is_dgex(const std::string& model) { return holds_halves(model) || read_model(model).system == "dgex"; }

DgexApplication::DgexApplication(const ApplicationOptions& application, const DgexPredictionOptions& o,
                                 Console& console)
    : reading_(application.reading),
      models_(read_models(application.model)),
      pool_(thread_count(reading_)),
      ctx_(device_context(application.on, pool_)),
      source_(open_matrix(reading_.data, reader_options(reading_))) {
  check_missing_genes_file(application);
  const Model& model = models_.front();
  const DgexUnits units = dgex_units(model);
  standardise_ = o.standardise != "auto" ? o.standardise : units.raw ? "model" : "own";
  destandardise_ = o.destandardise.value_or(units.raw);
  std::vector<GeneNaming> namings = {{"model ids", landmarks()}};
  if (!model.recipe.gene_symbols.empty()) namings.push_back({"model symbols", model.recipe.gene_symbols});
  GeneMatchOptions rule = match_options(reading_, reading_.min_overlap);
  rule.missing_file = application.missing_genes;
  match_ = match_genes(gene_namings(*source_), namings, rule);
  missing_ = match_.missing_mask();
  console.say(fmt::format("{}: {} profiles; {}; {}", reading_.data, source_->rows(), source_->description(),
                          match_.description));
  input_ = standardise_ == "own" ? own_scaling(*source_, match_) : units.landmarks;
  for (const Model& m : models_) {
    inference_.push_back(std::make_unique<dgex::Inference>(*ctx_, m.network, m.replicas, m.weights));
    const DgexUnits part = dgex_units(m);
    targets_.insert(targets_.end(), m.classes.begin(), m.classes.end());
    target_symbols_.insert(target_symbols_.end(), part.target_symbols.begin(), part.target_symbols.end());
    target_.mean.insert(target_.mean.end(), part.targets.mean.begin(), part.targets.mean.end());
    target_.scale.insert(target_.scale.end(), part.targets.scale.begin(), part.targets.scale.end());
  }
  symbols_ = model.recipe.gene_symbols;
  symbols_.resize(landmarks().size());
  symbols_.insert(symbols_.end(), target_symbols_.begin(), target_symbols_.end());
}

// Each gene by its own mean and deviation over the profiles (Welford, Technometrics 4(3), 1962).
DgexScaling DgexApplication::own_scaling(MatrixSource& source, const GeneMatch& match) {
  if (source.rows() < 2)
    throw RefusedError("one profile has no deviation of its own; give --standardise model, or none where it is done");
  DgexScaling s{std::vector<double>(at(match.genes), 0.0), std::vector<double>(at(match.genes), 0.0)};
  std::int64_t seen = 0;
  for_rows(source, match, [&](const std::vector<float>& values, std::int64_t rows) {
    for (std::int64_t i = 0; i < rows; ++i) {
      const auto n = static_cast<double>(++seen);
      for (std::size_t g = 0; g < s.mean.size(); ++g) {
        const double x = static_cast<double>(values[at(i) * s.mean.size() + g]), d = x - s.mean[g];
        s.mean[g] += d / n;
        s.scale[g] += d * (x - s.mean[g]);
      }
    }
  });
  for (double& v : s.scale) v = std::sqrt(v / static_cast<double>(seen)) + dgex::kDeviationFloor;
  return s;
}

void DgexApplication::refuse_not_finite(const std::vector<float>& values, const std::vector<std::string>& genes,
                                        std::int64_t first) const {
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (std::isfinite(values[i])) continue;
    const std::size_t row = i / genes.size();
    throw RefusedError(
        fmt::format("profile {} ('{}'), gene '{}': {}, expected a finite number; leave the profile or the "
                    "gene out, or fill it in",
                    first + static_cast<std::int64_t>(row) + 1, source_->cell_names()[at(first) + row],
                    genes[i % genes.size()], values[i]));
  }
}

// The landmarks as the network takes them; one that the data lack is its mean.
std::vector<float> DgexApplication::input_of(const std::vector<float>& values) const {
  std::vector<float> x = values;
  const std::size_t count = missing_.size();
  for (std::size_t i = 0; i < x.size(); ++i) {
    const std::size_t g = i % count;
    if (standardise_ != "none")
      x[i] = static_cast<float>((static_cast<double>(x[i]) - input_.mean[g]) / input_.scale[g]);
    if (missing_[g]) x[i] = 0;
  }
  return x;
}

DgexApplication::Block DgexApplication::block_of(const std::vector<float>& values, std::int64_t first,
                                                 std::int64_t rows) {
  refuse_not_finite(values, landmarks(), first);
  Block block = {.first = first, .rows = rows, .landmarks = input_of(values), .targets = {}, .truth = {}};
  const std::size_t all = targets_.size();
  block.targets.resize(at(rows) * all);
  std::size_t column = 0;
  for (const std::unique_ptr<dgex::Inference>& part : inference_) {
    const std::vector<float> y = part->mean(block.landmarks.data(), rows);
    const std::size_t width = at(part->targets());
    for (std::size_t i = 0; i < y.size(); ++i) {
      const std::size_t t = column + i % width;
      block.targets[i / width * all + t] =
          destandardise_ ? static_cast<float>(static_cast<double>(y[i]) * target_.scale[t] + target_.mean[t]) : y[i];
    }
    column += width;
  }
  if (destandardise_) block.landmarks = values;
  for (std::size_t i = 0; i < block.landmarks.size(); ++i)
    if (missing_[i % missing_.size()]) block.landmarks[i] = std::numeric_limits<float>::quiet_NaN();
  return block;
}

void DgexApplication::for_blocks(const std::function<void(const Block&)>& use) {
  std::int64_t done = 0;
  for_rows(*source_, match_, [&](const std::vector<float>& values, std::int64_t rows) {
    use(block_of(values, done, rows));
    done += rows;
  });
}

GeneMatch DgexApplication::match_targets() {
  std::vector<GeneNaming> namings = {{"model ids", targets_}};
  if (target_symbols_.front() != "") namings.push_back({"model symbols", target_symbols_});
  GeneMatch match = match_genes(gene_namings(*source_), namings, match_options(reading_, 0));
  if (match.missing.size() == targets_.size())
    throw RefusedError(
        fmt::format("{}: it has none of the {} target genes ('{}', ...); expected measured values of "
                    "targets to judge by",
                    reading_.data, targets_.size(), targets_.front()));
  return match;
}

std::vector<float> DgexApplication::truth_of(std::vector<float> values, const std::vector<std::uint8_t>& missing,
                                             const DgexScaling& scaling) const {
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::size_t t = i % missing.size();
    if (missing[t])
      values[i] = std::numeric_limits<float>::quiet_NaN();
    else if (!destandardise_ && standardise_ != "none")
      values[i] = static_cast<float>((static_cast<double>(values[i]) - scaling.mean[t]) / scaling.scale[t]);
  }
  return values;
}

void DgexApplication::for_blocks_with_truth(const std::function<void(const Block&)>& use) {
  const GeneMatch match = match_targets();
  const std::vector<std::uint8_t> missing = match.missing_mask();
  const DgexScaling scaling = standardise_ == "own" ? own_scaling(*source_, match) : target_;
  const std::unique_ptr<MatrixSource> second = open_matrix(reading_.data, reader_options(reading_));
  MatchedSource targets(*second, match);
  targets.rewind();
  CsrMatrix rows;
  for_blocks([&](const Block& predicted) {
    if (!targets.next(rows, predicted.rows) || rows.rows != predicted.rows)
      throw InputError(reading_.data + ": it changed while it was read");
    Block block = predicted;
    std::vector<float> values = dense_rows(rows);
    refuse_not_finite(values, targets_, block.first);
    block.truth = truth_of(std::move(values), missing, scaling);
    use(block);
  });
}

}  // namespace genexx::tools
