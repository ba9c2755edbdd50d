// SPDX-License-Identifier: Apache-2.0
#include "models/dgex/profile_set.h"

#include <algorithm>
#include <cmath>

#include "models/dgex/quantile_normalization.h"

namespace genexx::dgex {
namespace {

constexpr std::int64_t kProfilesAtOnce = 256;
constexpr std::int64_t kGenesAtOnce = 256;  // of a sum over profiles, one task

std::size_t at(std::int64_t i) { return static_cast<std::size_t>(i); }

// Calls add(gene) for every gene, in tasks of neighbouring genes.
template <class Add>
void for_each_gene(std::int64_t genes, ThreadPool& pool, Add&& add) {
  const auto part = [&](std::int64_t index) {
    const std::int64_t end = std::min(genes, (index + 1) * kGenesAtOnce);
    for (std::int64_t g = index * kGenesAtOnce; g < end; ++g) add(g);
  };
  pool.run((genes + kGenesAtOnce - 1) / kGenesAtOnce, part);
}

// Calls visit(i, values) for the profiles [first, first + count), i from 0, on the threads of the pool.
template <class Visit>
void for_each_profile(const ProfileSet& set, std::int64_t first, std::int64_t count, ThreadPool& pool, Visit&& visit) {
  const auto one = [&](std::int64_t i) {
    std::vector<float> row(at(set.rows.cols()));
    std::vector<double> values;
    set.rows.read(set.order[at(first + i)], 1, row.data());
    gene_values(row.data(), set.columns, values);
    visit(i, values);
  };
  pool.run(count, one);
}

// Calls visit(ranks, count) for blocks of profiles in order.
template <class Visit>
void for_each_block(const RowStore<std::int32_t>& ranks, Visit&& visit) {
  std::vector<std::int32_t> block(at(std::min(kProfilesAtOnce, ranks.rows()) * ranks.cols()));
  for (std::int64_t first = 0; first < ranks.rows(); first += kProfilesAtOnce) {
    const std::int64_t count = std::min(kProfilesAtOnce, ranks.rows() - first);
    ranks.read(first, count, block.data());
    visit(block.data(), count);
  }
}

}  // namespace

void gene_values(const float* row, const ColumnsOfGenes& columns, std::vector<double>& values) {
  values.resize(columns.size());
  for (std::size_t g = 0; g < columns.size(); ++g) {
    double sum = 0;
    for (const std::int32_t column : columns[g]) sum += static_cast<double>(row[column]);
    values[g] = sum / static_cast<double>(columns[g].size());
  }
}

std::vector<double> rank_reference_set(const ProfileSet& set, RowStore<std::int32_t>& ranks, ThreadPool& pool) {
  const std::int64_t genes = set.genes();
  const std::int64_t most = std::min(kProfilesAtOnce, set.profiles());
  std::vector<double> quantiles(at(genes), 0.0), sorted(at(most * genes));
  std::vector<std::int32_t> block(at(most * genes));
  for (std::int64_t first = 0; first < set.profiles(); first += kProfilesAtOnce) {
    const std::int64_t count = std::min(kProfilesAtOnce, set.profiles() - first);
    for_each_profile(set, first, count, pool, [&](std::int64_t i, const std::vector<double>& values) {
      average_ranks(values, block.data() + i * genes, sorted.data() + i * genes);
    });
    ranks.write(first, count, block.data());
    for_each_gene(genes, pool, [&](std::int64_t g) {
      for (std::int64_t i = 0; i < count; ++i) quantiles[at(g)] += sorted[at(i * genes + g)];
    });
  }
  for (double& q : quantiles) q /= static_cast<double>(set.profiles());
  return quantiles;
}

void rank_other_set(const ProfileSet& set, RowStore<std::int32_t>& ranks, ThreadPool& pool) {
  const std::int64_t genes = set.genes();
  std::vector<std::int32_t> block(at(std::min(kProfilesAtOnce, set.profiles()) * genes));
  for (std::int64_t first = 0; first < set.profiles(); first += kProfilesAtOnce) {
    const std::int64_t count = std::min(kProfilesAtOnce, set.profiles() - first);
    for_each_profile(set, first, count, pool, [&](std::int64_t i, const std::vector<double>& values) {
      unique_ranks(values, block.data() + i * genes);
    });
    ranks.write(first, count, block.data());
  }
}

GeneStatistics gene_statistics(const RowStore<std::int32_t>& ranks, const std::vector<double>& quantiles,
                               ThreadPool& pool) {
  const std::int64_t genes = ranks.cols();
  const auto profiles = static_cast<double>(ranks.rows());
  GeneStatistics s;
  s.mean.assign(at(genes), 0.0);
  s.deviation.assign(at(genes), 0.0);
  for_each_block(ranks, [&](const std::int32_t* block, std::int64_t count) {
    for_each_gene(genes, pool, [&](std::int64_t g) {
      for (std::int64_t i = 0; i < count; ++i) s.mean[at(g)] += quantiles[at(block[i * genes + g])];
    });
  });
  for (double& m : s.mean) m /= profiles;
  for_each_block(ranks, [&](const std::int32_t* block, std::int64_t count) {
    for_each_gene(genes, pool, [&](std::int64_t g) {
      for (std::int64_t i = 0; i < count; ++i) {
        const double d = quantiles[at(block[i * genes + g])] - s.mean[at(g)];
        s.deviation[at(g)] += d * d;
      }
    });
  });
  for (double& d : s.deviation) d = std::sqrt(d / profiles);
  return s;
}

std::vector<double> RankedSet::standardised(std::int64_t first, std::int64_t count) const {
  const std::int64_t genes = ranks.cols();
  std::vector<std::int32_t> block(at(count * genes));
  ranks.read(first, count, block.data());
  std::vector<double> values(block.size());
  for (std::int64_t i = 0; i < count; ++i)
    for (std::int64_t g = 0; g < genes; ++g)
      values[at(i * genes + g)] = (quantiles[at(block[at(i * genes + g)])] - statistics.mean[at(g)]) /
                                  (statistics.deviation[at(g)] + kDeviationFloor);
  return values;
}

}  // namespace genexx::dgex
