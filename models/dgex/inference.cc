// SPDX-License-Identifier: Apache-2.0
#include "models/dgex/inference.h"

#include <fmt/format.h>

#include "engine/error.h"

namespace genexx::dgex {

Inference::Inference(Context& ctx, const Network& network, std::int64_t replicas,
                     const std::vector<NamedTensor>& weights)
    : session_(ctx, network, {.replicas = replicas, .max_rows = kMostRows, .use = Mode::inference}) {
  session_.set_weights(weights);
}

std::vector<float> Inference::each(const float* rows, std::int64_t count) {
  if (count > kMostRows) throw UsageError(fmt::format("{} rows at once, expected at most {}", count, kMostRows));
  Context& ctx = session_.context();
  const std::int64_t bytes = count * landmarks() * static_cast<std::int64_t>(sizeof(float));
  char* input = static_cast<char*>(session_.input(count).data);
  for (std::int64_t r = 0; r < replicas(); ++r) ctx.copy_to_device(input + r * bytes, rows, bytes);
  session_.forward(count, Mode::inference);
  const int output = static_cast<int>(session_.network().nodes().size()) - 1;
  std::vector<float> values(static_cast<std::size_t>(replicas() * count * targets()));
  ctx.copy_to_host(values.data(), session_.value(output, 0, count).data,
                   static_cast<std::int64_t>(values.size() * sizeof(float)));
  return values;
}

std::vector<float> Inference::mean(const float* rows, std::int64_t count) {
  std::vector<float> all = each(rows, count);
  if (replicas() == 1) return all;
  const auto size = static_cast<std::size_t>(count * targets());
  std::vector<float> mean(size);
  for (std::size_t i = 0; i < size; ++i) {
    double sum = 0;
    for (std::int64_t r = 0; r < replicas(); ++r)
      sum += static_cast<double>(all[static_cast<std::size_t>(r) * size + i]);
    mean[i] = static_cast<float>(sum / static_cast<double>(replicas()));
  }
  return mean;
}

}  // namespace genexx::dgex
