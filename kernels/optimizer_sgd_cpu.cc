// SPDX-License-Identifier: Apache-2.0
#include "kernels/dispatch.h"
#include "kernels/optimizer_sgd.h"
#include "kernels/simd/simd.h"

namespace genexx::optimizer_sgd::cpu {
namespace {

template <class T>
void run_chunk(const Args& a, const simd::Table<T>& table, const OptimizerChunk& chunk) {
  const std::int64_t r = chunk.replica;
  if (a.active && a.active.as<std::int32_t>()[r] == 0) return;
  simd::SgdRun<T> run;
  run.n = chunk.size;
  run.weight = a.weight.as<T>() + chunk.offset;
  run.velocity = a.velocity.as<T>() + chunk.offset;
  run.gradient = a.gradient.as<T>() + chunk.offset;
  run.lr = static_cast<T>(a.lr.as<double>()[r] * chunk.lr_scale);
  run.momentum = static_cast<T>(a.momentum);
  run.decay = static_cast<T>((a.weight_decay ? a.weight_decay.as<double>()[r] : 0.0) * chunk.weight_decay_scale);
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
