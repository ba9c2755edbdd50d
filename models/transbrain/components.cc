// SPDX-License-Identifier: Apache-2.0
#include "models/transbrain/components.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <unordered_map>

#include <fmt/format.h>
#include <Eigen/Eigenvalues>

#include "engine/error.h"

namespace genexx::transbrain {
namespace {

using Matrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

// Rows of `table` in the order of `names`.
Matrix rows_in_order(const RegionTable& table, const std::vector<std::string>& names) {
  std::unordered_map<std::string, std::size_t> place;
  for (std::size_t i = 0; i < table.regions.size(); ++i) place.emplace(table.regions[i], i);
  Matrix out(static_cast<Eigen::Index>(names.size()), static_cast<Eigen::Index>(table.width));
  for (std::size_t i = 0; i < names.size(); ++i) {
    const auto found = place.find(names[i]);
    if (found == place.end() || table.regions.size() != names.size())
      throw RefusedError(fmt::format("the embeddings of the models have different regions: one has {}, another {}{}",
                                     names.size(), table.regions.size(),
                                     found == place.end() ? " and lacks '" + names[i] + "'" : std::string()));
    const double* const row = table.values.data() + found->second * static_cast<std::size_t>(table.width);
    std::copy(row, row + table.width, out.data() + static_cast<std::ptrdiff_t>(i) * table.width);
  }
  return out;
}

bool varies(const Matrix& x, Eigen::Index column) { return x.col(column).minCoeff() < x.col(column).maxCoeff(); }

Matrix chosen_columns(const Matrix& x, const std::vector<Eigen::Index>& columns) {
  Matrix out(x.rows(), static_cast<Eigen::Index>(columns.size()));
  for (std::size_t j = 0; j < columns.size(); ++j) out.col(static_cast<Eigen::Index>(j)) = x.col(columns[j]);
  return out;
}

// Mean 0 and variance 1 in place; all 0 where the values are equal but for rounding.
template <class Vector>
void z_score(Vector x) {
  const double scale = x.cwiseAbs().maxCoeff(), mean = x.mean();
  x.array() -= mean;
  const double sd = std::sqrt(x.squaredNorm() / static_cast<double>(x.size()));
  if (sd > 1e-12 * scale) {
    x /= sd;
  } else {
    x.setZero();
  }
}

void standardise(Matrix& x) {
  for (Eigen::Index i = 0; i < x.rows(); ++i) z_score(x.row(i));
  for (Eigen::Index j = 0; j < x.cols(); ++j) z_score(x.col(j));
}

void accumulate(std::vector<double>& sum, const Matrix& add) {
  if (sum.empty()) sum.assign(static_cast<std::size_t>(add.size()), 0.0);
  for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += add.data()[i];
}

Scores scores_of(const std::vector<std::string>& regions, Matrix values) {
  for (Eigen::Index j = 0; j < values.cols(); ++j) z_score(values.col(j));
  return {regions, std::vector<double>(values.data(), values.data() + values.size())};
}

}  // namespace

void ComponentAnalysis::add(const RegionTable& human, const RegionTable& mouse) {
  if (human.width != mouse.width)
    throw ShapeError(fmt::format("mouse has {} columns, expected those of human, {}", mouse.width, human.width),
                     CodeLocation::here());
  if (human_.empty()) {
    human_ = human.regions;
    mouse_ = mouse.regions;
  }
  Matrix h = rows_in_order(human, human_), m = rows_in_order(mouse, mouse_);
  std::vector<Eigen::Index> alive;
  for (Eigen::Index j = 0; j < h.cols(); ++j)
    if (varies(h, j) && varies(m, j)) alive.push_back(j);
  h = chosen_columns(h, alive);
  m = chosen_columns(m, alive);
  if (!alive.empty()) {
    standardise(h);
    standardise(m);
  }
  const Matrix gram = h * h.transpose(), cross = m * h.transpose();
  accumulate(gram_, gram);
  accumulate(cross_, cross);
}

Components ComponentAnalysis::components(std::int64_t most) const {
  Components out;
  out.human.regions = human_;
  out.mouse.regions = mouse_;
  const auto n = static_cast<Eigen::Index>(human_.size());
  if (n == 0) return out;
  const Eigen::Map<const Matrix> gram(gram_.data(), n, n);
  const Eigen::Map<const Matrix> cross(cross_.data(), static_cast<Eigen::Index>(mouse_.size()), n);
  const double total = gram.trace();
  if (!(total > 0)) return out;
  const Eigen::SelfAdjointEigenSolver<Matrix> solver(gram);
  Matrix human(n, 0), mouse(static_cast<Eigen::Index>(mouse_.size()), 0);
  for (Eigen::Index k = n - 1; k >= 0 && out.count < most; --k) {
    const double variance = solver.eigenvalues()[k];
    if (!(variance > 1e-10 * total)) break;
    Eigen::VectorXd u = solver.eigenvectors().col(k);
    Eigen::Index largest = 0;
    u.cwiseAbs().maxCoeff(&largest);
    if (u[largest] < 0) u = -u;
    human.conservativeResize(Eigen::NoChange, human.cols() + 1);
    human.col(human.cols() - 1) = u * std::sqrt(variance);
    mouse.conservativeResize(Eigen::NoChange, mouse.cols() + 1);
    mouse.col(mouse.cols() - 1) = (cross * u) / std::sqrt(variance);
    out.variance_ratio.push_back(variance / total);
    ++out.count;
  }
  out.human = scores_of(human_, human);
  out.mouse = scores_of(mouse_, mouse);
  return out;
}

}  // namespace genexx::transbrain
