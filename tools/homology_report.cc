// SPDX-License-Identifier: Apache-2.0
#include "tools/homology_report.h"

#include <cmath>

#include <fmt/format.h>

#include "engine/version.h"
#include "io/field_text.h"
#include "io/report.h"
#include "tools/embedding_files.h"

namespace genexx::tools {
namespace {

using transbrain::Scores;
using transbrain::Similarity;

nlohmann::json number(double x) { return std::isfinite(x) ? nlohmann::json(x) : nlohmann::json(); }
std::string field(double x) { return std::isfinite(x) ? fmt::format("{}", x) : ""; }

std::string similarity_csv(const Similarity& s, const char* corner) {
  std::string text = corner;
  for (const std::string& name : s.columns) text += "," + csv_field(name);
  text += "\n";
  for (std::size_t i = 0; i < s.rows.size(); ++i) {
    text += csv_field(s.rows[i]);
    for (std::size_t j = 0; j < s.columns.size(); ++j) text += "," + field(s.r[i * s.columns.size() + j]);
    text += "\n";
  }
  return text;
}

std::string ranks_csv(const HomologyResult& r) {
  std::string text = "human_region,mouse_region,correlation,rank\n";
  for (const transbrain::RankedPair& p : r.ranking.pairs)
    text +=
        fmt::format("{},{},{},{}\n", csv_field(p.pair.human), csv_field(p.pair.mouse), field(p.correlation), p.rank);
  return text;
}

void add_scores(std::string& text, const char* species, const Scores& scores, std::int64_t count) {
  for (std::size_t i = 0; i < scores.regions.size(); ++i) {
    text += fmt::format("{},{}", species, csv_field(scores.regions[i]));
    for (std::int64_t k = 0; k < count; ++k)
      text += fmt::format(",{}", scores.values[i * static_cast<std::size_t>(count) + static_cast<std::size_t>(k)]);
    text += "\n";
  }
}

std::string components_csv(const transbrain::Components& c) {
  std::string text = "species,region";
  for (std::int64_t k = 1; k <= c.count; ++k) text += fmt::format(",component_{}", k);
  text += "\n";
  add_scores(text, "human", c.human, c.count);
  add_scores(text, "mouse", c.mouse, c.count);
  return text;
}

nlohmann::json points(const Scores& scores, std::int64_t count) {
  nlohmann::json list = nlohmann::json::array();
  for (std::size_t i = 0; i < scores.regions.size(); ++i) {
    const double* const own = scores.values.data() + i * static_cast<std::size_t>(count);
    list.push_back({{"region", scores.regions[i]}, {"x", own[0]}, {"y", count > 1 ? own[1] : 0.0}});
  }
  return list;
}

}  // namespace

nlohmann::json homology_summary(const HomologyResult& r) {
  nlohmann::json absent = nlohmann::json::array();
  for (const transbrain::RegionPair& p : r.pairs.absent) absent.push_back({{"human", p.human}, {"mouse", p.mouse}});
  return {{"mean_rank", r.ranking.mean_rank},
          {"median_rank", r.ranking.median_rank},
          {"chance_mean_rank", r.ranking.chance},
          {"p_value", r.ranking.permutations > 0 ? nlohmann::json(r.ranking.p_value) : nlohmann::json()},
          {"permutations", r.ranking.permutations},
          {"null_mean_rank", {{"mean", r.ranking.null_mean}, {"sd", r.ranking.null_sd}}},
          {"seed", r.seed},
          {"pairs", r.ranking.pairs.size()},
          {"pair_list", r.pair_list},
          {"pairs_absent", absent},
          {"at_rank_1", r.ranking.top1},
          {"within_rank_5", r.ranking.top5},
          {"within_rank_10", r.ranking.top10},
          {"human_regions", r.human_by_mouse.rows.size()},
          {"mouse_regions", r.human_by_mouse.columns.size()},
          {"models", r.models},
          {"undefined_correlations", r.undefined},
          {"variance_ratio", r.components.variance_ratio},
          {"human_files", r.human_files},
          {"mouse_files", r.mouse_files},
          {"warnings", r.warnings}};
}

void add_homology_sections(nlohmann::json& report, const HomologyResult& r) {
  nlohmann::json rows = nlohmann::json::array(), pairs = nlohmann::json::array();
  for (std::size_t i = 0; i < r.human_by_mouse.rows.size(); ++i) {
    nlohmann::json row = nlohmann::json::array();
    for (std::size_t j = 0; j < r.human_by_mouse.columns.size(); ++j)
      row.push_back(number(r.human_by_mouse.at(static_cast<std::int64_t>(i), static_cast<std::int64_t>(j))));
    rows.push_back(row);
  }
  for (const transbrain::RankedPair& p : r.ranking.pairs)
    pairs.push_back(
        {{"human", p.pair.human}, {"mouse", p.pair.mouse}, {"correlation", number(p.correlation)}, {"rank", p.rank}});
  report["homology"] = {
      {"human", r.human_by_mouse.rows},   {"mouse", r.human_by_mouse.columns}, {"correlation", rows}, {"pairs", pairs},
      {"mean_rank", r.ranking.mean_rank}, {"chance", r.ranking.chance},        {"models", r.models}};
  if (r.ranking.permutations > 0) report["homology"]["p_value"] = r.ranking.p_value;
  if (r.components.count > 0)
    report["components"] = {{"variance_ratio", r.components.variance_ratio},
                            {"human", points(r.components.human, r.components.count)},
                            {"mouse", points(r.components.mouse, r.components.count)}};
}

void write_homology_tables(const RunDirectory& out, const HomologyResult& r) {
  out.write("correlation.csv", similarity_csv(r.human_by_mouse, "human_region"));
  out.write("human_correlation.csv", similarity_csv(r.human_by_human, "human_region"));
  out.write("ranks.csv", ranks_csv(r));
  out.write("components.csv", components_csv(r.components));
  out.write_json("summary.json", homology_summary(r));
}

void write_homology_report(const RunDirectory& out, const HomologyResult& r, const std::string& command) {
  const std::string p = r.ranking.permutations > 0 ? fmt::format("{:.2g}", r.ranking.p_value) : "not tested";
  nlohmann::json report = {{"format", 1}, {"task", "homology"}};
  report["model"] = {{"name", "Homology"}};
  report["data"] = {{"label", r.pair_list}};
  report["run"] = {{"command", command}, {"seed", r.seed}, {"versions", {{"genexx", version()}}}};
  report["summary"] = fmt::format(
      "The human homologue of a mouse region ranks {:.2f} of {} on average over {} pairs (by chance {:.1f}; p = {}), "
      "by "
      "the correlation of {}.",
      r.ranking.mean_rank, r.human_by_mouse.rows.size(), r.ranking.pairs.size(), r.ranking.chance, p,
      r.models == 1 ? "one pair of embeddings" : fmt::format("embeddings, averaged over {} models", r.models));
  report["figures"] =
      nlohmann::json::array({{"Mean rank", fmt::format("{:.2f}", r.ranking.mean_rank)},
                             {"By chance", fmt::format("{:.1f}", r.ranking.chance)},
                             {"p", p},
                             {"At rank 1", fmt::format("{} of {}", r.ranking.top1, r.ranking.pairs.size())},
                             {"Human regions", fmt::format("{}", r.human_by_mouse.rows.size())},
                             {"Mouse regions", fmt::format("{}", r.human_by_mouse.columns.size())},
                             {"Models", fmt::format("{}", r.models)}});
  add_homology_sections(report, r);
  report["warnings"] = r.warnings;
  write_report(out.file("report.html"), report);
}

}  // namespace genexx::tools
