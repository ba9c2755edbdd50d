// SPDX-License-Identifier: Apache-2.0
#include "kernels/cpu_ranges.h"
#include "kernels/cpu_sums.h"
#include "kernels/dispatch.h"
#include "kernels/expect.h"
#include "kernels/regression_terms.h"

namespace genexx::regression_loss::cpu {
namespace {

// One range of one replica.
template <class T>
struct Range {
  std::int64_t count;
  const T* prediction;
  const T* target;
  T delta, factor;  // factor: scale / D
  WriteMode mode;
  T* gradient;  // null: not wanted
};

template <class T, Kind kKind>
double range_sum(const Range<T>& a) {
  if (a.gradient && a.mode == WriteMode::overwrite) {
    for (std::int64_t i = 0; i < a.count; ++i)
      a.gradient[i] = a.factor * slope_of<kKind>(a.prediction[i] - a.target[i], a.delta);
  } else if (a.gradient) {
    for (std::int64_t i = 0; i < a.count; ++i)
      a.gradient[i] += a.factor * slope_of<kKind>(a.prediction[i] - a.target[i], a.delta);
  }
  return lane_sum(a.count, [&](std::int64_t i) {
    return value_of<kKind>(static_cast<double>(a.prediction[i]) - static_cast<double>(a.target[i]),
                           static_cast<double>(a.delta));
  });
}

template <class T, Kind kKind>
void run_typed(CpuContext& ctx, const Args& a) {
  const std::int64_t r = a.prediction.shape[0], n = a.prediction.shape[1], c = a.prediction.shape[2];
  const std::int64_t target_stride = replica_stride(a.target, r);
  const double divisor = divisor_of(a.reduction, n, c);
  double* const loss = a.loss.as<double>();
  sum_ranges(
      ctx, {.replicas = r, .count = n * c, .range = kCpuRange},
      [&](std::int64_t k, std::int64_t begin, std::int64_t end) {
        const std::int64_t at = k * n * c + begin;
        const double scale = a.scale ? a.scale.as<double>()[k] : 1.0;
        const Range<T> range = {end - begin,
                                a.prediction.as<T>() + at,
                                a.target.as<T>() + k * target_stride + begin,
                                static_cast<T>(a.delta),
                                static_cast<T>(scale / divisor),
                                a.mode,
                                a.dprediction ? a.dprediction.as<T>() + at : nullptr};
        return range_sum<T, kKind>(range);
      },
      [&](std::int64_t k, double sum) { loss[k] = divisor == 0 ? 0 : sum / divisor; });
}

}  // namespace

void run(CpuContext& ctx, const Args& args) {
  on_float(args.prediction.dtype, [&](auto zero) {
    using T = decltype(zero);
    switch (args.kind) {
      case Kind::squared:
        return run_typed<T, Kind::squared>(ctx, args);
      case Kind::absolute:
        return run_typed<T, Kind::absolute>(ctx, args);
      case Kind::huber:
        return run_typed<T, Kind::huber>(ctx, args);
    }
  });
}

}  // namespace genexx::regression_loss::cpu
