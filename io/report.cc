// SPDX-License-Identifier: Apache-2.0
#include "io/report.h"

#include <string_view>

#include <nlohmann/json.hpp>

#include "io/atomic_file.h"

namespace genexx {

extern const char kReportPage[];  // generated from tools/report

namespace {

// Inside a script element "<" could start its end tag or a comment; as "\u003c" it is the same JSON and never markup.
std::string json_for_script(const nlohmann::json& data) {
  const std::string plain = data.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  std::string safe;
  safe.reserve(plain.size());
  for (const char c : plain) {
    if (c == '<') {
      safe += "\\u003c";
    } else {
      safe += c;
    }
  }
  return safe;
}

std::string escape_html(std::string_view text) {
  std::string safe;
  for (const char c : text) {
    switch (c) {
      case '&':
        safe += "&amp;";
        break;
      case '<':
        safe += "&lt;";
        break;
      case '>':
        safe += "&gt;";
        break;
      default:
        safe += c;
    }
  }
  return safe;
}

std::string text_at(const nlohmann::json& data, const char* group, const char* field) {
  const auto found = data.find(group);
  if (found == data.end() || !found->is_object()) return "";
  const auto value = found->find(field);
  return value != found->end() && value->is_string() ? value->get<std::string>() : "";
}

std::string title_of(const nlohmann::json& data) {
  const std::string model = text_at(data, "model", "name");
  const std::string file = text_at(data, "data", "file");
  std::string title = model.empty() ? "report" : model;
  if (!file.empty()) title += " on " + file.substr(file.find_last_of('/') + 1);
  return "Genexx: " + title;
}

}  // namespace

std::string report_page(const nlohmann::json& data) {
  const std::string_view page = kReportPage;
  const std::string_view title_mark = "{{title}}", data_mark = "{{data}}";
  const std::size_t title_at = page.find(title_mark);
  const std::size_t data_at = page.find(data_mark, title_at);
  std::string made(page.substr(0, title_at));
  made += escape_html(title_of(data));
  made += page.substr(title_at + title_mark.size(), data_at - title_at - title_mark.size());
  made += json_for_script(data);
  made += page.substr(data_at + data_mark.size());
  return made;
}

void write_report(const std::string& path, const nlohmann::json& data) {
  write_file_atomically(path, report_page(data));
}

}  // namespace genexx
