// SPDX-License-Identifier: Apache-2.0
#include "models/dgex/mini_batch_k_means.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "models/random_stream.h"

namespace genexx::dgex {
namespace {

constexpr std::uint32_t kSeedingStream = 0x646b7070u;
constexpr std::int64_t kColumnsAtOnce = 512;  // of a centre's update, one task

double squared_distance(const float* a, const float* b, std::int64_t cols) {
  double sum = 0;
  for (std::int64_t i = 0; i < cols; ++i) {
    const double d = static_cast<double>(a[i]) - static_cast<double>(b[i]);
    sum += d * d;
  }
  return sum;
}

// The row at which the running sum of `weights` passes `share` of their total.
std::int64_t drawn_row(const std::vector<double>& weights, double share) {
  double total = 0;
  for (const double w : weights) total += w;
  double left = share * total;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    left -= weights[i];
    if (left < 0 && weights[i] > 0) return static_cast<std::int64_t>(i);
  }
  return 0;
}

}  // namespace

MiniBatchKMeans::MiniBatchKMeans(Context& ctx, std::vector<double> centres, std::int64_t cols)
    : cols_(cols),
      clusters_(static_cast<std::int64_t>(centres.size()) / cols),
      centres_(std::move(centres)),
      counts_(static_cast<std::size_t>(clusters_), 0.0),
      products_(ctx, cols) {}

std::vector<std::int32_t> MiniBatchKMeans::nearest(const float* rows, std::int64_t count, ThreadPool& pool) {
  // About their mean the norms are small, and little is lost in f32.
  std::vector<double> mean(static_cast<std::size_t>(cols_), 0.0);
  for (std::int64_t k = 0; k < clusters_; ++k)
    for (std::int64_t i = 0; i < cols_; ++i)
      mean[static_cast<std::size_t>(i)] += centres_[static_cast<std::size_t>(k * cols_ + i)];
  for (double& m : mean) m /= static_cast<double>(clusters_);
  std::vector<float> moved_centres(centres_.size()), moved_rows(static_cast<std::size_t>(count * cols_));
  std::vector<double> norm(static_cast<std::size_t>(clusters_), 0.0);
  for (std::int64_t k = 0; k < clusters_; ++k)
    for (std::int64_t i = 0; i < cols_; ++i) {
      const double d = centres_[static_cast<std::size_t>(k * cols_ + i)] - mean[static_cast<std::size_t>(i)];
      moved_centres[static_cast<std::size_t>(k * cols_ + i)] = static_cast<float>(d);
      norm[static_cast<std::size_t>(k)] += d * d;
    }
  const auto move = [&](std::int64_t r) {
    for (std::int64_t i = 0; i < cols_; ++i)
      moved_rows[static_cast<std::size_t>(r * cols_ + i)] =
          static_cast<float>(static_cast<double>(rows[r * cols_ + i]) - mean[static_cast<std::size_t>(i)]);
  };
  pool.run(count, move);
  std::vector<float> products;
  products_.run({moved_rows.data(), count}, {moved_centres.data(), clusters_}, products);
  std::vector<std::int32_t> labels(static_cast<std::size_t>(count));
  for (std::int64_t r = 0; r < count; ++r) {
    double best = std::numeric_limits<double>::infinity();
    for (std::int64_t k = 0; k < clusters_; ++k) {
      // The row's own norm is the same for all centres.
      const double d = norm[static_cast<std::size_t>(k)] -
                       2.0 * static_cast<double>(products[static_cast<std::size_t>(r * clusters_ + k)]);
      if (!(d < best)) continue;
      best = d;
      labels[static_cast<std::size_t>(r)] = static_cast<std::int32_t>(k);
    }
  }
  return labels;
}

void MiniBatchKMeans::step(const float* rows, std::int64_t count, ThreadPool& pool) {
  const std::vector<std::int32_t> labels = nearest(rows, count, pool);
  std::vector<double> added(static_cast<std::size_t>(clusters_), 0.0);
  for (const std::int32_t label : labels) added[static_cast<std::size_t>(label)] += 1.0;
  const auto update = [&](std::int64_t part) {
    const std::int64_t begin = part * kColumnsAtOnce, end = std::min(cols_, begin + kColumnsAtOnce);
    const auto scale = [&](std::int64_t k, double factor) {
      for (std::int64_t i = begin; i < end; ++i) centres_[static_cast<std::size_t>(k * cols_ + i)] *= factor;
    };
    for (std::int64_t k = 0; k < clusters_; ++k)
      if (added[static_cast<std::size_t>(k)] > 0) scale(k, counts_[static_cast<std::size_t>(k)]);
    for (std::int64_t r = 0; r < count; ++r) {
      double* centre = centres_.data() + labels[static_cast<std::size_t>(r)] * cols_;
      for (std::int64_t i = begin; i < end; ++i) centre[i] += static_cast<double>(rows[r * cols_ + i]);
    }
    for (std::int64_t k = 0; k < clusters_; ++k) {
      const auto at = static_cast<std::size_t>(k);
      if (added[at] > 0) scale(k, 1.0 / (counts_[at] + added[at]));
    }
  };
  pool.run((cols_ + kColumnsAtOnce - 1) / kColumnsAtOnce, update);
  for (std::size_t k = 0; k < counts_.size(); ++k) counts_[k] += added[k];
}

std::vector<double> first_centres(const SeedingRequest& q, ThreadPool& pool) {
  RandomStream random(q.seed, kSeedingStream, 0);
  std::vector<double> centres;
  std::vector<double> nearest(static_cast<std::size_t>(q.count), std::numeric_limits<double>::infinity());
  std::int64_t chosen =
      std::min(q.count - 1, static_cast<std::int64_t>(random.uniform() * static_cast<double>(q.count)));
  for (std::int64_t k = 0; k < q.clusters; ++k) {
    const float* centre = q.rows + chosen * q.cols;
    centres.insert(centres.end(), centre, centre + q.cols);
    const auto measure = [&](std::int64_t r) {
      double& d = nearest[static_cast<std::size_t>(r)];
      d = std::min(d, squared_distance(q.rows + r * q.cols, centre, q.cols));
    };
    pool.run(q.count, measure);
    chosen = drawn_row(nearest, random.uniform());
  }
  return centres;
}

}  // namespace genexx::dgex
