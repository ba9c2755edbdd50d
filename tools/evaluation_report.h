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
  const ClassificationMetrics& metrics;
  const nlohmann::json& document;  // metrics.json
  const std::string& command;
  const std::string& label;
};

// A metric with three decimals for people, "undefined" for null.
std::string figure_text(const nlohmann::json& metric);

// The confusion matrix and the per-class table as the report has them.
void add_confusion_section(nlohmann::json& report, const ClassificationMetrics& metrics,
                           const std::vector<std::string>& classes);

// report.html of an evaluation.
void write_evaluation_report(const RunDirectory& out, const Evaluation& evaluation);

}  // namespace genexx::tools
