// SPDX-License-Identifier: Apache-2.0
#include "models/dgex/baselines.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include <fmt/format.h>
#include <Eigen/Dense>

#include "engine/error.h"
#include "kernels/gemm.h"

namespace genexx::dgex {
namespace {

constexpr std::int64_t kProfilesAtOnce = 512;

using Matrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using ConstMatrix = Eigen::Map<const Matrix>;

std::size_t at(std::int64_t i) { return static_cast<std::size_t>(i); }

// Calls visit(rows, count) for blocks of a store in order, as doubles.
template <class Visit>
void for_each_block(const RowStore<float>& store, Visit&& visit) {
  std::vector<float> narrow;
  std::vector<double> block;
  for (std::int64_t first = 0; first < store.rows(); first += kProfilesAtOnce) {
    const std::int64_t count = std::min(kProfilesAtOnce, store.rows() - first);
    narrow.resize(at(count * store.cols()));
    store.read(first, count, narrow.data());
    block.assign(narrow.begin(), narrow.end());
    visit(block, first, count);
  }
}

std::vector<double> column_means(const RowStore<float>& store) {
  std::vector<double> mean(at(store.cols()), 0.0);
  for_each_block(store, [&](const std::vector<double>& block, std::int64_t, std::int64_t count) {
    for (std::int64_t i = 0; i < count; ++i)
      for (std::int64_t c = 0; c < store.cols(); ++c) mean[at(c)] += block[at(i * store.cols() + c)];
  });
  for (double& m : mean) m /= static_cast<double>(store.rows());
  return mean;
}

void subtract(std::vector<double>& block, const std::vector<double>& mean) {
  for (std::size_t i = 0; i < block.size(); ++i) block[i] -= mean[i % mean.size()];
}

// A double matrix on the device.
class DeviceMatrix {
 public:
  DeviceMatrix(Context& ctx, std::int64_t rows, std::int64_t cols)
      : ctx_(ctx), buffer_(ctx, rows * cols * kDouble), rows_(rows), cols_(cols) {}
  Tensor view(std::int64_t rows) const { return {buffer_.data(), DType::f64, {1, rows, cols_}}; }
  void set(const std::vector<double>& values) {
    ctx_.copy_to_device(buffer_.data(), values.data(), static_cast<std::int64_t>(values.size()) * kDouble);
  }
  std::vector<double> get(std::int64_t rows) const {
    std::vector<double> values(at(rows * cols_));
    ctx_.copy_to_host(values.data(), buffer_.data(), rows * cols_ * kDouble);
    return values;
  }
  void clear() { ctx_.fill_bytes(buffer_.data(), 0, rows_ * cols_ * kDouble); }

 private:
  static constexpr std::int64_t kDouble = static_cast<std::int64_t>(sizeof(double));
  Context& ctx_;
  Buffer buffer_;
  std::int64_t rows_, cols_;
};

double soft_threshold(double value, double limit) {
  if (value > limit) return value - limit;
  return value < -limit ? value + limit : 0.0;
}

// The weights of one target by coordinate descent; `residual` is cross - gram w.
void descend(const Moments& m, const LassoRequest& q, std::int64_t target, LinearModel& model) {
  const std::int64_t l = m.landmarks;
  const double limit = q.penalty * static_cast<double>(m.profiles);
  std::vector<double> weight(at(l), 0.0), residual(at(l));
  for (std::int64_t j = 0; j < l; ++j) residual[at(j)] = m.cross[at(j * m.targets + target)];
  for (std::int64_t sweep = 0; sweep < q.most_sweeps; ++sweep) {
    double moved = 0, largest = 0;
    for (std::int64_t j = 0; j < l; ++j) {
      const double own = m.gram[at(j * l + j)];
      if (own <= 0) continue;
      const double now = soft_threshold(residual[at(j)] + own * weight[at(j)], limit) / own;
      const double step = now - weight[at(j)];
      largest = std::max(largest, std::abs(now));
      if (step == 0) continue;
      weight[at(j)] = now;
      moved = std::max(moved, std::abs(step));
      const double* row = m.gram.data() + j * l;
      for (std::int64_t i = 0; i < l; ++i) residual[at(i)] -= step * row[i];
    }
    if (moved <= q.tolerance * largest) break;
  }
  for (std::int64_t j = 0; j < l; ++j) model.weights[at(j * m.targets + target)] = weight[at(j)];
}

LinearModel empty_model(const Moments& m) {
  return {m.landmarks, m.targets, std::vector<double>(at(m.landmarks * m.targets), 0.0),
          std::vector<double>(at(m.targets), 0.0)};
}

void set_intercept(const Moments& m, LinearModel& model) {
  model.intercept = m.mean_y;
  for (std::int64_t j = 0; j < m.landmarks; ++j)
    for (std::int64_t t = 0; t < m.targets; ++t)
      model.intercept[at(t)] -= m.mean_x[at(j)] * model.weights[at(j * m.targets + t)];
}

}  // namespace

Moments moments(Context& ctx, const RowStore<float>& x, const RowStore<float>& y) {
  if (x.rows() != y.rows())
    throw ShapeError(fmt::format("y has {} rows, expected {} as x has", y.rows(), x.rows()), CodeLocation::here());
  Moments m{.profiles = x.rows(), .landmarks = x.cols(), .targets = y.cols()};
  m.mean_x = column_means(x);
  m.mean_y = column_means(y);
  m.square_y.assign(at(m.targets), 0.0);
  DeviceMatrix left(ctx, kProfilesAtOnce, m.landmarks), right(ctx, kProfilesAtOnce, m.targets);
  DeviceMatrix gram(ctx, m.landmarks, m.landmarks), cross(ctx, m.landmarks, m.targets);
  gram.clear();
  cross.clear();
  std::vector<float> narrow;
  for_each_block(x, [&](std::vector<double>& block, std::int64_t first, std::int64_t count) {
    narrow.resize(at(count * m.targets));
    y.read(first, count, narrow.data());
    std::vector<double> targets(narrow.begin(), narrow.end());
    subtract(block, m.mean_x);
    subtract(targets, m.mean_y);
    for (std::size_t i = 0; i < targets.size(); ++i) m.square_y[i % m.square_y.size()] += targets[i] * targets[i];
    left.set(block);
    right.set(targets);
    gemm::run(ctx, {.a = left.view(count),
                    .b = left.view(count),
                    .c = gram.view(m.landmarks),
                    .transpose_a = gemm::Transpose::yes,
                    .mode = WriteMode::accumulate});
    gemm::run(ctx, {.a = left.view(count),
                    .b = right.view(count),
                    .c = cross.view(m.landmarks),
                    .transpose_a = gemm::Transpose::yes,
                    .mode = WriteMode::accumulate});
  });
  m.gram = gram.get(m.landmarks);
  m.cross = cross.get(m.landmarks);
  return m;
}

LinearModel fit_ridge(const Moments& m, double penalty) {
  LinearModel model = empty_model(m);
  Matrix gram = ConstMatrix(m.gram.data(), m.landmarks, m.landmarks);
  gram.diagonal().array() += penalty;
  const ConstMatrix cross(m.cross.data(), m.landmarks, m.targets);
  Eigen::Map<Matrix> weights(model.weights.data(), m.landmarks, m.targets);
  const Eigen::LDLT<Matrix> factors(gram);
  const Eigen::VectorXd pivots = factors.vectorD();
  const double least = pivots.maxCoeff() * static_cast<double>(m.landmarks) * std::numeric_limits<double>::epsilon();
  if (pivots.minCoeff() > least) {
    weights = factors.solve(cross);
  } else {
    weights = Eigen::CompleteOrthogonalDecomposition<Matrix>(gram).solve(cross);
  }
  set_intercept(m, model);
  return model;
}

LinearModel fit_lasso(const Moments& m, const LassoRequest& request, ThreadPool& pool) {
  LinearModel model = empty_model(m);
  const auto one = [&](std::int64_t target) { descend(m, request, target, model); };
  pool.run(m.targets, one);
  set_intercept(m, model);
  return model;
}

LinearModel fit_nearest_genes(const Moments& m, std::int64_t k) {
  if (k < 1 || k > m.landmarks)
    throw UsageError(fmt::format("KNN-GE: k is {}, expected 1 to {}, the number of landmarks", k, m.landmarks));
  LinearModel model = empty_model(m);
  const auto n = static_cast<double>(m.profiles);
  std::vector<double> distance(at(m.landmarks));
  std::vector<std::int64_t> order(at(m.landmarks));
  for (std::int64_t t = 0; t < m.targets; ++t) {
    for (std::int64_t j = 0; j < m.landmarks; ++j) {
      // The target's own square is the same for all landmarks.
      const double shift = m.mean_x[at(j)] - m.mean_y[at(t)];
      distance[at(j)] = m.gram[at(j * m.landmarks + j)] - 2.0 * m.cross[at(j * m.targets + t)] + n * shift * shift;
    }
    std::iota(order.begin(), order.end(), std::int64_t{0});
    std::stable_sort(order.begin(), order.end(),
                     [&](std::int64_t a, std::int64_t b) { return distance[at(a)] < distance[at(b)]; });
    for (std::int64_t i = 0; i < k; ++i) model.weights[at(order[at(i)] * m.targets + t)] = 1.0 / static_cast<double>(k);
  }
  return model;
}

namespace {

// The weights of a model on the device, ready for blocks of profiles.
class Predictor {
 public:
  Predictor(Context& ctx, const LinearModel& model)
      : ctx_(ctx),
        model_(model),
        weights_(ctx, model.landmarks, model.targets),
        intercept_(ctx, 1, model.targets),
        x_(ctx, kProfilesAtOnce, model.landmarks),
        y_(ctx, kProfilesAtOnce, model.targets) {
    weights_.set(model.weights);
    intercept_.set(model.intercept);
  }
  // At most kProfilesAtOnce rows.
  std::vector<double> run(const std::vector<double>& x, std::int64_t count) {
    x_.set(x);
    gemm::run(ctx_, {.a = x_.view(count),
                     .b = weights_.view(model_.landmarks),
                     .c = y_.view(count),
                     .bias = ConstTensor(intercept_.view(1).data, DType::f64, {1, model_.targets})});
    return y_.get(count);
  }

 private:
  Context& ctx_;
  const LinearModel& model_;
  DeviceMatrix weights_, intercept_, x_, y_;
};

}  // namespace

std::vector<double> predict(Context& ctx, const LinearModel& model, const float* x, std::int64_t count) {
  Predictor predictor(ctx, model);
  std::vector<double> all;
  for (std::int64_t first = 0; first < count; first += kProfilesAtOnce) {
    const std::int64_t n = std::min(kProfilesAtOnce, count - first);
    const float* begin = x + first * model.landmarks;
    const std::vector<double> part = predictor.run({begin, begin + n * model.landmarks}, n);
    all.insert(all.end(), part.begin(), part.end());
  }
  return all;
}

std::vector<double> gene_errors(Context& ctx, const LinearModel& model, const RowStore<float>& x,
                                const RowStore<float>& y) {
  Predictor predictor(ctx, model);
  std::vector<double> error(at(model.targets), 0.0);
  std::vector<float> truth;
  for_each_block(x, [&](const std::vector<double>& block, std::int64_t first, std::int64_t count) {
    truth.resize(at(count * model.targets));
    y.read(first, count, truth.data());
    const std::vector<double> got = predictor.run(block, count);
    for (std::size_t i = 0; i < got.size(); ++i)
      error[i % error.size()] += std::abs(got[i] - static_cast<double>(truth[i]));
  });
  for (double& e : error) e /= static_cast<double>(x.rows());
  return error;
}

ErrorComparison compare_errors(const std::vector<double>& errors, const std::vector<double>& baseline) {
  const auto n = static_cast<double>(errors.size());
  ErrorComparison c;
  double base = 0;
  for (std::size_t g = 0; g < errors.size(); ++g) {
    c.mae += errors[g] / n;
    base += baseline[g] / n;
    c.improved_genes += (errors[g] < baseline[g] ? 1.0 : 0.0) / n;
  }
  for (const double e : errors) c.mae_sd += (e - c.mae) * (e - c.mae) / n;
  c.mae_sd = std::sqrt(c.mae_sd);
  c.improvement = base > 0 ? (base - c.mae) / base : 0.0;
  return c;
}

}  // namespace genexx::dgex
