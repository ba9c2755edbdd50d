// SPDX-License-Identifier: Apache-2.0
#include "models/transbrain/homology.h"

#include <cmath>
#include <limits>

#include <doctest/doctest.h>

#include "engine/error.h"
#include "models/random_stream.h"
#include "tests/support/text_file.h"

using namespace genexx;
using namespace genexx::test;
using namespace genexx::transbrain;

namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

// Mean correlations of nine mouse regions with the 22 human subcortical regions, rounded to four decimals. Source:
// tyzhang97/transbrain, Pipeline_temp/run_pipeline/files/net_emd_mean_dataframe_subcortex.csv.
struct PublishedRow {
  const char* mouse;
  std::vector<double> r;
};

const std::vector<std::string> kHumanSubcortex = {"mAmyg",
                                                  "lAmyg",
                                                  "CA1",
                                                  "CA4DG",
                                                  "CA2CA3",
                                                  "subiculum",
                                                  "Claustrum",
                                                  "head of caudate",
                                                  "body of caudate",
                                                  "Putamen",
                                                  "posterovemtral putamen",
                                                  "nucleus accumbens",
                                                  "external segment of globus pallidus",
                                                  "internal segment of globus pallidus",
                                                  "mPMtha",
                                                  "Stha",
                                                  "PPtha",
                                                  "Otha",
                                                  "mPFtha",
                                                  "lPFtha",
                                                  "rTtha",
                                                  "cTtha"};

const std::vector<PublishedRow> kPublished = {
    {"CA1", {0.3136, 0.5349,  0.9446,  0.8394,  0.7696, 0.8263, 0.2178, 0.1732,  0.2474,  0.0828, 0.3152,
             0.0168, -0.1027, -0.1063, -0.0985, 0.0182, 0.0598, 0.1776, -0.0406, -0.1245, 0.2097, 0.2056}},
    {"CA2", {0.2176,  0.4633,  0.9559,  0.8500,  0.7858, 0.7811, 0.2372, 0.1086,  0.2587,  0.0981, 0.2470,
             -0.0581, -0.1364, -0.1545, -0.0795, 0.0618, 0.1071, 0.2285, -0.0233, -0.1022, 0.2366, 0.2578}},
    {"CA3", {0.2383,  0.5104,  0.9779,  0.8871,  0.8462, 0.8505, 0.3248, 0.1266,  0.2072,  0.1251, 0.3341,
             -0.0007, -0.1110, -0.1069, -0.0619, 0.0230, 0.0444, 0.1818, -0.0058, -0.0902, 0.2896, 0.2038}},
    {"DG", {0.4222, 0.6304,  0.9177,  0.8102,  0.7666, 0.7973, 0.3041, 0.1909, 0.2382,  0.1434, 0.4316,
            0.1120, -0.0397, -0.0592, -0.0801, 0.0038, 0.0400, 0.1670, 0.0282, -0.0922, 0.2780, 0.2062}},
    {"SUB", {0.3177, 0.5492,  0.8892,  0.8218,  0.7692,  0.9468, 0.3686, 0.2369, 0.1826,  0.1313, 0.3947,
             0.1176, -0.0476, -0.0297, -0.0442, -0.0081, 0.0214, 0.1735, 0.0511, -0.0667, 0.3319, 0.1655}},
    {"ACB", {0.4237, 0.5896, 0.3486, 0.3124, 0.4660,  0.2558, 0.5284, 0.7812, 0.6563, 0.6932, 0.6284,
             0.6467, 0.4142, 0.2851, 0.1241, -0.0211, 0.0278, 0.0251, 0.1220, 0.0230, 0.1841, 0.1015}},
    {"CP", {0.0686, 0.2790, 0.3920, 0.2871, 0.4272, 0.2691, 0.6174, 0.6407, 0.7946,  0.8580, 0.3489,
            0.1511, 0.3250, 0.0188, 0.1845, 0.2021, 0.2102, 0.1490, 0.0160, -0.0298, 0.0427, 0.2407}},
    {"PAL", {0.4519, 0.2652, -0.1440, -0.1446, -0.0454, -0.0988, 0.1741, 0.6076, 0.3710, 0.4823,  0.4185,
             0.5888, 0.8171, 0.6728,  0.4593,  0.2018,  0.1778,  0.0283, 0.1321, 0.2546, -0.0801, -0.0064}},
    {"MED", {-0.0766, 0.0987,  0.3654,  0.4539, 0.3505, 0.4380, 0.1119, 0.0756, 0.1996, -0.0306, 0.0054,
             0.1146,  -0.1670, -0.0515, 0.1827, 0.2358, 0.4255, 0.7371, 0.6974, 0.4111, 0.8203,  0.6960}}};

Similarity published_similarity() {
  Similarity s;
  s.rows = kHumanSubcortex;
  for (const PublishedRow& row : kPublished) s.columns.emplace_back(row.mouse);
  for (std::size_t i = 0; i < s.rows.size(); ++i)
    for (const PublishedRow& row : kPublished) s.r.push_back(row.r[i]);
  return s;
}

RegionTable table(std::vector<std::string> regions, std::vector<double> values) {
  RegionTable t;
  t.width = static_cast<std::int64_t>(values.size() / regions.size());
  t.regions = std::move(regions);
  t.values = std::move(values);
  return t;
}

Ranking rank(const Similarity& s, const std::vector<RegionPair>& pairs, const PermutationTest& test = {}) {
  return rank_pairs(s, resolve_pairs(pairs, s.rows, s.columns, AbsentPairs::refuse), test);
}

}  // namespace

TEST_CASE("homology: the published subcortical matrix gives the published ranks") {
  const Ranking got = rank(published_similarity(), published_pairs("subcortex"));

  std::vector<double> ranks;
  for (const RankedPair& pair : got.pairs) ranks.push_back(pair.rank);
  CHECK(ranks == std::vector<double>{2, 2, 1, 1, 1, 3, 4, 4, 3});
  CHECK(got.mean_rank == doctest::Approx(21.0 / 9).epsilon(1e-14));
  CHECK(got.median_rank == 2);
  CHECK(got.chance == 11.5);
  CHECK(got.top1 == 3);
  CHECK(got.top5 == 9);
  CHECK(got.pairs[0].pair.human == "CA4DG");
  CHECK(got.pairs[0].correlation == 0.8102);
  CHECK(got.p_value <= 0.001);
}

TEST_CASE("homology: correlations of rows, typed by hand") {
  // a: (1, 2, 3), (3, 1, 2); b: (2, 4, 6), (1, 0, 1), (-1, -2, -3).
  const Similarity s =
      correlate(table({"p", "q"}, {1, 2, 3, 3, 1, 2}), table({"x", "y", "z"}, {2, 4, 6, 1, 0, 1, -1, -2, -3}));

  CHECK(s.rows == std::vector<std::string>{"p", "q"});
  CHECK(s.columns == std::vector<std::string>{"x", "y", "z"});
  const std::vector<double> want = {1, 0, -1, -0.5, 0.8660254037844387, 0.5};
  for (std::size_t i = 0; i < want.size(); ++i) CHECK(s.r[i] == doctest::Approx(want[i]).epsilon(1e-14).scale(1));
}

TEST_CASE("homology: a large mean costs no digits") {
  const Similarity s = correlate(table({"p"}, {1e6 + 1, 1e6 + 2, 1e6 + 4}), table({"x"}, {1e6 - 1, 1e6 - 2, 1e6 - 4}));

  CHECK(s.r[0] == doctest::Approx(-1).epsilon(1e-12));
}

TEST_CASE("homology: a constant region correlates with nothing and ranks last") {
  const RegionTable human = table({"a", "dead", "c", "gone"}, {1, 2, 3, 0.1, 0.1, 0.1, 3, 2, 1, 0, 0, 0});

  const Similarity s = correlate(human, table({"m"}, {1, 2, 3}));

  CHECK(std::isnan(s.at(1, 0)));
  CHECK(std::isnan(s.at(3, 0)));
  CHECK(rank_matrix(s) == std::vector<double>{1, 3.5, 2, 3.5});
}

TEST_CASE("homology: equal correlations share the mean of their ranks, in any order") {
  CHECK(descending_rank(std::vector<double>{0.5, 0.9, 0.5, 0.1}, 0) == 2.5);
  CHECK(descending_rank(std::vector<double>{0.5, 0.9, 0.5, 0.1}, 2) == 2.5);
  CHECK(descending_rank(std::vector<double>{0.5, 0.9, 0.5, 0.1}, 3) == 4);
  CHECK(descending_rank(std::vector<double>{0.2, 0.2, 0.2}, 1) == 2);
  CHECK(descending_rank(std::vector<double>{kNaN, -1, kNaN}, 1) == 1);
  CHECK(descending_rank(std::vector<double>{kNaN, -1, kNaN}, 2) == 2.5);
}

TEST_CASE("homology: matrices of many models are averaged element by element, regions matched by name") {
  SimilarityMean mean;
  mean.add({{"a", "b"}, {"x", "y"}, {0.2, 0.4, 0.6, kNaN}});
  mean.add({{"b", "a"}, {"y", "x"}, {0.8, 0.2, 0.0, 0.4}});

  const Similarity m = mean.mean();

  CHECK(m.rows == std::vector<std::string>{"a", "b"});
  CHECK(m.at(0, 0) == doctest::Approx(0.3));
  CHECK(m.at(0, 1) == doctest::Approx(0.2));
  CHECK(m.at(1, 0) == doctest::Approx(0.4));
  CHECK(m.at(1, 1) == doctest::Approx(0.8));  // undefined in the first: the mean of the others
  CHECK(mean.count() == 2);
  CHECK(mean.undefined() == 1);
  CHECK(contains(message_of<RefusedError>([&] { mean.add({{"a", "c"}, {"x", "y"}, {0, 0, 0, 0}}); }), "lacks 'b'"));
}

TEST_CASE("homology: the permutation test is uniform by chance and small for true homologues") {
  constexpr std::int64_t kRegions = 12;
  std::vector<std::string> human, mouse;
  std::vector<RegionPair> pairs;
  for (std::int64_t i = 0; i < kRegions; ++i) {
    human.push_back("h" + std::to_string(i));
    mouse.push_back("m" + std::to_string(i));
    pairs.push_back({human.back(), mouse.back()});
  }
  double sum = 0;
  int below_tenth = 0;
  constexpr int kTrials = 200;
  for (int trial = 0; trial < kTrials; ++trial) {
    RandomStream random(7, 1, trial);
    Similarity s = {human, mouse, {}};
    for (std::int64_t i = 0; i < kRegions * kRegions; ++i) s.r.push_back(random.uniform());
    const double p = rank(s, pairs, {.permutations = 199, .seed = 3}).p_value;
    sum += p;
    below_tenth += p <= 0.1 ? 1 : 0;
  }
  Similarity perfect = {human, mouse, std::vector<double>(kRegions * kRegions, 0.0)};
  for (std::int64_t i = 0; i < kRegions; ++i) perfect.r[static_cast<std::size_t>(i * kRegions + i)] = 1;

  // Mean of a uniform p over 200 trials: 0.5 +- 0.02; a tenth of them below 0.1: 20 +- 4.2. Bounds of 4 deviations.
  CHECK(sum / kTrials == doctest::Approx(0.5).epsilon(0.17));
  CHECK(below_tenth >= 3);
  CHECK(below_tenth <= 37);
  const Ranking best = rank(perfect, pairs, {.permutations = 999, .seed = 3});
  CHECK(best.mean_rank == 1);
  CHECK(best.p_value == doctest::Approx(0.001));
  CHECK(best.null_mean == doctest::Approx(6.5).epsilon(0.02));
  CHECK(rank(perfect, pairs, {.permutations = 0}).p_value == 1);
}

TEST_CASE("homology: the same seed gives the same p, whatever was asked before") {
  const Similarity s = published_similarity();
  const auto pairs = published_pairs("subcortex");

  CHECK(rank(s, pairs, {.permutations = 500, .seed = 9}).null_sd ==
        rank(s, pairs, {.permutations = 500, .seed = 9}).null_sd);
  CHECK(rank(s, pairs, {.permutations = 500, .seed = 9}).null_sd !=
        rank(s, pairs, {.permutations = 500, .seed = 8}).null_sd);
}

TEST_CASE("homology: bad tables are refused by name") {
  CHECK(contains(message_of<RefusedError>([] {
                   check(table({"a", "a"}, {1, 2, 3, 4}), "human");
                 }),
                 "human has the region 'a' twice"));
  CHECK(contains(message_of<RefusedError>([] {
                   check(table({"a", "b"}, {1, 2, 3, kNaN}), "mouse");
                 }),
                 "mouse: region 'b', column 2"));
  CHECK(contains(message_of<RefusedError>([] { check(RegionTable{}, "human"); }), "0 regions"));
  CHECK_THROWS_AS(correlate(table({"a"}, {1, 2}), table({"b"}, {1, 2, 3})), ShapeError);
}
