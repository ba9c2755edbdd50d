// SPDX-License-Identifier: Apache-2.0
// The HTML report of a training or an evaluation: one file that holds the data, the charts' library and the page, and
// loads nothing from anywhere.
#pragma once

#include <string>

#include <nlohmann/json_fwd.hpp>

namespace genexx {

// The page with `data` embedded. The fields of `data` and which section each fills: tools/report/README.md; a section
// whose field is missing is left out. Names may hold any bytes: markup in them stays text, invalid UTF-8 is replaced,
// and numbers that are not finite become null.
std::string report_page(const nlohmann::json& data);

// Writes report_page(data) to `path`, whole or not at all. Throws RuntimeError when it cannot be written.
void write_report(const std::string& path, const nlohmann::json& data);

}  // namespace genexx
