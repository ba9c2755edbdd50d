// SPDX-License-Identifier: Apache-2.0
#include "models/scannonet/highly_variable.h"

#include <cmath>
#include <limits>

#include <doctest/doctest.h>

using namespace genexx::scannonet;

namespace {
const double kNaN = std::numeric_limits<double>::quiet_NaN();
}

TEST_CASE("highly_variable: dispersions are those of pandas.cut and groupby") {
  // 30 genes, two of them without variance, some alone in their bin; expected values from pandas 2.3.
  const std::vector<double> mean = {0.613, 0.169, 3.229, 0.032, 0,     0.002, 0.917, 40,    0.001, 0.134,
                                    0.161, 3,     0.188, 0.301, 8.146, 3.48,  0.934, 0.261, 0.331, 0.145,
                                    0.419, 0.707, 0.155, 0.084, 0.468, 1.181, 1.098, 0.279, 0.231, 0.212};
  const std::vector<double> variance = {2.096, 0.684, 3.031, 0.06,  0,     0.001,  2.108, 90,    0.001, 0.691,
                                        0.425, 0,     0.085, 0.6,   15.16, 12.788, 0.024, 0.183, 0.235, 0.319,
                                        1.134, 0.557, 0.476, 0.041, 1.788, 2.204,  2.905, 0.587, 0.274, 0.591};
  const std::vector<double> expected = {0.51324799867742921,
                                        1.0486008285203747,
                                        1,
                                        0.21133409469882325,
                                        kNaN,
                                        -1.2269158418575465,
                                        0.55048441482077293,
                                        1,
                                        -0.4726775337613226,
                                        1.3121917543663713,
                                        0.58355941670416256,
                                        kNaN,
                                        -1.3364296720134858,
                                        0.45693768709733301,
                                        1,
                                        1,
                                        -1.1542900910774672,
                                        -1.3010131526491198,
                                        -1.279979742979527,
                                        0.3852711994453214,
                                        0.97146888705215606,
                                        -1.1524098938973473,
                                        0.74820300592861511,
                                        -1.2531372520313129,
                                        0.63916189521991851,
                                        1,
                                        0.60380567625669423,
                                        0.54778120235122529,
                                        -0.41645553633703242,
                                        1.0212606554649646};

  const std::vector<double> got = normalised_dispersions(mean, variance);

  REQUIRE(got.size() == expected.size());
  for (std::size_t g = 0; g < got.size(); ++g) {
    CAPTURE(g);
    if (std::isnan(expected[g])) CHECK(std::isnan(got[g]));
    if (!std::isnan(expected[g])) CHECK(std::fabs(got[g] - expected[g]) < 1e-12);
  }
}

TEST_CASE("highly_variable: genes of one mean share one bin") {
  const std::vector<double> got = normalised_dispersions(std::vector<double>{2, 2, 2},
                                                         std::vector<double>{2, 2 * std::exp(1.0), 2 * std::exp(2.0)});

  CHECK(std::fabs(got[0] + 1) < 1e-12);
  CHECK(std::fabs(got[1]) < 1e-12);
  CHECK(std::fabs(got[2] - 1) < 1e-12);
}

TEST_CASE("highly_variable: the largest are taken, ties with the last included, NaN never") {
  const std::vector<double> d = {0.5, kNaN, 3, 1, 1, -2, 7};

  CHECK(most_variable(d, 3) == std::vector<std::int64_t>{2, 3, 4, 6});
  CHECK(most_variable(d, 1) == std::vector<std::int64_t>{6});
  CHECK(most_variable(d, 6) == std::vector<std::int64_t>{0, 2, 3, 4, 5, 6});
}

TEST_CASE("highly_variable: no more genes than asked for means all of them") {
  const std::vector<double> d = {0.5, kNaN, 3};

  CHECK(most_variable(d, 3) == std::vector<std::int64_t>{0, 1, 2});
  CHECK(most_variable(d, 4000) == std::vector<std::int64_t>{0, 1, 2});
  CHECK(most_variable(std::vector<double>{kNaN, kNaN}, 1).empty());
}
