// SPDX-License-Identifier: Apache-2.0
#include "models/pearson_p_value.h"

#include <cmath>
#include <initializer_list>

#include <doctest/doctest.h>

using namespace genexx;

TEST_CASE("pearson_p_value: agrees with 340-digit arithmetic on small and large samples and tiny p") {
  struct Known {
    double r;
    std::int64_t n;
    double p;
  };
  // mpmath, from the series of the incomplete beta function.
  const Known known[] = {
      {0.53727927023422151, 3, 0.63890424065137909127},         {0.74112031661362443, 5, 0.15182821512885883209},
      {0.56920387482221224, 7, 0.18229525073380716984},         {0.31724115602415132, 10, 0.37176060431301433336},
      {0.68719091035000157, 20, 0.00081548207150110874872},     {0.79333889902111721, 41, 6.1956744775870581858e-10},
      {0.073631792055118994, 41, 0.64730095288266556151},       {0.4498445300628246, 50, 0.0010470959431811989908},
      {0.18563687525911091, 100, 0.064438032130658972542},      {0.32528745700988981, 692, 1.6139881569131078018e-18},
      {0.01052715787706611, 100000, 0.00087148941466417979787}, {0.0037978317620822725, 5000, 0.78832903421101037677}};
  for (const Known& k : known) {
    CAPTURE(k.r);
    CAPTURE(k.n);
    CHECK(std::fabs(pearson_p_value(k.r, k.n) - k.p) < 1e-11 * k.p);
    CHECK(pearson_p_value(-k.r, k.n) == pearson_p_value(k.r, k.n));
  }
}

TEST_CASE("pearson_p_value: four observations have p = 1 - |r|") {
  for (const double r : {0.05, 0.3, 0.7, 0.75, 0.95, 0.9999}) CHECK(std::fabs(pearson_p_value(r, 4) - (1 - r)) < 1e-15);
}

TEST_CASE("pearson_p_value: ends and undefined cases") {
  CHECK(pearson_p_value(0, 30) == 1);
  CHECK(pearson_p_value(1, 30) == 0);
  CHECK(pearson_p_value(-1.0000001, 30) == 0);
  CHECK(pearson_p_value(0.9, 2) == 1);
  CHECK(pearson_p_value(std::nan(""), 30) == 1);
}

TEST_CASE("critical_correlation: is where p crosses") {
  for (const std::int64_t n : {5, 50, 12000}) {
    const double r = critical_correlation(0.05, n);
    CHECK(pearson_p_value(r, n) <= 0.05);
    CHECK(pearson_p_value(r * (1 - 1e-12), n) > 0.05);
  }
  CHECK(critical_correlation(0.05, 2) == 1);
}
