// SPDX-License-Identifier: Apache-2.0
// The preparation of D-GEX against scikit-learn, scipy and numpy.
#include <algorithm>
#include <cmath>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "engine/device.h"
#include "models/dgex/clustering.h"
#include "models/dgex/mini_batch_k_means.h"
#include "models/dgex/near_duplicates.h"
#include "models/dgex/profile_set.h"
#include "models/dgex/quantile_normalization.h"
#include "models/random_stream.h"
#include "tests/support/golden_json.h"

using namespace genexx;

namespace {

struct Golden {
  nlohmann::json json = test::golden_json("dgex_preparation");
  std::int64_t cols = json.at("cols").get<std::int64_t>();
  std::vector<float> profiles = json.at("profiles").get<std::vector<float>>();
  std::int64_t rows = static_cast<std::int64_t>(profiles.size()) / cols;

  template <class T>
  std::vector<T> list(const char* name) const {
    return json.at(name).get<std::vector<T>>();
  }
  dgex::MemoryRows<float> store() const {
    dgex::MemoryRows<float> all(rows, cols);
    all.write(0, rows, profiles.data());
    return all;
  }
};

void check_close(const std::vector<double>& got, const std::vector<double>& want, double tolerance) {
  REQUIRE(got.size() == want.size());
  double worst = 0;
  for (std::size_t i = 0; i < got.size(); ++i) worst = std::max(worst, std::abs(got[i] - want[i]));
  CHECK(worst < tolerance);
}

std::vector<std::int32_t> all_ranks(const dgex::RowStore<std::int32_t>& store) {
  std::vector<std::int32_t> ranks(static_cast<std::size_t>(store.rows() * store.cols()));
  store.read(0, store.rows(), ranks.data());
  return ranks;
}

// Profiles far from zero, every second one a copy of the one before it at the distances given.
dgex::MemoryRows<float> copies(std::int64_t pairs, std::int64_t cols, const std::vector<double>& distances) {
  dgex::MemoryRows<float> store(2 * pairs, cols);
  for (std::int64_t p = 0; p < pairs; ++p) {
    RandomStream random(5, 1, p);
    std::vector<double> row(static_cast<std::size_t>(cols)), step(row.size());
    double length = 0;
    for (std::size_t i = 0; i < row.size(); ++i) {
      row[i] = 12.0 + 2.0 * random.normal();
      step[i] = random.normal();
      length += step[i] * step[i];
    }
    std::vector<float> first(row.begin(), row.end()), second(row.size());
    const double scale = distances[static_cast<std::size_t>(p) % distances.size()] / std::sqrt(length);
    for (std::size_t i = 0; i < row.size(); ++i)
      second[i] = static_cast<float>(static_cast<double>(first[i]) + scale * step[i]);
    store.write(2 * p, 1, first.data());
    store.write(2 * p + 1, 1, second.data());
  }
  return store;
}

}  // namespace

TEST_CASE("dgex preparation: mini-batch k-means walks as scikit-learn's from the same centres and batches") {
  const Golden g;
  ThreadPool pool(2);
  CpuContext ctx(&pool);
  dgex::MiniBatchKMeans means(ctx, g.list<double>("centres"), g.cols);
  const dgex::MemoryRows<float> store = g.store();

  for (const auto& batch : g.json.at("batches")) {
    const auto index = batch.get<std::vector<std::int64_t>>();
    std::vector<float> rows(index.size() * static_cast<std::size_t>(g.cols));
    store.gather(index.data(), static_cast<std::int64_t>(index.size()), rows.data());
    means.step(rows.data(), static_cast<std::int64_t>(index.size()), pool);
  }

  check_close(means.centres(), g.list<double>("fitted"), 1e-12);
  CHECK(means.nearest(g.profiles.data(), g.rows, pool) == g.list<std::int32_t>("labels"));
}

TEST_CASE("dgex preparation: near-duplicates are scikit-learn's, whatever the tile") {
  const Golden g;
  ThreadPool pool(2);
  CpuContext ctx(&pool);
  std::vector<std::uint8_t> want(static_cast<std::size_t>(g.rows), 0);
  for (const std::int64_t row : g.list<std::int64_t>("dropped")) want[static_cast<std::size_t>(row)] = 1;
  const auto labels = g.list<std::int32_t>("labels");

  CHECK(dgex::find_near_duplicates(ctx, pool, g.store(), labels).dropped == want);
  CHECK(dgex::find_near_duplicates(ctx, pool, g.store(), labels, {.tile_rows = 7}).dropped == want);
}

TEST_CASE("dgex preparation: pairs a hair from the threshold fall on the right side of it") {
  constexpr std::int64_t kPairs = 60, kCols = 5000;
  ThreadPool pool(2);
  CpuContext ctx(&pool);
  const dgex::MemoryRows<float> store = copies(kPairs, kCols, {0.9999, 1.0001, 0.95, 1.05});

  const dgex::NearDuplicates found =
      dgex::find_near_duplicates(ctx, pool, store, std::vector<std::int32_t>(2 * kPairs, 0));

  std::int64_t wrong = 0;
  for (std::int64_t p = 0; p < kPairs; ++p)
    wrong += found.dropped[static_cast<std::size_t>(2 * p + 1)] != (p % 2 == 0 ? 1 : 0) ? 1 : 0;
  CHECK(wrong == 0);
  CHECK(found.remeasured == kPairs);
  CHECK(found.pairs == kPairs * (2 * kPairs - 1));
}

TEST_CASE("dgex preparation: a copy of a dropped profile is dropped, one of another cluster is kept") {
  ThreadPool pool(1);
  CpuContext ctx(&pool);
  dgex::MemoryRows<float> store(4, 1);
  const std::vector<float> values = {0.0f, 0.8f, 1.6f, 0.1f};
  store.write(0, 4, values.data());

  const dgex::NearDuplicates found = dgex::find_near_duplicates(ctx, pool, store, {0, 0, 0, 1});

  CHECK(found.dropped == std::vector<std::uint8_t>{0, 1, 1, 0});
}

TEST_CASE("dgex preparation: quantiles, ranks, statistics and values are numpy's") {
  const Golden g;
  ThreadPool pool(2);
  const auto columns = g.list<std::vector<std::int32_t>>("columns");
  const auto order = g.list<std::int64_t>("order");
  const dgex::MemoryRows<float> store = g.store();
  dgex::MemoryRows<std::int32_t> ranks(static_cast<std::int64_t>(order.size()),
                                       static_cast<std::int64_t>(columns.size()));

  const std::vector<double> quantiles = dgex::rank_reference_set({store, columns, order}, ranks, pool);
  const dgex::GeneStatistics statistics = dgex::gene_statistics(ranks, quantiles, pool);

  CHECK(all_ranks(ranks) == g.list<std::int32_t>("ranks"));
  check_close(quantiles, g.list<double>("quantiles"), 1e-12);
  check_close(statistics.mean, g.list<double>("mean"), 1e-12);
  check_close(statistics.deviation, g.list<double>("deviation"), 1e-12);
  check_close(dgex::RankedSet{ranks, quantiles, statistics}.standardised(0, ranks.rows()),
              g.list<double>("standardised"), 1e-10);
}

TEST_CASE("dgex preparation: another set takes the quantiles at the ranks of its distinct values") {
  const Golden g;
  ThreadPool pool(2);
  const auto genes = static_cast<std::int64_t>(g.json.at("columns").size());
  const auto values = g.json.at("other").at("profiles").get<std::vector<float>>();
  const std::int64_t profiles = static_cast<std::int64_t>(values.size()) / genes;
  dgex::MemoryRows<float> store(profiles, genes);
  store.write(0, profiles, values.data());
  dgex::ColumnsOfGenes columns;
  std::vector<std::int64_t> order;
  for (std::int32_t c = 0; c < genes; ++c) columns.push_back({c});
  for (std::int64_t r = 0; r < profiles; ++r) order.push_back(r);
  dgex::MemoryRows<std::int32_t> ranks(profiles, genes);
  const auto quantiles = g.list<double>("quantiles");

  dgex::rank_other_set({store, columns, order}, ranks, pool);
  const dgex::GeneStatistics statistics = dgex::gene_statistics(ranks, quantiles, pool);

  CHECK(all_ranks(ranks) == g.json.at("other").at("ranks").get<std::vector<std::int32_t>>());
  check_close(statistics.deviation, g.json.at("other").at("deviation").get<std::vector<double>>(), 1e-12);
  check_close(dgex::RankedSet{ranks, quantiles, statistics}.standardised(0, profiles),
              g.json.at("other").at("standardised").get<std::vector<double>>(), 1e-10);
}

TEST_CASE("dgex preparation: a position that rounds below one takes the lowest quantile") {
  std::vector<double> profile(49);
  for (std::size_t i = 0; i < profile.size(); ++i) profile[i] = static_cast<double>(i);
  std::vector<std::int32_t> quantile(profile.size(), -7);

  dgex::unique_ranks(profile, quantile.data());

  CHECK(1.0 / 49.0 * 49.0 < 1.0);  // why: without the rule the published script reads from the end
  CHECK(quantile.front() == 0);
  CHECK(quantile.back() == 48);
}

TEST_CASE("dgex preparation: clusters do not depend on the number of threads") {
  const Golden g;
  const dgex::MemoryRows<float> store = g.store();
  std::vector<std::vector<std::int32_t>> labels;
  for (const int threads : {1, 3}) {
    ThreadPool pool(threads);
    CpuContext ctx(&pool);
    labels.push_back(
        dgex::cluster_profiles(ctx, pool, store, {.clusters = 6, .batch = 20, .passes = 2, .seed = 3, .progress = {}}));
  }

  CHECK(labels[0] == labels[1]);
  CHECK(*std::max_element(labels[0].begin(), labels[0].end()) == 5);
}
