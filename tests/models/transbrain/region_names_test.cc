// SPDX-License-Identifier: Apache-2.0
#include "models/transbrain/region_names.h"

#include <doctest/doctest.h>

using namespace genexx::transbrain;

TEST_CASE("region_names: region and sample of a row's name") {
  CHECK(region_of("A1/2/3ulhf_sample12_cell3") == "A1/2/3ulhf");
  CHECK(region_of("TE1.0 and TE1.2") == "TE1.0 and TE1.2");
  CHECK(region_of("other_sample1_cell1") == "");
  CHECK(region_of("other") == "");
  CHECK(region_of("") == "");
  CHECK(sample_of("A8m_sample12_cell3") == "A8m_sample12");
  CHECK(sample_of("A8m_sample12") == "A8m_sample12");
  CHECK(sample_of("A8m") == "A8m");
  CHECK(names_a_sample("A8m_sample12_cell3"));
  CHECK(names_a_sample("A8m_sample"));
  CHECK_FALSE(names_a_sample("A8m_cell3"));
  CHECK_FALSE(names_a_sample("sample12"));
}
