// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "kernels/collinearity_loss.h"
#include "kernels/cpu_sums.h"
#include "kernels/dispatch.h"

namespace genexx::collinearity_loss::cpu {
namespace {

constexpr std::int64_t kTaskElements = 1 << 13;

// What the gradient of replica k is multiplied by: scale sign(S) 2 / (D n).
double gradient_factor(const Args& a, std::int64_t k, double total, double divisor) {
  const double sign = total > 0 ? 1 : total < 0 ? -1 : total;  // 0 stays 0, NaN stays NaN
  return (a.scale ? a.scale.as<double>()[k] : 1.0) * sign * 2 / divisor;
}

template <class T>
void write_gradient(const Args& a, std::int64_t row, double sum, double factor) {
  const std::int64_t h = a.z.shape[2];
  const T* z = a.z.as<T>() + row * h;
  T* dz = a.dz.as<T>() + row * h;
  const bool add = a.mode == WriteMode::accumulate;
  for (std::int64_t j = 0; j < h; ++j) {
    const T value = static_cast<T>(factor * (sum - static_cast<double>(z[j])));
    dz[j] = add ? dz[j] + value : value;
  }
}

template <class T>
void run_typed(CpuContext& ctx, const Args& a) {
  const std::int64_t r = a.z.shape[0], n = a.z.shape[1], h = a.z.shape[2];
  const double divisor = divisor_of(a.denominator, n, h);
  const std::int64_t rows = std::max<std::int64_t>(1, kTaskElements / std::max<std::int64_t>(1, h));
  ScratchFrame frame(ctx);
  double* const row_sum = frame.take<double>(r * n);
  double* const factor = frame.take<double>(r);
  double* const loss = a.loss.as<double>();
  sum_ranges(
      ctx, {.replicas = r, .count = n, .range = rows},
      [&](std::int64_t k, std::int64_t begin, std::int64_t end) {
        double total = 0;
        for (std::int64_t row = k * n + begin; row < k * n + end; ++row) {
          const T* z = a.z.as<T>() + row * h;
          const auto value = [&](std::int64_t j) { return static_cast<double>(z[j]); };
          row_sum[row] = lane_sum(h, value);
          total += row_sum[row] * row_sum[row] - lane_sum(h, [&](std::int64_t j) { return value(j) * value(j); });
        }
        return total;
      },
      [&](std::int64_t k, double total) {
        loss[k] = n == 0 ? 0 : std::fabs(total) / divisor;
        factor[k] = gradient_factor(a, k, total, divisor);
      });
  if (!a.dz) return;
  ctx.parallel((r * n + rows - 1) / rows, [&](std::int64_t task) {
    for (std::int64_t row = task * rows; row < std::min(r * n, (task + 1) * rows); ++row)
      write_gradient<T>(a, row, row_sum[row], factor[row / n]);
  });
}

}  // namespace

void run(CpuContext& ctx, const Args& args) {
  on_float(args.z.dtype, [&](auto zero) { run_typed<decltype(zero)>(ctx, args); });
}

}  // namespace genexx::collinearity_loss::cpu
