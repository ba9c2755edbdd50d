// SPDX-License-Identifier: Apache-2.0
#include "models/transbrain/scaler.h"

#include <algorithm>
#include <cmath>

#include "engine/error.h"

namespace genexx::transbrain {
namespace {

constexpr std::int64_t kColumnsAtOnce = 256;  // of one task: two kilobytes of sums, whole cache lines of each row

}  // namespace

Scaler fit_scaler(const DenseMatrix& x, std::span<const std::int64_t> rows, ThreadPool& pool) {
  if (rows.empty()) throw RefusedError("there are no training rows to fit the scaler on");
  Scaler s;
  s.mean.assign(static_cast<std::size_t>(x.cols), 0.0);
  s.deviation.assign(static_cast<std::size_t>(x.cols), 0.0);
  const auto n = static_cast<double>(rows.size());
  const auto fit = [&](std::int64_t task) {
    const std::int64_t begin = task * kColumnsAtOnce, end = std::min(x.cols, begin + kColumnsAtOnce);
    double* const mean = s.mean.data();
    double* const deviation = s.deviation.data();
    std::vector<float> least(x.value.begin() + rows[0] * x.cols + begin, x.value.begin() + rows[0] * x.cols + end);
    std::vector<float> most = least;
    for (const std::int64_t row : rows) {
      const float* const v = x.value.data() + row * x.cols;
      for (std::int64_t j = begin; j < end; ++j) {
        mean[j] += v[j];
        least[static_cast<std::size_t>(j - begin)] = std::min(least[static_cast<std::size_t>(j - begin)], v[j]);
        most[static_cast<std::size_t>(j - begin)] = std::max(most[static_cast<std::size_t>(j - begin)], v[j]);
      }
    }
    for (std::int64_t j = begin; j < end; ++j) mean[j] /= n;
    for (const std::int64_t row : rows) {
      const float* const v = x.value.data() + row * x.cols;
      for (std::int64_t j = begin; j < end; ++j) deviation[j] += (v[j] - mean[j]) * (v[j] - mean[j]);
    }
    for (std::int64_t j = begin; j < end; ++j) {
      const auto k = static_cast<std::size_t>(j - begin);
      deviation[j] = least[k] == most[k] ? 1.0 : std::sqrt(deviation[j] / n);
    }
  };
  pool.run((x.cols + kColumnsAtOnce - 1) / kColumnsAtOnce, fit);
  return s;
}

}  // namespace genexx::transbrain
