// SPDX-License-Identifier: Apache-2.0
#include "models/transbrain/region_pairs.h"

#include <set>

#include <doctest/doctest.h>

#include "engine/error.h"
#include "tests/support/text_file.h"

using namespace genexx;
using namespace genexx::test;
using namespace genexx::transbrain;

namespace {

const std::vector<std::string> kHuman = {"A32p", "A32sg", "A11l"}, kMouse = {"PL", "ORBl"};

std::string refusal(const std::vector<RegionPair>& pairs, AbsentPairs rule = AbsentPairs::refuse) {
  return message_of<RefusedError>([&] { resolve_pairs(pairs, kHuman, kMouse, rule); });
}

}  // namespace

TEST_CASE("region_pairs: the published lists have the published sizes") {
  const auto cortex = published_pairs("cortex"), subcortex = published_pairs("subcortex"), all = published_pairs("all");
  std::set<std::string> mouse;
  for (const RegionPair& p : cortex) mouse.insert(p.mouse);

  CHECK(cortex.size() == 41);
  CHECK(mouse.size() == 17);
  CHECK(subcortex.size() == 9);
  CHECK(all.size() == 50);
  CHECK(all[40].human == "TE1.0 and TE1.2");
  CHECK(all[41].mouse == "DG");
  CHECK(all[49].human == "mPFtha");
  CHECK(published_pairs("hippocampus").empty());
}

TEST_CASE("region_pairs: pairs are found by name and keep their order") {
  const ResolvedPairs got = resolve_pairs({{"A11l", "ORBl"}, {"A32p", "PL"}}, kHuman, kMouse, AbsentPairs::refuse);

  REQUIRE(got.index.size() == 2);
  CHECK(got.index[0].human == 2);
  CHECK(got.index[0].mouse == 1);
  CHECK(got.index[1].human == 0);
  CHECK(got.index[1].mouse == 0);
  CHECK(got.absent.empty());
}

TEST_CASE("region_pairs: a pair whose region is not there is refused with the nearest name, or left out when asked") {
  const std::string human = refusal({{"A32p", "PL"}, {"A32q", "PL"}}),
                    mouse = refusal({{"A32p", "PL"}, {"A11l", "ORBm"}});
  const ResolvedPairs got = resolve_pairs({{"A32p", "PL"}, {"A32q", "PL"}}, kHuman, kMouse, AbsentPairs::leave_out);

  CHECK(contains(human, "1 of 2 homologous pairs"));
  CHECK(contains(human, "human data have no region 'A32q' (the nearest name is 'A32p')"));
  CHECK(contains(mouse, "mouse data have no region 'ORBm' (the nearest name is 'ORBl')"));
  CHECK(got.pairs.size() == 1);
  CHECK(got.absent.size() == 1);
  CHECK(contains(refusal({{"x", "y"}}, AbsentPairs::leave_out), "is this the list of these regions?"));
}

TEST_CASE("region_pairs: empty lists, empty names and repeats are refused") {
  CHECK(contains(refusal({}), "empty"));
  CHECK(contains(refusal({{"A32p", "PL"}, {"", "PL"}}), "pair 2 has no human region"));
  CHECK(contains(refusal({{"A32p", ""}}), "pair 1 has no mouse region"));
  CHECK(contains(refusal({{"A32p", "PL"}, {"A32p", "PL"}}), "pair 2 ('A32p', 'PL') is in the list twice"));
}
