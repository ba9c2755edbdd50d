// SPDX-License-Identifier: Apache-2.0
#include "models/transbrain/scaler.h"

#include <cmath>

#include <doctest/doctest.h>

#include "engine/error.h"
#include "models/random_stream.h"

using namespace genexx;
using namespace genexx::transbrain;

TEST_CASE("scaler: mean and population deviation over the listed rows, typed by hand") {
  ThreadPool pool(1);
  const DenseMatrix x = {4, 3, {1, 5, 1e6f, 100, 100, 100, 3, 5, 1e6f + 1, 5, 5, 1e6f + 2}};

  const Scaler s = fit_scaler(x, std::vector<std::int64_t>{0, 2, 3}, pool);

  CHECK(s.mean[0] == doctest::Approx(3));
  CHECK(s.deviation[0] == doctest::Approx(std::sqrt(8.0 / 3)).epsilon(1e-14));
  CHECK(s.mean[1] == 5);
  CHECK(s.deviation[1] == 1);  // constant: divided by one
  CHECK(s.mean[2] == 1e6 + 1);
  CHECK(s.deviation[2] == doctest::Approx(std::sqrt(2.0 / 3)).epsilon(1e-12));
}

TEST_CASE("scaler: bits do not depend on threads") {
  ThreadPool one(1), three(3);
  DenseMatrix x = {50, 700, {}};
  RandomStream random(1, 2, 3);
  for (std::int64_t i = 0; i < 50 * 700; ++i) x.value.push_back(static_cast<float>(random.normal()));
  std::vector<std::int64_t> rows;
  for (std::int64_t i = 0; i < 50; i += 3) rows.push_back(i);

  const Scaler a = fit_scaler(x, rows, one), b = fit_scaler(x, rows, three);

  CHECK(a.mean == b.mean);
  CHECK(a.deviation == b.deviation);
  CHECK_THROWS_AS(fit_scaler(x, {}, one), RefusedError);
}
