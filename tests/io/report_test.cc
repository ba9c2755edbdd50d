// SPDX-License-Identifier: Apache-2.0
#include "io/report.h"

#include <doctest/doctest.h>

#include <fstream>
#include <iterator>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>

#include "engine/error.h"
#include "tests/support/data.h"

using genexx::report_page;
using nlohmann::json;

namespace {

std::string between(const std::string& text, const std::string& begin, const std::string& end) {
  const std::size_t from = text.find(begin);
  REQUIRE(from != std::string::npos);
  const std::size_t to = text.find(end, from + begin.size());
  REQUIRE(to != std::string::npos);
  return text.substr(from + begin.size(), to - from - begin.size());
}

json embedded_data(const std::string& page) {
  return json::parse(between(page, "<script id=\"data\" type=\"application/json\">", "</script>"));
}

}  // namespace

TEST_CASE("report: the page holds the data as it was given") {
  const json data = {{"model", {{"name", "scannonet"}, {"replicas", 3}}}, {"warnings", {"a", "b"}}};

  const std::string page = report_page(data);

  CHECK(embedded_data(page) == data);
}

TEST_CASE("report: markup in names stays text") {
  const std::string nasty = "</script><script>alert(1)</script><!-- & \"B\"";
  const json data = {{"model", {{"name", nasty}}}, {"data", {{"file", "dir/<b>.h5ad"}}}};

  const std::string page = report_page(data);

  CHECK(embedded_data(page) == data);
  CHECK(page.find("<script>alert") == std::string::npos);
  CHECK(between(page, "<title>", "</title>") ==
        "Genexx: &lt;/script&gt;&lt;script&gt;alert(1)&lt;/script&gt;&lt;!-- &amp; \"B\" on &lt;b&gt;.h5ad");
}

TEST_CASE("report: names that are not UTF-8 and numbers that are not finite do no harm") {
  const json data = {{"data", {{"label", "caf\xe9"}}}, {"loss", std::numeric_limits<double>::quiet_NaN()}};

  const json read = embedded_data(report_page(data));

  CHECK(read["data"]["label"] == "caf\xef\xbf\xbd");
  CHECK(read["loss"].is_null());
}

TEST_CASE("report: the page forbids itself every load and refers to nothing outside") {
  const std::string page = report_page(json::object());

  CHECK(page.find("default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:") !=
        std::string::npos);
  CHECK(page.find(" src=") == std::string::npos);
  CHECK(page.find("<link") == std::string::npos);
  CHECK(page.find("url(") == std::string::npos);
  CHECK(page.find("@import") == std::string::npos);
}

TEST_CASE("report: no mark of the template is left") {
  const std::string page = report_page(json::object());

  for (const char* mark : {"{{title}}", "{{data}}", "{{style}}", "{{script}}", "{{chart_library}}"}) {
    CHECK(page.find(mark) == std::string::npos);
  }
}

TEST_CASE("report: the file is written whole") {
  const genexx::test::TemporaryDirectory folder;
  const json data = {{"task", "classification"}};

  genexx::write_report(folder.file("report.html"), data);

  std::ifstream file(folder.file("report.html"), std::ios::binary);
  CHECK(std::string(std::istreambuf_iterator<char>(file), {}) == report_page(data));
}

TEST_CASE("report: a folder that is not there is named") {
  CHECK_THROWS_WITH_AS(genexx::write_report("/nonexistent/report.html", json::object()),
                       doctest::Contains("/nonexistent"), genexx::RuntimeError);
}
