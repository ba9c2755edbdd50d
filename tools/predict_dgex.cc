// SPDX-License-Identifier: Apache-2.0
#include "tools/predict_dgex.h"

#include <cmath>
#include <functional>
#include <memory>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "engine/error.h"
#include "io/dense_rows.h"
#include "io/gct_writer.h"
#include "io/gctx_writer.h"
#include "io/h5ad_writer.h"
#include "io/value_check.h"
#include "models/dgex/inference.h"
#include "models/dgex/profile_set.h"
#include "tools/stop_signal.h"
#include "tools/train_options.h"

namespace genexx::tools {
namespace {

constexpr std::int64_t kRows = dgex::Inference::kMostRows;

std::size_t at(std::int64_t i) { return static_cast<std::size_t>(i); }

bool ends_with(const std::string& text, const std::string& end) {
  return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

// Takes profiles in order, [rows, genes], and finishes the file.
struct Sink {
  std::function<void(const std::vector<float>&, std::int64_t)> append;
  std::function<void()> commit;
};

CsrMatrix as_csr(const std::vector<float>& values, std::int64_t rows) {
  CsrMatrix m;
  m.rows = rows;
  m.cols = static_cast<std::int64_t>(values.size()) / rows;
  for (std::int64_t i = 0; i < rows; ++i) {
    for (std::int64_t c = 0; c < m.cols; ++c) {
      if (values[at(i * m.cols + c)] == 0.0f) continue;
      m.column.push_back(static_cast<std::int32_t>(c));
      m.value.push_back(values[at(i * m.cols + c)]);
    }
    m.row_begin.push_back(static_cast<std::int64_t>(m.column.size()));
  }
  return m;
}

Sink h5ad_sink(const std::string& path, const Annotations& about, int threads) {
  const auto file = std::make_shared<H5adWriter>(path, H5adOptions{.threads = threads});
  file->write_cells(about.cell_names, about.cells);
  file->write_genes(about.gene_names, about.genes);
  file->begin_matrix(static_cast<std::int64_t>(about.gene_names.size()));
  return {[file](const std::vector<float>& values, std::int64_t rows) { file->append_rows(as_csr(values, rows)); },
          [file] { file->commit(); }};
}

Sink table_sink(const std::string& path, const Annotations& about) {
  const auto file = std::make_shared<AtomicFile>(path);
  const auto names = std::make_shared<std::vector<std::string>>(about.cell_names);
  const auto next = std::make_shared<std::size_t>(0);
  for (const std::string& gene : about.gene_names) file->write("\t" + gene);
  file->write("\n");
  return {[file, names, next](const std::vector<float>& values, std::int64_t rows) {
            const std::size_t cols = values.size() / at(rows);
            for (std::int64_t i = 0; i < rows; ++i) {
              std::string line = (*names)[(*next)++];
              for (std::size_t c = 0; c < cols; ++c) line += fmt::format("\t{}", values[at(i) * cols + c]);
              file->write(line + "\n");
            }
          },
          [file] { file->commit(); }};
}

template <class Writer>
Sink dense_sink(const std::string& path, const Annotations& about) {
  const auto file = std::make_shared<Writer>(path, about);
  return {[file](const std::vector<float>& values, std::int64_t rows) { file->append(values.data(), rows); },
          [file] { file->commit(); }};
}

Sink open_sink(const std::string& path, const Annotations& about, int threads) {
  if (ends_with(path, ".gctx")) return dense_sink<GctxWriter>(path, about);
  if (ends_with(path, ".gct")) return dense_sink<GctWriter>(path, about);
  return ends_with(path, ".tsv") ? table_sink(path, about) : h5ad_sink(path, about, threads);
}

// Shift and scale of each gene: x becomes (x - mean) / scale.
struct Scaling {
  std::vector<double> mean, scale;
};

// Calls use(values, rows) for blocks of all profiles in the model's genes; what is missing is zero.
template <class Use>
void for_blocks(MatrixSource& source, const GeneMatch& match, Use&& use) {
  MatchedSource matched(source, match);
  matched.rewind();
  CsrMatrix block;
  while (matched.next(block, kRows)) {
    use(dense_rows(block), block.rows);
    if (stop_requested()) throw RuntimeError(std::string("stopped by ") + stop_reason() + " while predicting");
  }
}

// Each gene by its own mean and deviation over the profiles (Welford, Technometrics 4(3), 1962).
Scaling own_scaling(MatrixSource& source, const GeneMatch& match) {
  if (source.rows() < 2)
    throw RefusedError("one profile has no deviation of its own; give --standardise model, or none where it is done");
  Scaling s{std::vector<double>(at(match.genes), 0.0), std::vector<double>(at(match.genes), 0.0)};
  std::int64_t seen = 0;
  for_blocks(source, match, [&](const std::vector<float>& values, std::int64_t rows) {
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

Scaling scaling_of(const Model& model, const char* mean, const char* scale) {
  try {
    const nlohmann::json& dgex = model.summary.at("dgex");
    return {dgex.at(mean).get<std::vector<double>>(), dgex.at(scale).get<std::vector<double>>()};
  } catch (const nlohmann::json::exception& error) {
    throw InputError(std::string("the model's description is damaged: ") + error.what());
  }
}

void refuse_not_finite(const std::vector<float>& values, std::int64_t first, const MatrixSource& source,
                       const Model& model) {
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (std::isfinite(values[i])) continue;
    const std::size_t genes = model.recipe.gene_ids.size(), row = i / genes;
    throw RefusedError(
        fmt::format("profile {} ('{}'), gene '{}': {}, expected a finite number; leave the profile or the "
                    "gene out, or fill it in",
                    first + static_cast<std::int64_t>(row) + 1, source.cell_names()[at(first) + row],
                    model.recipe.gene_ids[i % genes], values[i]));
  }
}

Annotations annotations_of(const MatrixSource& source, const Model& model) {
  Annotations about;
  about.cell_names = source.cell_names();
  about.cells = source.cells();
  about.gene_names = model.recipe.gene_ids;
  about.gene_names.insert(about.gene_names.end(), model.classes.begin(), model.classes.end());
  Strings role(about.gene_names.size(), "target"), symbol = model.recipe.gene_symbols;
  std::fill(role.begin(), role.begin() + static_cast<std::ptrdiff_t>(model.recipe.gene_ids.size()), "landmark");
  symbol.resize(model.recipe.gene_ids.size());
  const auto targets = model.summary.at("dgex").at("target_symbols").get<std::vector<std::string>>();
  symbol.insert(symbol.end(), targets.begin(), targets.end());
  about.genes.columns = {{"role", role}, {"symbol", symbol}};
  return about;
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

namespace {

// One prediction, its parts at hand.
class Prediction {
 public:
  Prediction(const Model& model, const ApplicationOptions& application, const DgexPredictionOptions& o)
      : model_(model),
        reading_(application.reading),
        pool_(thread_count(reading_)),
        ctx_(device_context(application.device, application.cpu_isa, pool_)),
        source_(open_matrix(reading_.data, reader_options(reading_))),
        inference_(*ctx_, model.network, model.replicas, model.weights) {
    const bool is_raw = model.summary.at("dgex").value("input", "raw") == "raw";
    standardise_ = o.standardise != "auto" ? o.standardise : is_raw ? "model" : "own";
    destandardise_ = o.destandardise.value_or(is_raw);
  }

  void match(const std::string& missing_genes, Console& console) {
    std::vector<GeneNaming> namings = {{"model ids", model_.recipe.gene_ids}};
    if (!model_.recipe.gene_symbols.empty()) namings.push_back({"model symbols", model_.recipe.gene_symbols});
    match_ = match_genes(gene_namings(*source_), namings,
                         {.duplicates = reading_.duplicates == "first" ? DuplicateGenes::first : DuplicateGenes::error,
                          .min_overlap = reading_.min_overlap});
    missing_ = match_.missing_mask();
    console.say(fmt::format("{}: {} profiles; {}; {}", reading_.data, source_->rows(), source_->description(),
                            match_.description));
    if (!missing_genes.empty()) write_missing_genes(missing_genes, match_, namings);
    input_ = standardise_ == "own" ? own_scaling(*source_, match_) : scaling_of(model_, "input_mean", "input_scale");
    target_ = scaling_of(model_, "target_mean", "target_scale");
  }

  void run(const std::string& out, Console& console) {
    const Sink sink = open_sink(out, annotations_of(*source_, model_), pool_.threads());
    std::int64_t done = 0;
    for_blocks(*source_, match_, [&](const std::vector<float>& values, std::int64_t count) {
      refuse_not_finite(values, done, *source_, model_);
      sink.append(rows_of(values, count), count);
      done += count;
      console.show_progress(done, source_->rows(), "predicting");
    });
    console.end_progress();
    sink.commit();
    console.say(fmt::format("{} profiles, {} landmarks and {} targets: {}", done, inference_.landmarks(),
                            inference_.targets(), out));
  }

 private:
  // The landmarks as the network takes them; one that the data lack is its mean.
  std::vector<float> input_of(const std::vector<float>& values) const {
    std::vector<float> x = values;
    const std::size_t landmarks = missing_.size();
    for (std::size_t i = 0; i < x.size(); ++i) {
      const std::size_t g = i % landmarks;
      if (standardise_ != "none")
        x[i] = static_cast<float>((static_cast<double>(x[i]) - input_.mean[g]) / input_.scale[g]);
      if (missing_[g]) x[i] = 0;
    }
    return x;
  }

  // Landmarks, then targets, of each profile.
  std::vector<float> rows_of(const std::vector<float>& values, std::int64_t count) {
    const std::size_t landmarks = missing_.size(), targets = at(inference_.targets());
    const std::vector<float> x = input_of(values), y = inference_.mean(x.data(), count);
    std::vector<float> rows(at(count) * (landmarks + targets));
    for (std::size_t i = 0; i < at(count); ++i) {
      float* row = rows.data() + i * (landmarks + targets);
      for (std::size_t g = 0; g < landmarks; ++g)
        row[g] = missing_[g] ? std::nanf("") : destandardise_ ? values[i * landmarks + g] : x[i * landmarks + g];
      for (std::size_t t = 0; t < targets; ++t) {
        const float v = y[i * targets + t];
        row[landmarks + t] =
            destandardise_ ? static_cast<float>(static_cast<double>(v) * target_.scale[t] + target_.mean[t]) : v;
      }
    }
    return rows;
  }

  const Model& model_;
  const ReadingOptions& reading_;
  ThreadPool pool_;
  std::unique_ptr<Context> ctx_;
  std::unique_ptr<MatrixSource> source_;
  dgex::Inference inference_;
  std::string standardise_;
  bool destandardise_ = false;
  GeneMatch match_;
  std::vector<std::uint8_t> missing_;
  Scaling input_, target_;
};

}  // namespace

void predict_dgex(const Model& model, const ApplicationOptions& application, const DgexPredictionOptions& o,
                  const std::string& out, Console& console) {
  const ReadingOptions& reading = application.reading;
  if (!ends_with(out, ".gctx") && !ends_with(out, ".gct") && !ends_with(out, ".tsv") && !ends_with(out, ".h5ad"))
    throw UsageError("--out " + out + ": expected a name that ends in .gctx, .gct, .tsv or .h5ad");
  refuse_existing(out, reading.overwrite);
  if (reading.time_limit > 0) set_time_limit(reading.time_limit);
  Prediction prediction(model, application, o);
  prediction.match(application.missing_genes, console);
  prediction.run(out, console);
}

}  // namespace genexx::tools
