// SPDX-License-Identifier: Apache-2.0
#include "models/transbrain/simulate_regions.h"

#include <cmath>
#include <map>
#include <set>

#include <doctest/doctest.h>

#include "engine/error.h"
#include "models/transbrain/homology.h"
#include "models/transbrain/region_names.h"
#include "tests/support/text_file.h"

using namespace genexx;
using namespace genexx::test;
using namespace genexx::transbrain;

namespace {

SimulatedRegions simulate(const RegionSimulation& request, int threads = 1) {
  ThreadPool pool(threads);
  return simulate_regions(request, pool);
}

RegionTable region_means(const SimulatedRows& rows, std::size_t genes) {
  std::map<std::string, std::pair<std::vector<double>, double>> sums;
  for (std::size_t i = 0; i < rows.region_index.size(); ++i) {
    auto& [sum, count] = sums[region_of(rows.region_index[i])];
    sum.resize(genes);
    for (std::size_t g = 0; g < genes; ++g) sum[g] += rows.values[i * genes + g];
    ++count;
  }
  RegionTable table;
  table.width = static_cast<std::int64_t>(genes);
  for (auto& [name, entry] : sums) {
    table.regions.push_back(name);
    for (const double x : entry.first) table.values.push_back(x / entry.second);
  }
  return table;
}

double raw_mean_rank(const SimulatedRegions& s) {
  const Similarity r = correlate(region_means(s.human, s.genes.size()), region_means(s.mouse, s.genes.size()));
  return rank_pairs(r, resolve_pairs(s.pairs, r.rows, r.columns, AbsentPairs::refuse), {.permutations = 0}).mean_rank;
}

}  // namespace

TEST_CASE("simulate_regions: names, sizes and lists are those of the publication's files") {
  const SimulatedRegions s = simulate({.human_regions = 12, .mouse_regions = 5, .genes = 60, .samples = 4, .cells = 3});

  CHECK(s.genes.size() == 60);
  CHECK(s.gene_list.size() == 54);
  CHECK(std::set<std::string>(s.gene_list.begin(), s.gene_list.end()).size() == 54);
  CHECK(s.gene_list != std::vector<std::string>(s.genes.begin(), s.genes.begin() + 54));
  CHECK(s.training.region_index.size() == 3 * s.human.region_index.size());
  CHECK(s.training.values.size() == s.training.region_index.size() * 60);
  CHECK(s.mouse.region_index.size() == 5 * 8);
  std::set<std::string> regions, rows;
  std::map<std::string, std::set<std::string>> samples;
  for (const std::string& name : s.training.region_index) {
    CHECK(names_a_sample(name));
    regions.insert(region_of(name));
    samples[region_of(name)].insert(sample_of(name));
    rows.insert(name);
  }
  CHECK(regions.size() == 12);
  CHECK(rows.size() == s.training.region_index.size());
  for (const auto& [region, own] : samples) CHECK(own.size() >= 2);
  CHECK(s.pairs.size() == 5);
  std::set<std::string> partners;
  for (const RegionPair& p : s.pairs) partners.insert(p.human);
  CHECK(partners.size() == 5);
}

TEST_CASE("simulate_regions: every gene of every file has mean 0 and deviation 1") {
  const SimulatedRegions s = simulate({.human_regions = 10, .mouse_regions = 4, .genes = 30, .seed = 3});

  for (const SimulatedRows* rows : {&s.training, &s.human, &s.mouse}) {
    const std::size_t n = rows->region_index.size();
    for (const std::size_t g : {0u, 17u, 29u}) {
      double sum = 0, squares = 0;
      for (std::size_t i = 0; i < n; ++i) sum += rows->values[i * 30 + g];
      for (std::size_t i = 0; i < n; ++i) squares += std::pow(rows->values[i * 30 + g] - sum / n, 2);
      CHECK(sum / n == doctest::Approx(0).scale(1).epsilon(1e-6));
      CHECK(squares / (n - 1) == doctest::Approx(1).epsilon(1e-5));
    }
  }
}

TEST_CASE("simulate_regions: bits do not depend on threads, but on the seed") {
  const SimulatedRegions one = simulate({.human_regions = 9, .mouse_regions = 9, .genes = 40, .seed = 5}),
                         three = simulate({.human_regions = 9, .mouse_regions = 9, .genes = 40, .seed = 5}, 3),
                         other = simulate({.human_regions = 9, .mouse_regions = 9, .genes = 40, .seed = 6});

  CHECK(one.training.values == three.training.values);
  CHECK(one.training.region_index == three.training.region_index);
  CHECK(one.mouse.values == three.mouse.values);
  CHECK(one.human.values == three.human.values);
  CHECK(one.gene_list == three.gene_list);
  CHECK(one.training.values != other.training.values);
  CHECK(one.gene_list != other.gene_list);
}

TEST_CASE("simulate_regions: raw correlation is useful, misled by the species shift, and chance without homology") {
  const RegionSimulation plain = {.seed = 1};
  RegionSimulation easy = plain, unrelated = plain;
  easy.species_shift = 0;
  easy.conservation = 1;
  unrelated.conservation = 0;

  const double usual = raw_mean_rank(simulate(plain)), without_shift = raw_mean_rank(simulate(easy)),
               chance = raw_mean_rank(simulate(unrelated));

  // 40 human regions: guessing gives 20.5 with a standard deviation of 11.5 / sqrt(20) = 2.6 over 20 pairs.
  CHECK(usual < 12);
  CHECK(usual > 1.5);
  CHECK(without_shift < 1.2);
  CHECK(chance > 20.5 - 3 * 2.6);
  CHECK(chance < 20.5 + 3 * 2.6);
}

TEST_CASE("simulate_regions: values out of range are named") {
  const auto complaint = [](const RegionSimulation& r) { return message_of<UsageError>([&] { simulate(r); }); };

  CHECK(contains(complaint({.human_regions = 1}), "human_regions is 1"));
  CHECK(contains(complaint({.human_regions = 5, .mouse_regions = 6}), "mouse_regions is 6"));
  CHECK(contains(complaint({.genes = 9}), "genes is 9"));
  CHECK(contains(complaint({.samples = 1}), "samples is 1"));
  CHECK(contains(complaint({.cells = 0}), "cells is 0"));
  CHECK(contains(complaint({.spots = 0}), "spots is 0"));
  CHECK(contains(complaint({.factors = 0}), "factors is 0"));
  CHECK(contains(complaint({.conservation = 1.5}), "conservation is 1.5"));
  CHECK(contains(complaint({.species_shift = -1}), "species_shift is -1"));
  CHECK(contains(complaint({.nuisance = -1}), "nuisance is -1"));
  CHECK(contains(complaint({.noise = -1}), "noise is -1"));
}
