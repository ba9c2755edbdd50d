// SPDX-License-Identifier: Apache-2.0
#include "tools/dgex_outputs.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <numeric>

#include <fmt/format.h>

#include "io/npy_writer.h"
#include "models/dgex/inference.h"

namespace genexx::tools {
namespace {

constexpr double kFirstError = 10.0;  // what the published log compares the first epoch with

std::size_t at(std::int64_t i) { return static_cast<std::size_t>(i); }

double mean_of(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) /
         static_cast<double>(std::max<std::size_t>(1, values.size()));
}

double deviation_of(const std::vector<double>& values) {
  const double mean = mean_of(values);
  double squares = 0;
  for (const double v : values) squares += (v - mean) * (v - mean);
  return std::sqrt(squares / static_cast<double>(std::max<std::size_t>(1, values.size())));
}

void add_errors(const float* predicted, const float* truth, std::int64_t rows, std::vector<double>& error) {
  for (std::int64_t i = 0; i < rows * static_cast<std::int64_t>(error.size()); ++i)
    error[at(i) % error.size()] += std::abs(static_cast<double>(predicted[i]) - static_cast<double>(truth[i]));
}

// What one unit of the training set's targets is in the data as given: prepared data are standardised already.
double unit_of(const DgexData& data, std::size_t target) { return data.prepared ? 1.0 : data.targets[target].scale; }

// From sums in the training set's units to means in the data's.
void finish(const DgexData& data, std::int64_t profiles, std::vector<double>& error) {
  for (std::size_t t = 0; t < error.size(); ++t) error[t] *= unit_of(data, t) / static_cast<double>(profiles);
}

// A part of a dense matrix as rows that the baselines read.
class PartRows final : public dgex::RowStore<float> {
 public:
  PartRows(const DenseMatrix& matrix, const dgex::Part& part) : matrix_(matrix), part_(part) {}
  std::int64_t rows() const override { return part_.count; }
  std::int64_t cols() const override { return matrix_.cols; }
  void write(std::int64_t, std::int64_t, const float*) override {}  // the baselines write nothing
  void read(std::int64_t first, std::int64_t count, float* to) const override {
    std::copy_n(matrix_.value.data() + (part_.begin + first) * matrix_.cols, count * matrix_.cols, to);
  }

 private:
  const DenseMatrix& matrix_;
  dgex::Part part_;
};

std::string change(double now, double& before) {
  const double relative = (now - before) / before;
  before = now;
  return fmt::format("{:.6f}", relative);
}

}  // namespace

DgexErrors judge_dgex(Context& ctx, const DgexData& data, const Network& network,
                      const std::vector<NamedTensor>& weights, std::int64_t replicas, const std::string& part,
                      const std::string& predictions) {
  const dgex::Part* p = dgex::find_part(data.parts, part);
  const std::int64_t targets = data.set.targets.cols;
  DgexErrors errors;
  errors.of_replica.assign(at(replicas), std::vector<double>(at(targets), 0.0));
  errors.of_mean.assign(at(targets), 0.0);
  dgex::Inference inference(ctx, network, replicas, weights);
  std::unique_ptr<NpyWriter> file;
  if (!predictions.empty())
    file = std::make_unique<NpyWriter>(predictions, DType::f64, std::vector<std::int64_t>{p->count, targets});
  std::vector<float> mean;
  for (std::int64_t first = 0; first < p->count; first += dgex::Inference::kMostRows) {
    const std::int64_t count = std::min(dgex::Inference::kMostRows, p->count - first);
    const float* x = data.set.dense.value.data() + (p->begin + first) * data.set.dense.cols;
    const float* truth = data.set.targets.value.data() + (p->begin + first) * targets;
    const std::vector<float> each = inference.each(x, count);
    mean.assign(at(count * targets), 0.0f);
    for (std::int64_t r = 0; r < replicas; ++r) {
      add_errors(each.data() + r * count * targets, truth, count, errors.of_replica[at(r)]);
      for (std::size_t i = 0; i < mean.size(); ++i)
        mean[i] += each[at(r) * mean.size() + i] / static_cast<float>(replicas);
    }
    add_errors(mean.data(), truth, count, errors.of_mean);
    if (!file) continue;
    const std::vector<double> wide(mean.begin(), mean.end());
    file->append(wide.data(), count * targets);
  }
  if (file) file->commit();
  for (std::vector<double>& error : errors.of_replica) finish(data, p->count, error);
  finish(data, p->count, errors.of_mean);
  return errors;
}

std::optional<dgex::LinearModel> fit_dgex_baseline(Context& ctx, ThreadPool& pool, const DgexData& data,
                                                   const dgex::Config& config) {
  if (config.baseline == "none") return std::nullopt;
  const dgex::Part& train = *dgex::find_part(data.parts, "train");
  const dgex::Moments m = dgex::moments(ctx, PartRows(data.set.dense, train), PartRows(data.set.targets, train));
  if (config.baseline == "lasso") return dgex::fit_lasso(m, {.penalty = config.penalty}, pool);
  if (config.baseline == "knn") return dgex::fit_nearest_genes(m, std::min(config.neighbours, m.landmarks));
  return dgex::fit_ridge(m, config.baseline == "ridge" ? config.penalty : 0.0);
}

DgexErrors judge_dgex_baseline(Context& ctx, const DgexData& data, const dgex::LinearModel& model,
                               const std::string& part) {
  const dgex::Part& p = *dgex::find_part(data.parts, part);
  std::vector<double> error = dgex::gene_errors(ctx, model, PartRows(data.set.dense, p), PartRows(data.set.targets, p));
  for (std::size_t t = 0; t < error.size(); ++t) error[t] *= unit_of(data, t);
  return {{error}, error};
}

nlohmann::json dgex_metrics(const DgexErrors& errors) {
  std::vector<double> mae, over_genes;
  for (const std::vector<double>& error : errors.of_replica) {
    mae.push_back(mean_of(error));
    over_genes.push_back(deviation_of(error));
  }
  return {{"mae", mean_of(mae)},
          {"mae_sd", mean_of(over_genes)},
          {"mae_of_mean", mean_of(errors.of_mean)},
          {"sd", {{"mae", deviation_of(mae)}}},
          {"replicas", mae.size()}};
}

nlohmann::json per_gene_section(const DgexErrors& errors, const nlohmann::json& of_part) {
  constexpr int kBins = 12;
  const double most = std::max(1e-6, *std::max_element(errors.of_mean.begin(), errors.of_mean.end()));
  std::vector<double> edges;
  std::vector<std::int64_t> counts(kBins, 0);
  for (int i = 0; i <= kBins; ++i) edges.push_back(most * i / kBins);
  for (const double e : errors.of_mean) ++counts[static_cast<std::size_t>(std::min(kBins - 1.0, kBins * e / most))];
  return {{"mae", of_part.at("mae_of_mean")},
          {"mae_sd", of_part.at("mae_sd")},
          {"mae_histogram", {{"edges", edges}, {"counts", counts}}},
          {"errors", errors.of_mean}};
}

std::string dgex_log(const std::vector<EpochRecord>& history, const std::vector<Monitor>& monitors,
                     std::int64_t replica) {
  const std::vector<std::pair<const char*, const char*>> sets = {
      {"va", "validation"}, {"te", "test"}, {"1000G", "1000G"}, {"GTEx", "GTEx"}, {"tr", "train"}};
  std::string text = "epoch";
  for (const auto& [name, part] : sets) text += fmt::format("\tMAE_{0}\tMAE_{0}_change", name);
  text += "\tlearning_rate\ttime(sec)\n";
  std::vector<double> before(sets.size(), kFirstError);
  double best_validation = kFirstError, best_1000g = kFirstError;
  for (const EpochRecord& r : history) {
    if (r.replica != replica) continue;
    text += std::to_string(r.epoch);
    for (std::size_t s = 0; s < sets.size(); ++s) {
      const std::int64_t monitor = dgex::monitor_index(monitors, sets[s].second);
      const double error = s == 0 ? r.validation.absolute_error : monitor < 0 ? std::nan("") : r.monitors[at(monitor)];
      if (std::isnan(error)) {
        text += "\t\t";
        continue;
      }
      text += fmt::format("\t{:.6f}\t", error) + change(error, before[s]);
      if (s == 0) best_validation = std::min(best_validation, error);
      if (s == 2) best_1000g = std::min(best_1000g, error);
    }
    text += fmt::format("\t{:.5g}\t{:.3f}\n", r.learning_rate, r.seconds);
  }
  text += fmt::format("MAE_va_best : {:.6f}\n", best_validation);
  if (dgex::monitor_index(monitors, "1000G") >= 0) text += fmt::format("MAE_1000G_best : {:.6f}\n", best_1000g);
  return text;
}

Model dgex_model(const DgexData& data, const Network& network, const std::vector<NamedTensor>& weights,
                 std::int64_t replicas) {
  Model model;
  model.system = "dgex";
  model.network = network;
  model.replicas = replicas;
  model.weights = weights;
  model.recipe.input = Recipe::InputKind::scaled;
  bool named = false;
  for (const DgexGene& gene : data.landmarks) {
    model.recipe.gene_ids.push_back(gene.id);
    model.recipe.gene_symbols.push_back(gene.symbol);
    named = named || !gene.symbol.empty();
  }
  if (!named) model.recipe.gene_symbols.clear();
  nlohmann::json mean = nlohmann::json::array(), scale = nlohmann::json::array(), symbol = nlohmann::json::array();
  nlohmann::json input_mean = nlohmann::json::array(), input_scale = nlohmann::json::array();
  for (const DgexGene& gene : data.targets) {
    model.classes.push_back(gene.id);
    mean.push_back(gene.mean);
    scale.push_back(gene.scale);
    symbol.push_back(gene.symbol);
  }
  for (const DgexGene& gene : data.landmarks) {
    input_mean.push_back(gene.mean);
    input_scale.push_back(gene.scale);
  }
  model.summary["dgex"] = {{"input", data.prepared ? "standardised" : "raw"},
                           {"input_mean", input_mean},
                           {"input_scale", input_scale},
                           {"target_mean", mean},
                           {"target_scale", scale},
                           {"target_symbols", symbol}};
  return model;
}

}  // namespace genexx::tools
