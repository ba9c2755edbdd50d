// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <type_traits>

#include "kernels/dispatch.h"
#include "kernels/optimizer_sgd.h"
#include "kernels/optimizer_storage.h"
#include "kernels/simd/simd.h"

namespace genexx::optimizer_sgd::cpu {
namespace {

// A chunk with weights or velocity in narrow forms.
void run_narrow(const Args& a, const simd::Table<float>& table, const OptimizerChunk& chunk,
                const simd::SgdRun<float>& whole) {
  using namespace optimizer_storage;
  const bool moments = a.velocity.dtype == DType::bf16;
  float weight[kBlock], velocity[kBlock];
  std::uint32_t word[kBlock];
  for (std::int64_t at = 0; at < chunk.size; at += kBlock) {
    simd::SgdRun<float> run = whole;
    run.n = std::min(kBlock, chunk.size - at);
    run.weight = is_split(chunk) ? weight : whole.weight + at;
    run.velocity = moments ? velocity : whole.velocity + at;
    run.gradient = whole.gradient + at;
    if (is_split(chunk)) load_weights(a.weight, chunk, at, run.n, weight);
    if (moments) {
      load_moments(a.velocity, chunk, at, run.n, velocity);
      draw_words(chunk, at, a.seed.as<std::int64_t>()[chunk.replica], a.step.as<std::int64_t>()[chunk.replica], word);
    }
    table.sgd(run);
    if (is_split(chunk)) store_weights(a.weight, chunk, at, run.n, weight);
    if (moments) store_moments(a.velocity, chunk, at, run.n, velocity, word, Moment::first);
  }
}

template <class T>
void run_chunk(const Args& a, const simd::Table<T>& table, const OptimizerChunk& chunk) {
  const std::int64_t r = chunk.replica;
  if (a.active && a.active.as<std::int32_t>()[r] == 0) return;
  simd::SgdRun<T> run;
  run.n = chunk.size;
  run.weight = a.weight.as<T>() + chunk.offset;
  const bool narrow_velocity = a.velocity.dtype == DType::bf16;
  if (!narrow_velocity) run.velocity = a.velocity.as<T>() + chunk.offset;
  run.gradient = a.gradient.as<T>() + chunk.offset;
  run.lr = static_cast<T>(a.lr.as<double>()[r] * chunk.lr_scale);
  run.momentum = static_cast<T>(a.momentum);
  run.decay = static_cast<T>((a.weight_decay ? a.weight_decay.as<double>()[r] : 0.0) * chunk.weight_decay_scale);
  if constexpr (std::is_same_v<T, float>)
    if (narrow_velocity || optimizer_storage::is_split(chunk)) return run_narrow(a, table, chunk, run);
  table.sgd(run);
}

}  // namespace

void run(CpuContext& ctx, const Args& args) {
  on_float(args.weight.dtype, [&](auto zero) {
    using T = decltype(zero);
    const simd::Table<T>& table = simd::table<T>(ctx.isa());
    const auto* chunks = static_cast<const OptimizerChunk*>(args.chunks.data);
    const std::int64_t count = args.chunks.shape.elements() / static_cast<std::int64_t>(sizeof(OptimizerChunk));
    ctx.parallel(count, [&](std::int64_t i) { run_chunk(args, table, chunks[i]); });
  });
}

}  // namespace genexx::optimizer_sgd::cpu
