// SPDX-License-Identifier: Apache-2.0
#include "engine/cuda/cuda_context.h"
#include "kernels/device/elementwise.h"
#include "kernels/number_formats.h"
#include "kernels/operand_forms.h"

namespace genexx::operand_forms::cuda {
namespace {

struct Matrix {
  const float* x;
  std::int64_t columns;
  std::int64_t units;  // groups of a row of the result that are stored at once
  std::int64_t count;  // units in all
};

// Whether four columns of x lie as one 16-byte word.
enum class Columns { loose, aligned };

// Elements [first, first + n) of a row, zeros behind its end.
template <Columns kColumns, int n>
__device__ inline void load(const float* __restrict__ row, std::int64_t first, std::int64_t columns,
                            float (&value)[n]) {
  if (kColumns == Columns::aligned && first + n <= columns) {
    for (int i = 0; i < n; i += 4) {
      const float4 four = *reinterpret_cast<const float4*>(row + first + i);
      value[i] = four.x;
      value[i + 1] = four.y;
      value[i + 2] = four.z;
      value[i + 3] = four.w;
    }
    return;
  }
  for (int i = 0; i < n; ++i) value[i] = first + i < columns ? row[first + i] : 0.0f;
}

__device__ inline unsigned two(float first, float second) {
  return round_to_bf16(first).bits | static_cast<unsigned>(round_to_bf16(second).bits) << 16;
}

// Each thread owns units of 8 elements; 32 bytes read and 16 written a unit.
template <Columns kColumns>
__global__ void bf16_kernel(Matrix m, uint4* __restrict__ high) {
  for (std::int64_t unit = device::first_index(); unit < m.count; unit += device::index_stride()) {
    const std::int64_t row = unit / m.units;
    float v[8];
    load<kColumns>(m.x + row * m.columns, unit % m.units * 8, m.columns, v);
    high[unit] = make_uint4(two(v[0], v[1]), two(v[2], v[3]), two(v[4], v[5]), two(v[6], v[7]));
  }
}

// Each thread owns units of 4 elements; 16 bytes read and 16 written a unit, 32 with `low`.
template <Columns kColumns>
__global__ void tf32_kernel(Matrix m, float4* __restrict__ high, float4* __restrict__ low) {
  for (std::int64_t unit = device::first_index(); unit < m.count; unit += device::index_stride()) {
    const std::int64_t row = unit / m.units;
    float v[4];
    load<kColumns>(m.x + row * m.columns, unit % m.units * 4, m.columns, v);
    if (low == nullptr) {
      high[unit] = make_float4(round_to_tf32(v[0]), round_to_tf32(v[1]), round_to_tf32(v[2]), round_to_tf32(v[3]));
      continue;
    }
    const Tf32Pair a = split_to_tf32(v[0]), b = split_to_tf32(v[1]), c = split_to_tf32(v[2]), d = split_to_tf32(v[3]);
    high[unit] = make_float4(a.high, b.high, c.high, d.high);
    low[unit] = make_float4(a.low, b.low, c.low, d.low);
  }
}

template <Columns kColumns>
void run_aligned(CudaContext& ctx, const Args& a, const Matrix& m) {
  const LaunchConfig config = device::elementwise_launch(m.count, ctx.stream());
  if (a.high.dtype == DType::bf16) {
    launch(config, bf16_kernel<kColumns>, m, static_cast<uint4*>(a.high.data));
    check_launch("operand_forms::bf16");
    return;
  }
  launch(config, tf32_kernel<kColumns>, m, static_cast<float4*>(a.high.data), static_cast<float4*>(a.low.data));
  check_launch("operand_forms::tf32");
}

}  // namespace

void run(CudaContext& ctx, const Args& a) {
  const std::int64_t units = a.high.shape[2] * size_of(a.high.dtype) / 16;
  const Matrix m = {a.x.as<float>(), a.x.shape[2], units, a.x.shape[0] * a.x.shape[1] * units};
  const bool aligned = a.x.shape[2] % 4 == 0 && reinterpret_cast<std::uintptr_t>(a.x.data) % 16 == 0;
  aligned ? run_aligned<Columns::aligned>(ctx, a, m) : run_aligned<Columns::loose>(ctx, a, m);
}

}  // namespace genexx::operand_forms::cuda
