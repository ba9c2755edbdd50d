// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <type_traits>

#include "kernels/dispatch.h"
#include "kernels/optimizer_adam.h"
#include "kernels/optimizer_storage.h"
#include "kernels/simd/simd.h"

namespace genexx::optimizer_adam::cpu {
namespace {

// A chunk with weights or moments in narrow forms.
void run_narrow(const Args& a, const simd::Table<float>& table, const OptimizerChunk& chunk,
                const simd::AdamRun<float>& whole) {
  using namespace optimizer_storage;
  const bool moments = a.m.dtype == DType::bf16;
  float weight[kBlock], m[kBlock], v[kBlock];
  std::uint32_t word[kBlock];
  for (std::int64_t at = 0; at < chunk.size; at += kBlock) {
    simd::AdamRun<float> run = whole;
    run.n = std::min(kBlock, chunk.size - at);
    run.weight = is_split(chunk) ? weight : whole.weight + at;
    run.m = moments ? m : whole.m + at;
    run.v = moments ? v : whole.v + at;
    run.gradient = whole.gradient + at;
    if (is_split(chunk)) load_weights(a.weight, chunk, at, run.n, weight);
    if (moments) {
      load_moments(a.m, chunk, at, run.n, m);
      load_moments(a.v, chunk, at, run.n, v);
      draw_words(chunk, at, a.seed.as<std::int64_t>()[chunk.replica], a.step.as<std::int64_t>()[chunk.replica], word);
    }
    table.adam(run);
    if (is_split(chunk)) store_weights(a.weight, chunk, at, run.n, weight);
    if (!moments) continue;
    store_moments(a.m, chunk, at, run.n, m, word, Moment::first);
    store_moments(a.v, chunk, at, run.n, v, word, Moment::second);
  }
}

template <class T>
void run_chunk(const Args& a, const simd::Table<T>& table, const OptimizerChunk& chunk) {
  const std::int64_t r = chunk.replica;
  if (a.active && a.active.as<std::int32_t>()[r] == 0) return;
  const double t = static_cast<double>(a.step.as<std::int64_t>()[r] + 1);
  const double decay = (a.weight_decay ? a.weight_decay.as<double>()[r] : 0.0) * chunk.weight_decay_scale;
  simd::AdamRun<T> run;
  run.n = chunk.size;
  run.weight = a.weight.as<T>() + chunk.offset;
  const bool narrow_moments = a.m.dtype == DType::bf16;
  if (!narrow_moments) {
    run.m = a.m.as<T>() + chunk.offset;
    run.v = a.v.as<T>() + chunk.offset;
  }
  run.gradient = a.gradient.as<T>() + chunk.offset;
  run.lr = static_cast<T>(a.lr.as<double>()[r] * chunk.lr_scale);
  run.beta1 = static_cast<T>(a.beta1);
  run.beta2 = static_cast<T>(a.beta2);
  run.rest1 = static_cast<T>(1.0 - a.beta1);
  run.rest2 = static_cast<T>(1.0 - a.beta2);
  run.eps = static_cast<T>(a.eps);
  run.coupled_decay = static_cast<T>(a.decay == Decay::coupled ? decay : 0.0);
  run.decoupled_decay = static_cast<T>(a.decay == Decay::decoupled ? decay : 0.0);
  run.correction1 = static_cast<T>(1.0 - std::pow(a.beta1, t));
  run.correction2 = static_cast<T>(1.0 - std::pow(a.beta2, t));
  if constexpr (std::is_same_v<T, float>)
    if (narrow_moments || optimizer_storage::is_split(chunk)) return run_narrow(a, table, chunk, run);
  table.adam(run);
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

}  // namespace genexx::optimizer_adam::cpu
