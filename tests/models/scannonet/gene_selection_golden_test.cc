// SPDX-License-Identifier: Apache-2.0
// Stage 1 against Scanpy, SciPy and plain NumPy on real data; see tests/golden/make_scanpy_goldens.py.
#include <algorithm>
#include <cmath>
#include <map>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "io/open_matrix.h"
#include "models/library_size.h"
#include "models/pearson_p_value.h"
#include "models/scannonet/gene_selection.h"
#include "tests/support/data.h"
#include "tests/support/golden_json.h"

using namespace genexx;
using namespace genexx::scannonet;

namespace {

struct RealData {
  CsrMatrix counts;
  std::vector<std::int32_t> labels;
  std::vector<std::string> types;  // sorted, as the golden files have them
};

RealData read(const std::string& path, const std::string& label) {
  const std::unique_ptr<MatrixSource> source = open_matrix(path);
  RealData data;
  source->next(data.counts, source->rows());
  REQUIRE(data.counts.rows == source->rows());
  REQUIRE(source->cells().find(label) != nullptr);
  const Categorical categories = as_categorical(*source->cells().find(label));
  data.types = categories.categories;
  std::sort(data.types.begin(), data.types.end());
  for (const std::int32_t code : categories.codes) {
    const std::string& name = categories.categories[static_cast<std::size_t>(code)];
    data.labels.push_back(
        static_cast<std::int32_t>(std::lower_bound(data.types.begin(), data.types.end(), name) - data.types.begin()));
  }
  return data;
}

double relative(double got, double expected) {
  return std::fabs(got - expected) / std::max(std::fabs(expected), 1e-300);
}

// Every figure of one golden file.
void compare(const std::string& name) {
  const nlohmann::json golden = test::golden_json("gene_selection_" + name);
  const std::optional<std::string> path = test::data_file(golden["file"]);
  if (!path) return;
  const RealData data = read(*path, golden["label"]);
  ThreadPool pool(2);
  CpuContext ctx(&pool);
  SelectionOptions options;
  options.min_gene_total = golden["min_gene_total"].get<double>();
  options.variable_genes = golden["variable_genes"];

  const Selection s = select_genes(ctx, {data.counts, data.labels, data.types}, options);

  SUBCASE("filters and library size") {
    CHECK(static_cast<std::int64_t>(s.cells.size()) == golden["cells"].get<std::int64_t>());
    CHECK(static_cast<std::int64_t>(s.genes.size()) == golden["genes"].get<std::int64_t>());
    CHECK(relative(s.target_sum, golden["target_sum"]) < 1e-12);
    REQUIRE(s.types.size() == golden["types"].size());
    for (std::size_t t = 0; t < s.types.size(); ++t)
      CHECK(data.types[static_cast<std::size_t>(s.types[t])] == golden["types"][t]);
  }

  SUBCASE("normalised values") {
    std::vector<std::int32_t> map(static_cast<std::size_t>(data.counts.cols), -1);
    for (const std::int64_t j : s.genes) map[static_cast<std::size_t>(j)] = static_cast<std::int32_t>(j);
    std::vector<float> factor(static_cast<std::size_t>(data.counts.rows), 0.0f);
    for (std::size_t i = 0; i < s.cells.size(); ++i)
      factor[static_cast<std::size_t>(s.cells[i])] = static_cast<float>(s.target_sum / s.cell_totals[i]);
    const CsrMatrix values = normalised(data.counts, map, data.counts.cols, factor, Logarithm::yes);
    double sum = 0, squares = 0;
    for (const float v : values.value) {
      sum += v;
      squares += static_cast<double>(v) * v;
    }
    CHECK(relative(sum, golden["value_sum"]) < 1e-6);
    CHECK(relative(squares, golden["square_sum"]) < 1e-6);
    for (const auto& one : golden["values"]) {
      const std::size_t row = one[0].get<std::size_t>();
      const auto begin = values.column.begin() + values.row_begin[row],
                 end = values.column.begin() + values.row_begin[row + 1];
      const auto at = std::lower_bound(begin, end, one[1].get<std::int32_t>());
      REQUIRE(at != end);
      CHECK(relative(values.value[static_cast<std::size_t>(at - values.column.begin())], one[2]) < 1e-6);
    }
  }

  SUBCASE("variable genes") {
    for (const auto& one : golden["dispersions"]) {
      const auto at = std::lower_bound(s.genes.begin(), s.genes.end(), one[0].get<std::int64_t>());
      REQUIRE(at != s.genes.end());
      CHECK(std::fabs(s.dispersions[static_cast<std::size_t>(at - s.genes.begin())] - one[1].get<double>()) < 1e-5);
    }
    CHECK(s.variable == golden["variable"].get<std::vector<std::int64_t>>());
  }

  SUBCASE("markers") {
    REQUIRE(s.markers.size() == golden["markers"].size());
    for (std::size_t m = 0; m < s.markers.size(); ++m) {
      CHECK(s.types[golden["markers"][m][0].get<std::size_t>()] == s.markers[m].type);
      CHECK(s.markers[m].gene == golden["markers"][m][1].get<std::int64_t>());
      CHECK(std::fabs(s.markers[m].log2_fold_change - golden["markers"][m][2].get<double>()) < 1e-5);
    }
  }

  SUBCASE("co-expression") {
    CHECK(static_cast<std::int64_t>(s.coexpressed.size()) == golden["gene_list_lines"].get<std::int64_t>());
    std::map<std::pair<std::int64_t, std::int64_t>, double> found;
    for (const Selection::Coexpression& c : s.coexpressed) found[{c.gene, c.marker}] = c.p_value;
    for (const auto& pair : golden["pairs"]) {
      const double r = pair[2], p = pair[3];
      const double ours = pearson_p_value(r, golden["cells"].get<std::int64_t>());
      if (p > 1e-300) CHECK(relative(ours, p) < 1e-10);
      const auto at = found.find({pair[0].get<std::int64_t>(), pair[1].get<std::int64_t>()});
      CHECK((at != found.end()) == (p < 0.05));
      // r is right to some 1e-8, as float factors allow; ln p moves by about 2 ln p / r for a change of r.
      if (at != found.end() && p > 1e-300)
        CHECK(std::fabs(std::log(at->second / p)) < 1e-6 * std::max(1.0, std::fabs(std::log(p))) / std::fabs(r));
    }
  }

  SUBCASE("features and their statistics") {
    std::vector<std::int64_t> features = s.features, left_out;
    std::sort(features.begin(), features.end());
    std::set_difference(s.variable.begin(), s.variable.end(), features.begin(), features.end(),
                        std::back_inserter(left_out));
    CHECK(left_out == golden["left_out"].get<std::vector<std::int64_t>>());
    for (const auto& one : golden["statistics"]) {
      const auto at = std::find(s.features.begin(), s.features.end(), one[0].get<std::int64_t>());
      REQUIRE(at != s.features.end());
      const std::size_t f = static_cast<std::size_t>(at - s.features.begin());
      CHECK(relative(s.mean[f], one[1]) < 1e-6);
      CHECK(relative(s.deviation[f], one[2]) < 1e-6);
      CHECK(std::fabs(s.index[f] - one[3].get<double>()) < 1e-6);
    }
  }
}

}  // namespace

TEST_CASE("gene_selection: agrees with Scanpy on zheng68k counts") { compare("zheng68k"); }
TEST_CASE("gene_selection: agrees with Scanpy on tabula muris counts") { compare("tabula"); }
TEST_CASE("gene_selection: agrees with Scanpy on baron mouse counts") { compare("baron"); }
