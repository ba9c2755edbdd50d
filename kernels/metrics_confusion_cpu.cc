// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "kernels/argmax.h"
#include "kernels/cpu_ranges.h"
#include "kernels/dispatch.h"
#include "kernels/expect.h"
#include "kernels/metrics_confusion.h"

namespace genexx::metrics_confusion::cpu {
namespace {

template <class T>
double cross_entropy(std::int64_t k, const T* scores, std::int32_t label) {
  double largest = static_cast<double>(scores[0]), sum = 0;
  for (std::int64_t c = 1; c < k; ++c)
    if (largest < static_cast<double>(scores[c])) largest = static_cast<double>(scores[c]);
  for (std::int64_t c = 0; c < k; ++c) sum += std::exp(static_cast<double>(scores[c]) - largest);
  return std::log(sum) + largest - static_cast<double>(scores[label]);
}

void add_cross_entropy(CpuContext& ctx, const Args& args) {
  const std::int64_t r = args.scores.shape[0], n = args.scores.shape[1], k = args.scores.shape[2];
  ScratchFrame frame(ctx);
  auto* const rows = frame.take<double>(r * n);
  const std::int64_t label_stride = replica_stride(args.labels, r);
  const auto label_of = [&](std::int64_t i) {
    const std::int32_t label = args.labels.as<std::int32_t>()[i / n * label_stride + i % n];
    return label < k ? label : -1;
  };
  on_float(args.scores.dtype, [&](auto zero) {
    const auto* scores = args.scores.as<decltype(zero)>();
    for_ranges(ctx, r * n, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i)
        if (label_of(i) >= 0) rows[i] = cross_entropy(k, scores + i * k, label_of(i));
    });
  });
  for (std::int64_t i = 0; i < r * n; ++i)
    if (label_of(i) >= 0) args.cross_entropy.as<double>()[i / n] += rows[i];
}

}  // namespace

void count(CpuContext& ctx, const Args& args) {
  const std::int64_t r = args.scores.shape[0], n = args.scores.shape[1], k = args.scores.shape[2];
  ScratchFrame frame(ctx);
  auto* const predicted = args.predicted ? args.predicted.as<std::int32_t>() : frame.take<std::int32_t>(r * n);
  on_float(args.scores.dtype, [&](auto zero) {
    const auto* scores = args.scores.as<decltype(zero)>();
    for_ranges(ctx, r * n, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) predicted[i] = argmax(k, scores + i * k);
    });
  });
  if (args.cross_entropy) add_cross_entropy(ctx, args);
  const std::int64_t label_stride = replica_stride(args.labels, r);
  ctx.parallel(r, [&](std::int64_t replica) {
    const auto* labels = args.labels.as<std::int32_t>() + replica * label_stride;
    auto* counts = args.counts.as<std::int64_t>() + replica * k * k;
    for (std::int64_t i = 0; i < n; ++i)
      if (labels[i] >= 0 && labels[i] < k) counts[labels[i] * k + predicted[replica * n + i]] += 1;
  });
}

}  // namespace genexx::metrics_confusion::cpu
