// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include <nlohmann/json.hpp>

#include "models/metrics.h"
#include "tools/application.h"
#include "tools/run_directory.h"

namespace genexx::tools {

struct Evaluation {
  const Application& application;
  const ClassificationInput& judged;
  const ClassificationMetrics& metrics;
  const nlohmann::json& document;  // metrics.json
  const std::string& command;
  const std::string& data;
  const std::string& label;
};

// A metric with three decimals for people, "undefined" for null.
std::string figure_text(const nlohmann::json& metric);

// The confusion matrix and the per-class table as the report has them.
void add_confusion_section(nlohmann::json& report, const ClassificationMetrics& metrics,
                           const std::vector<std::string>& classes);

// A line a true class, a column a predicted one: cells; "rejected" are those without a prediction.
std::string confusion_table(const Confusion& confusion, const std::vector<std::string>& classes);

// How probable predictions were against how often they were right: judged cells that were not rejected, in ten bins,
// and the expected calibration error. Source: Guo et al., "On calibration of modern neural networks", ICML 2017,
// section 2.
nlohmann::json calibration_section(const ClassificationInput& judged);

// "scannonet" as people write it: "scAnnoNet".
std::string display_name(const std::string& system);

// Today, "2025-01-31".
std::string today();

// report.html of an evaluation.
void write_evaluation_report(const RunDirectory& out, const Evaluation& evaluation);

}  // namespace genexx::tools
