// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "kernels/argmax.h"
#include "kernels/cpu_sums.h"
#include "kernels/dispatch.h"
#include "kernels/expect.h"
#include "kernels/softmax_cross_entropy.h"

namespace genexx::softmax_cross_entropy::cpu {
namespace {

constexpr std::int64_t kTaskElements = 1 << 12;

// The arrays of one replica.
template <class T>
struct Replica {
  std::int64_t n, k;
  const T* logits;
  const std::int32_t* labels;
  const T* class_weight;   // null: 1
  const T* sample_weight;  // null: 1
  double smoothing;
  double scale;  // of the gradient
  WriteMode mode;
  T* dlogits;        // null: not wanted
  T* probabilities;  // null: not wanted

  double weight_of_class(std::int64_t c) const { return class_weight ? static_cast<double>(class_weight[c]) : 1.0; }
  double weight_of_row(std::int64_t i) const { return sample_weight ? static_cast<double>(sample_weight[i]) : 1.0; }
  bool ignored(std::int64_t i) const { return labels[i] < 0 || labels[i] >= k; }
};

template <class T>
Replica<T> replica(const Args& a, std::int64_t index) {
  const std::int64_t r = a.logits.shape[0], n = a.logits.shape[1], k = a.logits.shape[2];
  const auto part = [&](const ConstTensor& t, std::int64_t each) { return t ? t.as<T>() + index * each : nullptr; };
  const auto out = [&](const Tensor& t) { return t ? t.as<T>() + index * n * k : nullptr; };
  return {n,
          k,
          part(a.logits, n * k),
          a.labels.as<std::int32_t>() + index * replica_stride(a.labels, r),
          part(a.class_weight, k),
          part(a.sample_weight, n),
          a.label_smoothing,
          a.scale ? a.scale.as<double>()[index] : 1.0,
          a.mode,
          out(a.dlogits),
          out(a.probabilities)};
}

// What divides: W, and the sum of the class weights.
struct Weights {
  double total = 0, classes = 0;
};

template <class T>
Weights weights(const Replica<T>& a) {
  Weights w;
  for (std::int64_t c = 0; c < a.k; ++c) w.classes += a.weight_of_class(c);
  for (std::int64_t i = 0; i < a.n; ++i)
    if (!a.ignored(i)) w.total += a.weight_of_row(i) * a.weight_of_class(a.labels[i]);
  return w;
}

template <class T>
void write_gradient(const Replica<T>& a, const Weights& w, std::int64_t i, T largest, double sum) {
  const T* x = a.logits + i * a.k;
  T* d = a.dlogits + i * a.k;
  const bool zero = a.ignored(i) || w.total == 0;
  const double factor = zero ? 0 : a.scale / w.total * a.weight_of_row(i);
  const double hard = zero ? 0 : factor * (1 - a.smoothing) * a.weight_of_class(a.labels[i]);
  const double soft = factor * a.smoothing / static_cast<double>(a.k);
  for (std::int64_t c = 0; c < a.k; ++c) {
    const double p = static_cast<double>(std::exp(x[c] - largest)) / sum;
    const double towards = c == a.labels[i] ? 1 : 0;
    const T value = zero ? T{0} : static_cast<T>(hard * (p - towards) + soft * (p * w.classes - a.weight_of_class(c)));
    d[c] = a.mode == WriteMode::accumulate ? d[c] + value : value;
  }
}

// The row's part of W * loss; writes its gradient and probabilities.
template <class T>
double row(const Replica<T>& a, const Weights& w, std::int64_t i) {
  const T* x = a.logits + i * a.k;
  T largest = x[0];
  for (std::int64_t c = 1; c < a.k; ++c) largest = x[c] > largest ? x[c] : largest;
  double sum = 0;
  for (std::int64_t c = 0; c < a.k; ++c) sum += static_cast<double>(std::exp(x[c] - largest));
  if (a.probabilities)
    for (std::int64_t c = 0; c < a.k; ++c)
      a.probabilities[i * a.k + c] = static_cast<T>(static_cast<double>(std::exp(x[c] - largest)) / sum);
  if (a.dlogits) write_gradient(a, w, i, largest, sum);
  if (a.ignored(i)) return 0;
  // -log p[c] = (log sum + largest) - x[c], with the difference of logits taken first
  const double log_sum = std::log(sum);
  const auto cost = [&](std::int64_t c) {
    return log_sum + (static_cast<double>(largest) - static_cast<double>(x[c]));
  };
  double smooth = 0;
  if (a.smoothing > 0)
    for (std::int64_t c = 0; c < a.k; ++c) smooth += a.weight_of_class(c) * cost(c);
  return a.weight_of_row(i) * ((1 - a.smoothing) * a.weight_of_class(a.labels[i]) * cost(a.labels[i]) +
                               a.smoothing / static_cast<double>(a.k) * smooth);
}

// The confusion counts; one thread a replica, as the counts are shared by its rows.
template <class T>
void count(CpuContext& ctx, const Args& args) {
  ctx.parallel(args.logits.shape[0], [&](std::int64_t index) {
    const Replica<T> a = replica<T>(args, index);
    std::int64_t* const counts = args.counts.as<std::int64_t>() + index * a.k * a.k;
    for (std::int64_t i = 0; i < a.n; ++i)
      if (!a.ignored(i)) counts[a.labels[i] * a.k + argmax(a.k, a.logits + i * a.k)] += 1;
  });
}

template <class T>
void run_typed(CpuContext& ctx, const Args& args) {
  const std::int64_t r = args.logits.shape[0], n = args.logits.shape[1], k = args.logits.shape[2];
  ScratchFrame frame(ctx);
  Weights* const all = frame.take<Weights>(r);
  ctx.parallel(r, [&](std::int64_t index) { all[index] = weights(replica<T>(args, index)); });
  double* const loss = args.loss.as<double>();
  sum_ranges(
      ctx,
      {.replicas = r, .count = n, .range = std::max<std::int64_t>(1, kTaskElements / std::max<std::int64_t>(1, k))},
      [&](std::int64_t index, std::int64_t begin, std::int64_t end) {
        const Replica<T> a = replica<T>(args, index);
        double sum = 0;
        for (std::int64_t i = begin; i < end; ++i) sum += row(a, all[index], i);
        return sum;
      },
      [&](std::int64_t index, double sum) { loss[index] = all[index].total == 0 ? 0 : sum / all[index].total; });
  if (args.counts) count<T>(ctx, args);
}

}  // namespace

void run(CpuContext& ctx, const Args& args) {
  on_float(args.logits.dtype, [&](auto zero) { run_typed<decltype(zero)>(ctx, args); });
}

}  // namespace genexx::softmax_cross_entropy::cpu
