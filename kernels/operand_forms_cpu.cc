// SPDX-License-Identifier: Apache-2.0
#include "kernels/cpu_ranges.h"
#include "kernels/number_formats.h"
#include "kernels/operand_forms.h"

namespace genexx::operand_forms::cpu {
namespace {

// Calls form(i, x) for every element of a row and pad(i) for every place behind it; i counts elements of the result.
template <class Form, class Pad>
void for_elements(CpuContext& ctx, const Args& a, Form&& form, Pad&& pad) {
  const std::int64_t columns = a.x.shape[2], pitch = a.high.shape[2];
  const float* const x = a.x.as<float>();
  ctx.parallel(a.x.shape[0] * a.x.shape[1], [&](std::int64_t row) {
    for (std::int64_t j = 0; j < columns; ++j) form(row * pitch + j, x[row * columns + j]);
    for (std::int64_t j = columns; j < pitch; ++j) pad(row * pitch + j);
  });
}

}  // namespace

void run(CpuContext& ctx, const Args& a) {
  if (a.high.dtype == DType::bf16) {
    Bfloat16* const high = a.high.as<Bfloat16>();
    for_elements(
        ctx, a, [=](std::int64_t i, float x) { high[i] = round_to_bf16(x); }, [=](std::int64_t i) { high[i] = {0}; });
    return;
  }
  float* const high = a.high.as<float>();
  if (!a.low) {
    for_elements(
        ctx, a, [=](std::int64_t i, float x) { high[i] = round_to_tf32(x); }, [=](std::int64_t i) { high[i] = 0; });
    return;
  }
  float* const low = a.low.as<float>();
  for_elements(
      ctx, a,
      [=](std::int64_t i, float x) {
        const Tf32Pair pair = split_to_tf32(x);
        high[i] = pair.high;
        low[i] = pair.low;
      },
      [=](std::int64_t i) { high[i] = low[i] = 0; });
}

}  // namespace genexx::operand_forms::cpu
