// SPDX-License-Identifier: Apache-2.0
#include "models/dgex/near_duplicates.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "models/dgex/pair_products.h"

namespace genexx::dgex {
namespace {

std::size_t at(std::int64_t i) { return static_cast<std::size_t>(i); }

// Some members of a cluster, as they are and about the cluster's mean.
struct Tile {
  std::int64_t begin = 0, rows = 0;  // among the members
  std::vector<float> raw, centred;   // [rows, cols]
  std::vector<double> norm;          // [rows] squared, of the centred rows
};

class ClusterSearch {
 public:
  ClusterSearch(Context& ctx, ThreadPool& pool, const RowStore<float>& rows, const NearDuplicateOptions& options)
      : pool_(pool), rows_(rows), options_(options), products_(ctx, rows.cols()) {}

  void run(const std::vector<std::int64_t>& members, NearDuplicates& found) {
    const auto count = static_cast<std::int64_t>(members.size());
    if (count < 2) return;
    take_mean(members);
    for (std::int64_t a = 0; a < count; a += options_.tile_rows) {
      load(members, a, left_);
      compare(left_, left_, members, found);
      for (std::int64_t b = a + options_.tile_rows; b < count; b += options_.tile_rows) {
        load(members, b, right_);
        compare(left_, right_, members, found);
      }
    }
  }

 private:
  void take_mean(const std::vector<std::int64_t>& members) {
    mean_.assign(at(rows_.cols()), 0.0);
    std::vector<float> row(at(rows_.cols()));
    for (const std::int64_t member : members) {
      rows_.read(member, 1, row.data());
      for (std::size_t i = 0; i < row.size(); ++i) mean_[i] += static_cast<double>(row[i]);
    }
    for (double& m : mean_) m /= static_cast<double>(members.size());
  }

  void load(const std::vector<std::int64_t>& members, std::int64_t begin, Tile& tile) {
    const std::int64_t cols = rows_.cols();
    tile.begin = begin;
    tile.rows = std::min(options_.tile_rows, static_cast<std::int64_t>(members.size()) - begin);
    tile.raw.resize(at(tile.rows * cols));
    tile.centred.resize(tile.raw.size());
    tile.norm.assign(at(tile.rows), 0.0);
    rows_.gather(members.data() + begin, tile.rows, tile.raw.data());
    const auto centre = [&](std::int64_t r) {
      double norm = 0;
      for (std::int64_t i = 0; i < cols; ++i) {
        const auto value = static_cast<float>(static_cast<double>(tile.raw[at(r * cols + i)]) - mean_[at(i)]);
        tile.centred[at(r * cols + i)] = value;
        norm += static_cast<double>(value) * static_cast<double>(value);
      }
      tile.norm[at(r)] = norm;
    };
    pool_.run(tile.rows, centre);
  }

  double exact(const float* a, const float* b) const {
    double sum = 0;
    for (std::int64_t i = 0; i < rows_.cols(); ++i) {
      const double d = static_cast<double>(a[i]) - static_cast<double>(b[i]);
      sum += d * d;
    }
    return sum;
  }

  void compare(const Tile& a, const Tile& b, const std::vector<std::int64_t>& members, NearDuplicates& found) {
    const std::int64_t cols = rows_.cols();
    products_.run({a.centred.data(), a.rows}, {b.centred.data(), b.rows}, product_);
    const double least = std::max(0.0, options_.distance - options_.band), most = options_.distance + options_.band;
    const double limit = options_.distance * options_.distance;
    // Twice the usual bound of a sum of `cols` products in f32, rounding errors being of either sign.
    const double error = 4.0 * std::numeric_limits<float>::epsilon() * std::sqrt(static_cast<double>(cols));
    for (std::int64_t i = 0; i < a.rows; ++i) {
      for (std::int64_t j = &a == &b ? i + 1 : 0; j < b.rows; ++j) {
        const double sizes = a.norm[at(i)] + b.norm[at(j)];
        double squared = sizes - 2.0 * static_cast<double>(product_[at(i * b.rows + j)]);
        ++found.pairs;
        if (squared > most * most + error * sizes) continue;
        if (squared >= least * least - error * sizes) {
          squared = exact(a.raw.data() + i * cols, b.raw.data() + j * cols);
          ++found.remeasured;
        }
        if (squared < limit) found.dropped[at(members[at(b.begin + j)])] = 1;
      }
    }
  }

  ThreadPool& pool_;
  const RowStore<float>& rows_;
  NearDuplicateOptions options_;
  PairProducts products_;
  std::vector<double> mean_;
  std::vector<float> product_;
  Tile left_, right_;
};

}  // namespace

NearDuplicates find_near_duplicates(Context& ctx, ThreadPool& pool, const RowStore<float>& rows,
                                    const std::vector<std::int32_t>& cluster, const NearDuplicateOptions& options) {
  std::int32_t clusters = 0;
  for (const std::int32_t label : cluster) clusters = std::max(clusters, label + 1);
  std::vector<std::vector<std::int64_t>> members(static_cast<std::size_t>(clusters));
  for (std::size_t r = 0; r < cluster.size(); ++r)
    members[static_cast<std::size_t>(cluster[r])].push_back(static_cast<std::int64_t>(r));
  NearDuplicates found;
  found.dropped.assign(cluster.size(), 0);
  ClusterSearch search(ctx, pool, rows, options);
  for (const std::vector<std::int64_t>& group : members) search.run(group, found);
  return found;
}

}  // namespace genexx::dgex
