// SPDX-License-Identifier: Apache-2.0
// What a homology of two species comes to: its tables and its report.
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "models/transbrain/components.h"
#include "models/transbrain/homology.h"
#include "tools/run_directory.h"

namespace genexx::tools {

struct HomologyResult {
  transbrain::Similarity human_by_mouse, human_by_human;  // averaged over the models
  transbrain::ResolvedPairs pairs;
  transbrain::Ranking ranking;
  transbrain::Components components;
  std::int64_t models = 0;
  std::int64_t undefined = 0;  // correlations of single models
  std::string pair_list;       // a preset's name, or the file
  std::vector<std::string> human_files, mouse_files;
  std::uint64_t seed = 0;
  std::vector<std::string> warnings;
};

// Mean rank, chance, p and what they are of; for summary.json.
nlohmann::json homology_summary(const HomologyResult& result);

// The parts of a report that show a homology: fields homology and components (tools/report/README.md).
void add_homology_sections(nlohmann::json& report, const HomologyResult& result);

// correlation.csv (human in rows, mouse in columns), human_correlation.csv, ranks.csv, components.csv, summary.json.
void write_homology_tables(const RunDirectory& out, const HomologyResult& result);

// report.html.
void write_homology_report(const RunDirectory& out, const HomologyResult& result, const std::string& command);

}  // namespace genexx::tools
