// SPDX-License-Identifier: Apache-2.0
// What the card does at best: copies and reads of 1 GiB, and products of 8192 x 8192 x 8192 on random numbers, each the
// median of several and the best of 16 algorithms.
#include "bench/device/blas_lt.h"

namespace {

using namespace genexx::bench::device;

constexpr std::int64_t kBytes = std::int64_t{1} << 30;
constexpr unsigned kThreads = 256;

__global__ void __launch_bounds__(kThreads)
    copy_kernel(const float4* __restrict__ x, float4* __restrict__ y, std::int64_t n) {
  const std::int64_t step = std::int64_t{gridDim.x} * kThreads;
#pragma unroll 4
  for (std::int64_t i = std::int64_t{blockIdx.x} * kThreads + threadIdx.x; i < n; i += step)
    __stcs(y + i, __ldcs(x + i));
}

void copies() {
  const Memory from(kBytes), to(kBytes);
  int processors = 0;
  check(cudaDeviceGetAttribute(&processors, cudaDevAttrMultiProcessorCount, 0), "cudaDeviceGetAttribute");
  const Spread engine = time_stream([&](cudaStream_t stream) {
    check(cudaMemcpyAsync(to.data(), from.data(), static_cast<std::size_t>(kBytes), cudaMemcpyDeviceToDevice, stream),
          "cudaMemcpyAsync");
  });
  print("ceilings", "cudaMemcpyAsync of 1 GiB", engine, {{"gb_per_s", 2e-3 * kBytes / engine.median_us}});
  const auto blocks = static_cast<unsigned>(processors * 16);
  const Spread kernel = time_stream([&](cudaStream_t stream) {
    copy_kernel<<<blocks, kThreads, 0, stream>>>(static_cast<const float4*>(from.data()),
                                                 static_cast<float4*>(to.data()), kBytes / 16);
  });
  print("ceilings", "copy kernel of 1 GiB", kernel, {{"gb_per_s", 2e-3 * kBytes / kernel.median_us}});
}

void products(cublasLtHandle_t handle, Class precision) {
  constexpr std::int64_t kSide = 8192;
  const Product product = {
      .name = "8192^3", .m = kSide, .n = kSide, .k = kSide, .a = CUBLAS_OP_T, .precision = precision};
  const Plan plan(handle, product, 1);
  Spread best;
  const Algorithms all = plan.algorithms(16);
  for (int i = 0; i < all.count; ++i) {
    const cublasLtMatmulAlgo_t& algorithm = all.found[i].algo;
    if (!plan.run(algorithm, 0, nullptr)) continue;
    const Spread time = time_stream([&](cudaStream_t stream) { plan.run(algorithm, 0, stream); });
    if (best.median_us == 0 || time.median_us < best.median_us) best = time;
  }
  print("ceilings", std::string("product of 8192^3 in ") + name_of(precision), best,
        {{"tflop_per_s", 1e-6 * product.flop() / best.median_us}});
}

}  // namespace

int main() {
  cublasLtHandle_t handle = nullptr;
  check(cublasLtCreate(&handle), "cublasLtCreate");
  copies();
  for (const Class precision : {Class::fp32, Class::tf32, Class::bf16}) products(handle, precision);
  copies();  // again, with a warm card
  check(cublasLtDestroy(handle), "cublasLtDestroy");
  return 0;
}
