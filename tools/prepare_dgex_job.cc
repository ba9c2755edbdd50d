// SPDX-License-Identifier: Apache-2.0
#include "tools/prepare_dgex_job.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <memory>
#include <optional>
#include <thread>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "engine/device.h"
#include "engine/error.h"
#include "engine/version.h"
#include "io/geuvadis.h"
#include "io/npy_writer.h"
#include "io/open_matrix.h"
#include "models/dgex/clustering.h"
#include "models/dgex/near_duplicates.h"
#include "tools/output_place.h"
#include "tools/prepared_dgex.h"
#include "tools/scratch_rows.h"
#include "tools/stop_signal.h"

namespace genexx::tools {
namespace {

using Clock = std::chrono::steady_clock;

// A data set: opened, and the columns of its genes.
struct Input {
  std::string name;
  std::unique_ptr<MatrixSource> source;
  GeneColumns columns;
};

template <class T>
std::vector<T> in_order(const std::vector<T>& all, const std::vector<std::int64_t>& order) {
  std::vector<T> out;
  for (const std::int64_t i : order) out.push_back(all[static_cast<std::size_t>(i)]);
  return out;
}

class Preparation {
 public:
  Preparation(const PrepareDgexOptions& options, Console& console)
      : o_(options),
        console_(console),
        pool_(o_.threads > 0 ? o_.threads : static_cast<int>(std::max(1u, std::thread::hardware_concurrency()))),
        ctx_(make_context(o_.device, &pool_)),
        dtype_(o_.dtype == "float64" ? DType::f64 : DType::f32) {}

  void run() {
    if (!o_.overwrite && std::filesystem::exists(o_.out + "/prepared.json"))
      throw UsageError(o_.out + " holds a prepared data set; choose another directory, or give --overwrite");
    expect_place(o_.out);
    choose_genes();
    open_inputs();
    drop_missing();
    std::error_code error;
    std::filesystem::create_directories(o_.out, error);
    if (error) throw RuntimeError(o_.out + ": the directory cannot be made (" + error.message() + "); choose another");
    std::filesystem::remove(o_.out + "/prepared.json", error);
    for (Input& input : inputs_) process(input);
    write_genes(o_.out, genes_, landmarks_, statistics_);
    write_samples(o_.out, samples_);
    NpyWriter quantiles(o_.out + "/quantiles.npy", DType::f64, {static_cast<std::int64_t>(quantiles_.size())});
    quantiles.append(quantiles_.data(), static_cast<std::int64_t>(quantiles_.size()));
    quantiles.commit();
    write_summary();
  }

 private:
  void choose_genes() {
    const LandmarkSplit split = split_landmarks(read_probe_map(o_.map), o_.landmarks);
    landmarks_ = static_cast<std::int64_t>(split.landmarks.size());
    const auto targets = static_cast<std::int64_t>(split.targets.size());
    genes_ = in_order(split.landmarks, dgex::shuffled_order(o_.seed, dgex::kLandmarkOrder, landmarks_));
    for (ProbedGene& gene : in_order(split.targets, dgex::shuffled_order(o_.seed, dgex::kTargetOrder, targets)))
      genes_.push_back(std::move(gene));
    leaks_ = split.leaks;
    if (!leaks_.empty())
      console_.warn(
          fmt::format("{} genes of the map are landmarks under another name or probe and are no targets, "
                      "the first being {}",
                      leaks_.size(), leaks_[0]));
  }

  void open_inputs() {
    const ReadOptions options = {.threads = pool_.threads()};
    ReadOptions geo_options = options;
    if (!o_.gene_column.empty()) geo_options.gene_column = o_.gene_column;
    inputs_.push_back({"GEO", open_matrix(o_.geo, geo_options), {}});
    inputs_.back().columns = probe_columns(genes_, *inputs_.back().source);
    if (!o_.geuvadis.empty()) inputs_.push_back({"1000G", open_geuvadis(o_.geuvadis, options), {}});
    if (!o_.gtex.empty()) inputs_.push_back({"GTEx", open_matrix(o_.gtex, options), {}});
    for (Input& input : inputs_) {
      if (input.name != "GEO") input.columns = gene_columns(genes_, *input.source);
      console_.say(fmt::format("{}: {} profiles, {} rows; {}", input.name, input.source->rows(), input.source->cols(),
                               input.source->description()));
    }
  }

  // Genes that a set lacks: an error, or left out everywhere.
  void drop_missing() {
    std::vector<std::int64_t> keep;
    for (std::size_t g = 0; g < genes_.size(); ++g) {
      const bool everywhere = std::all_of(inputs_.begin(), inputs_.end(),
                                          [&](const Input& input) { return !input.columns.columns[g].empty(); });
      if (everywhere) keep.push_back(static_cast<std::int64_t>(g));
    }
    for (const Input& input : inputs_) {
      const GeneColumns& c = input.columns;
      if (c.missing_genes + c.missing_probes == 0) continue;
      const std::string what = fmt::format(
          "{}: {} of {} genes and {} probes of the map are not there, the first being "
          "{}",
          input.name, c.missing_genes, genes_.size(), c.missing_probes, c.first_missing);
      if (o_.missing == "error")
        throw RefusedError(what + ". Correct the map, or leave such genes out with --missing drop");
      console_.warn(what);
    }
    missing_ = static_cast<std::int64_t>(genes_.size() - keep.size());
    const std::int64_t landmarks =
        std::count_if(keep.begin(), keep.end(), [&](std::int64_t g) { return g < landmarks_; });
    if (landmarks == 0 || landmarks == static_cast<std::int64_t>(keep.size()))
      throw RefusedError("no landmark or no target is in all data sets; do the map's probes and ids belong to them?");
    landmarks_ = landmarks;
    genes_ = in_order(genes_, keep);
    for (Input& input : inputs_) input.columns.columns = in_order(input.columns.columns, keep);
  }

  void process(Input& input) {
    const auto begin = Clock::now();
    std::unique_ptr<dgex::RowStore<float>> rows =
        copy_to_scratch(*input.source, o_.out, console_, "reading " + input.name);
    const bool is_reference = input.name == "GEO";
    const std::vector<std::int64_t> order = is_reference ? kept_in_order(*rows) : all_of(input.source->rows());
    const auto profiles = static_cast<std::int64_t>(order.size());
    ScratchRows<std::int32_t> ranks(o_.out, profiles, static_cast<std::int64_t>(genes_.size()));
    {
      const dgex::ProfileSet set{*rows, input.columns.columns, order};
      if (is_reference) {
        quantiles_ = dgex::rank_reference_set(set, ranks, pool_);
      } else {
        dgex::rank_other_set(set, ranks, pool_);
      }
    }
    rows.reset();
    statistics_.push_back({input.name, dgex::gene_statistics(ranks, quantiles_, pool_)});
    const dgex::RankedSet set{ranks, quantiles_, statistics_.back().statistics};
    for (const PreparedPart& part : parts_of(input.name, profiles)) {
      write_part(o_.out, part, set, landmarks_, dtype_);
      summary_["sets"][part.name] = {{"profiles", part.count},
                                     {"x", "X_" + part.name + ".npy"},
                                     {"y", "Y_" + part.name + ".npy"},
                                     {"statistics", input.name}};
      for (std::int64_t i = 0; i < part.count; ++i) {
        const std::int64_t row = order[static_cast<std::size_t>(part.begin + i)];
        samples_.push_back({part.name, i, input.source->cell_names()[static_cast<std::size_t>(row)], row});
      }
      console_.say(fmt::format("{}: {} profiles", part.name, part.count));
    }
    summary_["seconds"][input.name] = std::chrono::duration<double>(Clock::now() - begin).count();
  }

  static std::vector<std::int64_t> all_of(std::int64_t count) {
    std::vector<std::int64_t> order(static_cast<std::size_t>(count));
    for (std::int64_t i = 0; i < count; ++i) order[static_cast<std::size_t>(i)] = i;
    return order;
  }

  // The profiles that are no near-duplicates, shuffled.
  std::vector<std::int64_t> kept_in_order(const dgex::RowStore<float>& rows) {
    std::vector<std::int64_t> kept = all_of(rows.rows());
    summary_["duplicates"] = {{"profiles", rows.rows()}, {"dropped", 0}, {"distance", o_.distance}};
    if (o_.distance > 0) {
      const auto progress = [&](std::int64_t done, std::int64_t total) {
        console_.show_progress(done, total, "clustering");
        expect_not_stopped("clustering");
      };
      const std::vector<std::int32_t> cluster = dgex::cluster_profiles(
          *ctx_, pool_, rows,
          {.clusters = o_.clusters, .batch = o_.batch, .passes = o_.passes, .seed = o_.seed, .progress = progress});
      console_.end_progress();
      const dgex::NearDuplicates found =
          dgex::find_near_duplicates(*ctx_, pool_, rows, cluster, {.distance = o_.distance});
      kept.erase(std::remove_if(kept.begin(), kept.end(),
                                [&](std::int64_t r) { return found.dropped[static_cast<std::size_t>(r)] != 0; }),
                 kept.end());
      const std::int64_t dropped = rows.rows() - static_cast<std::int64_t>(kept.size());
      console_.say(fmt::format("{} near-duplicates of {} profiles left out", dropped, rows.rows()));
      summary_["duplicates"] = {{"profiles", rows.rows()},       {"dropped", dropped},
                                {"distance", o_.distance},       {"clusters", o_.clusters},
                                {"pairs_compared", found.pairs}, {"pairs_remeasured", found.remeasured}};
    }
    return in_order(kept, dgex::shuffled_order(o_.seed, dgex::kSampleOrder, static_cast<std::int64_t>(kept.size())));
  }

  // 80, 10 and 10 percent, the last two rounded: 111,009 profiles give 88,807, 11,101 and 11,101 as published.
  std::vector<PreparedPart> parts_of(const std::string& name, std::int64_t profiles) const {
    if (name != "GEO") return {{name, 0, profiles}};
    const auto tenth = static_cast<std::int64_t>(std::llround(static_cast<double>(profiles) * 0.1));
    const std::int64_t train = profiles - 2 * tenth;
    if (tenth < 1 || train < 1)
      throw RefusedError(
          fmt::format("{}: {} profiles are left, too few for training, validation and test", o_.geo, profiles));
    return {{"train", 0, train}, {"validation", train, tenth}, {"test", train + tenth, tenth}};
  }

  void write_summary() {
    const auto targets = static_cast<std::int64_t>(genes_.size()) - landmarks_;
    summary_["format"] = "genexx-dgex-prepared";
    summary_["version"] = 1;
    summary_["genexx"] = version();
    summary_["seed"] = o_.seed;
    summary_["dtype"] = o_.dtype;
    summary_["landmarks"] = landmarks_;
    summary_["targets"] = targets;
    const std::int64_t half = targets / 2;
    summary_["halves"] = {{0, half}, {half, targets}};
    summary_["genes_missing"] = missing_;
    summary_["landmarks_among_targets"] = leaks_;
    summary_["inputs"] = {
        {"geo", o_.geo}, {"gtex", o_.gtex}, {"geuvadis", o_.geuvadis}, {"map", o_.map}, {"landmarks", o_.landmarks}};
    write_file_atomically(o_.out + "/prepared.json", summary_.dump(2) + "\n");
  }

  PrepareDgexOptions o_;
  Console& console_;
  ThreadPool pool_;
  std::unique_ptr<Context> ctx_;
  DType dtype_;
  std::vector<ProbedGene> genes_;  // landmarks first
  std::int64_t landmarks_ = 0, missing_ = 0;
  std::vector<std::string> leaks_;
  std::vector<Input> inputs_;
  std::vector<double> quantiles_;
  std::vector<NamedStatistics> statistics_;
  std::vector<PreparedSample> samples_;
  nlohmann::json summary_;
};

}  // namespace

void prepare_dgex(const PrepareDgexOptions& options, Console& console) { Preparation(options, console).run(); }

}  // namespace genexx::tools
