// SPDX-License-Identifier: Apache-2.0
#include "models/dgex/baselines.h"

#include <algorithm>
#include <cmath>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "engine/error.h"
#include "tests/support/golden_json.h"

using namespace genexx;

namespace {

struct Golden {
  nlohmann::json json = test::golden_json("dgex_baselines");
  std::int64_t train = json.at("train"), test = json.at("test");
  std::int64_t landmarks = json.at("landmarks"), targets = json.at("targets");
  std::vector<float> x = json.at("x").get<std::vector<float>>(), y = json.at("y").get<std::vector<float>>();

  static dgex::MemoryRows<float> rows(const std::vector<float>& all, std::int64_t first, std::int64_t count,
                                      std::int64_t cols) {
    dgex::MemoryRows<float> store(count, cols);
    store.write(0, count, all.data() + first * cols);
    return store;
  }
  dgex::Moments moments(Context& ctx) const {
    return dgex::moments(ctx, rows(x, 0, train, landmarks), rows(y, 0, train, targets));
  }
  // Largest difference between a model's predictions for the test rows and those of `name`.
  double difference(Context& ctx, const dgex::LinearModel& model, const char* name) const {
    const std::vector<double> got = dgex::predict(ctx, model, x.data() + train * landmarks, test);
    const auto want = json.at(name).get<std::vector<double>>();
    REQUIRE(got.size() == want.size());
    double worst = 0;
    for (std::size_t i = 0; i < got.size(); ++i) worst = std::max(worst, std::abs(got[i] - want[i]));
    return worst;
  }
};

}  // namespace

TEST_CASE("dgex baselines: predictions are scikit-learn's") {
  const Golden g;
  ThreadPool pool(2);
  CpuContext ctx(&pool);
  const dgex::Moments m = g.moments(ctx);

  const dgex::LinearModel lasso = dgex::fit_lasso(m, {.penalty = g.json.at("lasso_penalty"), .tolerance = 1e-13}, pool);

  CHECK(g.difference(ctx, dgex::fit_ridge(m, 0), "linear") < 1e-11);
  CHECK(g.difference(ctx, dgex::fit_ridge(m, g.json.at("ridge_penalty")), "ridge") < 1e-11);
  CHECK(g.difference(ctx, lasso, "lasso") < 1e-9);
  CHECK(std::count(lasso.weights.begin(), lasso.weights.end(), 0.0) == g.json.at("lasso_zeros").get<std::int64_t>());
  CHECK(g.difference(ctx, dgex::fit_nearest_genes(m, g.json.at("k")), "nearest") < 1e-11);
}

TEST_CASE("dgex baselines: landmarks that repeat each other give the solution of least norm") {
  ThreadPool pool(1);
  CpuContext ctx(&pool);
  dgex::MemoryRows<float> x(4, 2), y(4, 1);
  const std::vector<float> inputs = {0, 0, 1, 1, 2, 2, 3, 3}, outputs = {5, 7, 9, 11};
  x.write(0, 4, inputs.data());
  y.write(0, 4, outputs.data());

  const dgex::LinearModel model = dgex::fit_ridge(dgex::moments(ctx, x, y), 0);

  CHECK(model.weights[0] == doctest::Approx(1.0).epsilon(1e-12));
  CHECK(model.weights[1] == doctest::Approx(1.0).epsilon(1e-12));
  CHECK(model.intercept[0] == doctest::Approx(5.0).epsilon(1e-12));
}

TEST_CASE("dgex baselines: errors a gene, and what they say beside a baseline") {
  ThreadPool pool(1);
  CpuContext ctx(&pool);
  dgex::MemoryRows<float> x(3, 1), y(3, 2);
  const std::vector<float> inputs = {0, 1, 2}, outputs = {1, 0, 2, 0, 3, 3};
  x.write(0, 3, inputs.data());
  y.write(0, 3, outputs.data());
  const dgex::LinearModel model = {.landmarks = 1, .targets = 2, .weights = {1, 0}, .intercept = {1, 0}};

  const std::vector<double> errors = dgex::gene_errors(ctx, model, x, y);
  const dgex::ErrorComparison c = dgex::compare_errors({0.2, 0.4, 0.9}, {0.5, 0.5, 0.5});

  CHECK(errors == std::vector<double>{0, 1});
  CHECK(c.mae == doctest::Approx(0.5));
  CHECK(c.mae_sd == doctest::Approx(std::sqrt(0.26 / 3)));
  CHECK(c.improvement == doctest::Approx(0.0));
  CHECK(c.improved_genes == doctest::Approx(2.0 / 3));
}

TEST_CASE("dgex baselines: what cannot be is refused") {
  ThreadPool pool(1);
  CpuContext ctx(&pool);
  const dgex::MemoryRows<float> three(3, 1), four(4, 1);

  CHECK_THROWS_WITH_AS(dgex::moments(ctx, three, four), doctest::Contains("y has 4 rows, expected 3"), ShapeError);
  CHECK_THROWS_WITH_AS(dgex::fit_nearest_genes(dgex::moments(ctx, three, three), 2), doctest::Contains("k is 2"),
                       UsageError);
}
