// SPDX-License-Identifier: Apache-2.0
// How fast the same bytes are read, or read and written, again and again: the bandwidth of the L2 as far as it holds
// them.
#include "bench/device/timing.h"

namespace {

using namespace genexx::bench::device;

constexpr int kThreads = 256, kPasses = 20;

// Sums everything `passes` times; the store that never happens keeps the loads.
__global__ void __launch_bounds__(kThreads)
    read_kernel(const float4* __restrict__ x, float* out, std::int64_t n, int passes) {
  float sum = 0;
  const std::int64_t step = std::int64_t{gridDim.x} * kThreads;
  for (int pass = 0; pass < passes; ++pass) {
#pragma unroll 4
    for (std::int64_t i = std::int64_t{blockIdx.x} * kThreads + threadIdx.x; i < n; i += step) {
      const float4 v = __ldcg(x + i);  // past the L1
      sum += (v.x + v.y) + (v.z + v.w);
    }
  }
  if (sum == 12345.678f) *out = sum;
}

__global__ void __launch_bounds__(kThreads)
    copy_kernel(const float4* __restrict__ x, float4* __restrict__ y, std::int64_t n, int passes) {
  const std::int64_t step = std::int64_t{gridDim.x} * kThreads;
  for (int pass = 0; pass < passes; ++pass) {
#pragma unroll 4
    for (std::int64_t i = std::int64_t{blockIdx.x} * kThreads + threadIdx.x; i < n; i += step)
      __stcg(y + i, __ldcg(x + i));
  }
}

}  // namespace

int main() {
  int processors = 0;
  check(cudaDeviceGetAttribute(&processors, cudaDevAttrMultiProcessorCount, 0), "cudaDeviceGetAttribute");
  const auto blocks = static_cast<unsigned>(processors * 8);
  for (const std::int64_t megabytes : {5, 10, 20, 30, 40, 50, 60, 80, 120, 240}) {
    const std::int64_t bytes = megabytes * 1000000 / 32 * 32, n = bytes / 16;
    const Memory data(bytes);
    const auto* x = static_cast<const float4*>(data.data());
    auto* y = static_cast<float4*>(data.data()) + n / 2;
    const Spread read = time_stream([&](cudaStream_t stream) {
      read_kernel<<<blocks, kThreads, 0, stream>>>(x, static_cast<float*>(data.data()), n, kPasses);
    });
    const double read_bytes = static_cast<double>(bytes) * kPasses;
    print("l2_bandwidth", "read " + std::to_string(megabytes) + " MB", read,
          {{"megabytes", megabytes}, {"gb_per_s", 1e-3 * read_bytes / read.median_us}});
    const Spread copy =
        time_stream([&](cudaStream_t stream) { copy_kernel<<<blocks, kThreads, 0, stream>>>(x, y, n / 2, kPasses); });
    print("l2_bandwidth", "copy within " + std::to_string(megabytes) + " MB", copy,
          {{"megabytes", megabytes}, {"gb_per_s", 1e-3 * read_bytes / copy.median_us}});
    check(cudaGetLastError(), "l2_bandwidth");
  }
  return 0;
}
