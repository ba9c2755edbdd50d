// SPDX-License-Identifier: Apache-2.0
#include "engine/cuda/cuda_context.h"
#include "engine/philox.h"
#include "kernels/device/elementwise.h"
#include "kernels/dropout.h"

namespace genexx::dropout::cuda {
namespace {

template <class T>
struct Call {
  std::int64_t n, c, quads;  // rows of a replica, units of a row, groups of four units of a row
  const std::int64_t* seed;
  const std::int64_t* step;
  const double* rate;
  std::uint32_t stream, first_row;
  Form form;
  WriteMode mode;
  const T* x;  // may be y
  T* y;
};

// The four words that decide about units 4 quad to 4 quad + 3 of row `row`.
__device__ inline PhiloxCounter words(Form form, PhiloxKey key, std::uint32_t quad, std::uint32_t row,
                                      std::uint64_t step) {
  const auto lo = static_cast<std::uint32_t>(step), hi = static_cast<std::uint32_t>(step >> 32);
  if (form == Form::unit) return philox(key, {quad, row, lo, hi});
  const std::uint32_t word = philox(key, {0, row, lo, hi}).x;
  return {word, word, word, word};
}

// Each thread owns groups of four neighbouring units: groups i, i + stride, ... of [r, n, quads]. Moves 2 elements a
// unit (3 when accumulating).
template <class T>
__global__ void apply_kernel(std::int64_t groups, Call<T> a) {
  for (std::int64_t i = device::first_index(); i < groups; i += device::index_stride()) {
    const std::int64_t row = i / a.quads, quad = i - row * a.quads, k = row / a.n;
    const Rate rate = rate_of(a.rate[k]);
    const PhiloxKey key = philox_key(static_cast<std::uint64_t>(a.seed[k]), a.stream);
    const PhiloxCounter w =
        words(a.form, key, static_cast<std::uint32_t>(quad), a.first_row + static_cast<std::uint32_t>(row - k * a.n),
              static_cast<std::uint64_t>(a.step[k]));
    const std::uint32_t word[4] = {w.x, w.y, w.z, w.w};
    const T scale = static_cast<T>(rate.scale);
    for (int u = 0; u < 4; ++u) {
      if (quad * 4 + u >= a.c) break;
      const std::int64_t at = row * a.c + quad * 4 + u;
      const T value = !rate.all && word[u] >= rate.threshold ? a.x[at] * scale : T(0);
      a.y[at] = a.mode == WriteMode::accumulate ? a.y[at] + value : value;
    }
  }
}

template <class T>
void apply_typed(CudaContext& ctx, const Args& a) {
  const std::int64_t n = a.x.shape[1], c = a.x.shape[2], quads = (c + 3) / 4, groups = a.x.shape[0] * n * quads;
  const Call<T> call = {n,
                        c,
                        quads,
                        a.seed.as<std::int64_t>(),
                        a.step.as<std::int64_t>(),
                        a.rate.as<double>(),
                        a.stream,
                        static_cast<std::uint32_t>(a.first_row),
                        a.form,
                        a.mode,
                        a.x.as<T>(),
                        a.y.as<T>()};
  launch(device::elementwise_launch(groups, ctx.stream()), apply_kernel<T>, groups, call);
  check_launch("dropout::apply");
}

}  // namespace

void apply(CudaContext& ctx, const Args& args) {
  args.x.dtype == DType::f64 ? apply_typed<double>(ctx, args) : apply_typed<float>(ctx, args);
}

}  // namespace genexx::dropout::cuda
