// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "engine/sampling.h"
#include "kernels/cpu_ranges.h"
#include "kernels/sample_rows.h"

namespace genexx::sample_rows::cpu {
namespace {

// Places [begin, end) of the batch of replica k.
void draw(const Args& a, const Extents& e, std::int64_t k, std::int64_t begin, std::int64_t end) {
  const std::uint64_t seed = static_cast<std::uint64_t>(a.seed.as<std::int64_t>()[k]);
  const std::int64_t step = a.step.as<std::int64_t>()[k];
  const std::int64_t count = a.count.as<std::int64_t>()[k * e.count_stride];
  const std::int64_t epoch = step / a.steps_per_epoch, first = step % a.steps_per_epoch * e.batch;
  const std::int64_t* cells = a.cells.as<std::int64_t>() + k * e.cells_stride;
  std::int64_t* rows = a.rows.as<std::int64_t>() + k * e.n;
  const std::int64_t drawn = std::clamp(count - first, begin, end);
  if (a.alias_index) {
    const float* probability = a.alias_probability.as<float>() + k * e.cells_stride;
    const std::int32_t* alias = a.alias_index.as<std::int32_t>() + k * e.cells_stride;
    for (std::int64_t i = begin; i < drawn; ++i)
      rows[i] = cells[weighted_index(seed, epoch, first + i, count, probability, alias)];
  } else {
    const EpochShuffle order = epoch_shuffle(seed, epoch, count);
    for (std::int64_t i = begin; i < drawn; ++i) rows[i] = cells[shuffled_index(order, first + i)];
  }
  std::fill(rows + drawn, rows + end, std::int64_t{-1});
  if (!a.labels) return;
  const std::int32_t* labels = a.labels.as<std::int32_t>() + k * e.labels_stride;
  std::int32_t* out = a.labels_out.as<std::int32_t>() + k * e.n;
  for (std::int64_t i = begin; i < end; ++i) out[i] = rows[i] < 0 ? -1 : labels[rows[i]];
}

}  // namespace

void run(CpuContext& ctx, const Args& args, const Extents& e) {
  for_ranges(ctx, e.replicas * e.n, [&](std::int64_t begin, std::int64_t end) {
    while (begin < end) {
      const std::int64_t k = begin / e.n, stop = std::min(end, (k + 1) * e.n);
      draw(args, e, k, begin - k * e.n, stop - k * e.n);
      begin = stop;
    }
  });
}

}  // namespace genexx::sample_rows::cpu
