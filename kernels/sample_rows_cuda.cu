// SPDX-License-Identifier: Apache-2.0
#include "engine/cuda/cuda_context.h"
#include "engine/sampling.h"
#include "kernels/launch.h"
#include "kernels/sample_rows.h"

namespace genexx::sample_rows::cuda {
namespace {

struct Pointers {
  const std::int64_t* seed;
  const std::int64_t* step;
  const std::int64_t* cells;
  const std::int64_t* count;
  const float* probability;    // null: shuffle
  const std::int32_t* alias;   // null: shuffle
  const std::int32_t* labels;  // null: no labels
  std::int64_t* rows;
  std::int32_t* labels_out;
};

// Thread (block, lane) owns place i = (block % blocks) blockDim.x + lane of replica block / blocks. Each computes the
// keys of its epoch again: five Philox calls cost less than a barrier. Moves 8 bytes in and 8 out a place, twice 4 with
// labels.
__global__ void draw_kernel(const Pointers p, const Extents e, std::int64_t steps_per_epoch, unsigned blocks) {
  wait_for_grid_ahead();
  const std::int64_t k = blockIdx.x / blocks;
  const std::int64_t i = static_cast<std::int64_t>(blockIdx.x % blocks) * blockDim.x + threadIdx.x;
  if (i >= e.n) return;
  const std::uint64_t seed = static_cast<std::uint64_t>(p.seed[k]);
  const std::int64_t count = p.count[k * e.count_stride];
  const std::int64_t epoch = p.step[k] / steps_per_epoch;
  const std::int64_t place = p.step[k] % steps_per_epoch * e.batch + i;
  std::int64_t row = -1;
  if (place < count) {
    const std::int64_t offset = k * e.cells_stride;
    const std::int64_t position =
        p.alias == nullptr ? shuffled_index(epoch_shuffle(seed, epoch, count), place)
                           : weighted_index(seed, epoch, place, count, p.probability + offset, p.alias + offset);
    row = p.cells[offset + position];
  }
  p.rows[k * e.n + i] = row;
  if (p.labels != nullptr) p.labels_out[k * e.n + i] = row < 0 ? -1 : p.labels[k * e.labels_stride + row];
}

template <class T>
const T* optional(const ConstTensor& t) {
  return t ? t.as<T>() : nullptr;
}

}  // namespace

void run(CudaContext& ctx, const Args& a, const Extents& e) {
  const Pointers p{.seed = a.seed.as<std::int64_t>(),
                   .step = a.step.as<std::int64_t>(),
                   .cells = a.cells.as<std::int64_t>(),
                   .count = a.count.as<std::int64_t>(),
                   .probability = optional<float>(a.alias_probability),
                   .alias = optional<std::int32_t>(a.alias_index),
                   .labels = optional<std::int32_t>(a.labels),
                   .rows = a.rows.as<std::int64_t>(),
                   .labels_out = a.labels_out ? a.labels_out.as<std::int32_t>() : nullptr};
  constexpr unsigned kThreads = block_threads(128);
  const unsigned blocks = blocks_for(e.n, kThreads);
  launch({.grid = grid_extent(blocks * e.replicas),
          .block = kThreads,
          .stream = ctx.stream(),
          .begin = ctx.stream().begin()},
         draw_kernel, p, e, a.steps_per_epoch, blocks);
  check_launch("sample_rows::draw");
}

}  // namespace genexx::sample_rows::cuda
