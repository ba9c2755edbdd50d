// SPDX-License-Identifier: Apache-2.0
// The only way a kernel is launched, and the only header of kernels/*_cuda.cu that knows two compilers: nvcc, and, with
// GENEXX_SIMT, any C++ compiler together with the emulator of tests/simt. A .cu file includes this instead of CUDA's
// headers and keeps to what tests/simt/simt.h offers; tests/simt/kernel_rules.py checks it.
//
//   __global__ void scale_kernel(const float* __restrict__ x, float* __restrict__ y, float factor, std::int64_t n) {
//     const std::int64_t i = std::int64_t{blockIdx.x} * blockDim.x + threadIdx.x;
//     if (i < n) y[i] = factor * x[i];
//   }
//   ...
//   constexpr unsigned kThreads = block_threads(256);
//   launch({.grid = blocks_for(n, kThreads), .block = kThreads, .stream = ctx.stream()}, scale_kernel, x, y, factor,
//   n); check_launch("scale::kernel");
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <type_traits>
#include <utility>

#include "engine/cuda/device_stream.h"
#include "engine/device_failure.h"
#include "engine/error.h"

#if defined(__CUDACC__)
#include <cooperative_groups.h>
#include <cuda_runtime.h>
#elif defined(GENEXX_SIMT)
#include "tests/simt/simt.h"
#else
#error "kernels/launch.h is for nvcc, or for the emulator (GENEXX_SIMT)"
#endif

// GENEXX_SHARED(T, name, dims) declares shared memory of the block: GENEXX_SHARED(float, tile, [32][33]), or with empty
// dims one T. At block scope of a kernel or of a device function only. Unwritten at the start; at most 48 KiB in all.
//
// GENEXX_DYNAMIC_SHARED(T, name) makes `name` a T* to the LaunchConfig::shared_bytes of the launch, 16-byte aligned.
// Every such declaration of a kernel names the same memory.
#if defined(__CUDACC__)
#define GENEXX_SHARED(T, name, ...) __shared__ T name __VA_ARGS__
#define GENEXX_DYNAMIC_SHARED(T, name)                                   \
  extern __shared__ __align__(16) unsigned char genexx_dynamic_shared[]; \
  T* const name = reinterpret_cast<T*>(genexx_dynamic_shared)
#else
#define GENEXX_SHARED(T, name, ...) auto& name = ::genexx::simt::shared<T __VA_ARGS__>([] {})
#define GENEXX_DYNAMIC_SHARED(T, name) \
  T* const name = static_cast<T*>(::genexx::simt::dynamic_shared(::genexx::CodeLocation::here()))
#endif

namespace genexx {

struct LaunchConfig {
  dim3 grid;                      // blocks; from blocks_for or grid_extent
  dim3 block;                     // threads; x * y * z at most 1024, from block_threads
  std::size_t shared_bytes = 0;   // dynamic shared memory; static and dynamic at most 163 KiB
  CUstream_st* stream = nullptr;  // must be given on a device, never the default stream
  // Early only for kernels whose every thread calls wait_for_grid_ahead before it touches memory.
  GridBegin begin = GridBegin::behind;
};

// Waits until the grid ahead in the stream has ended and what it wrote can be seen; at once where it has. With that
// grid all before it have ended, since it waited for them itself.
__device__ inline void wait_for_grid_ahead() {
#if defined(GENEXX_SIMT)
  simt::wait_for_grid_ahead();
#elif defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 900
  cudaGridDependencySynchronize();
#endif
}

// The block size to use where `wanted` is the best on a device: `wanted`, or at most 128 in the build that looks for
// races, which can tell 240 threads apart. Kernels must be right for both.
constexpr unsigned block_threads(unsigned wanted) {
#if defined(GENEXX_SIMT_TSAN)
  return wanted < 128 ? wanted : 128;
#else
  return wanted;
#endif
}

// `blocks` as the x extent of a grid. Throws ShapeError when it is negative or over 2^31 - 1.
inline unsigned grid_extent(std::int64_t blocks, CodeLocation at = CodeLocation::here()) {
  if (blocks < 0 || blocks > std::numeric_limits<std::int32_t>::max()) {
    throw ShapeError("a grid of " + std::to_string(blocks) + " blocks, expected 0 to 2147483647: split the work", at);
  }
  return static_cast<unsigned>(blocks);
}

// ceil(n / per_block) as the x extent of a grid, 0 for n = 0. Throws ShapeError as grid_extent does.
inline unsigned blocks_for(std::int64_t n, std::int64_t per_block, CodeLocation at = CodeLocation::here()) {
  return grid_extent(n / per_block + (n % per_block != 0), at);
}

// `value` for a kernel that computes in 32 bits. Throws ShapeError when it does not fit, naming it.
inline int checked_int(std::int64_t value, const char* name, CodeLocation at = CodeLocation::here()) {
  if (value < std::numeric_limits<int>::min() || value > std::numeric_limits<int>::max()) {
    throw ShapeError(std::string(name) + " is " + std::to_string(value) + ", expected at most 2147483647", at);
  }
  return static_cast<int>(value);
}

// Throws DeviceError when the launch of `kernel` ("op::kernel") was refused, or when work before it failed; with CUDA's
// text. Must follow every launch. Does not synchronize: what goes wrong inside the kernel shows at the next call that
// does.
inline void check_launch(const char* kernel) {
#if defined(__CUDACC__)
  const cudaError_t status = cudaGetLastError();
  if (status == cudaSuccess) return;
  throw DeviceError(to_string(DeviceFailure{.call = std::string("kernel ") + kernel + ", or work before it,",
                                            .name = cudaGetErrorName(status),
                                            .text = cudaGetErrorString(status)}));
#else
  const std::string error = simt::take_launch_error();
  if (!error.empty()) throw DeviceError(std::string("kernel ") + kernel + ": " + error);
#endif
}

namespace launch_detail {

template <class Parameter, class Argument>
concept Fits = requires(Argument&& argument) {
  Parameter{std::forward<Argument>(argument)};
};

#if defined(__CUDACC__)
// More than 48 KiB of dynamic shared memory must be asked for, kernel by kernel. A refusal is seen by check_launch.
template <class Kernel>
void allow_shared_bytes(Kernel kernel, std::size_t bytes) {
  if (bytes <= 48 * 1024) return;
  cudaFuncSetAttribute(reinterpret_cast<const void*>(kernel), cudaFuncAttributeMaxDynamicSharedMemorySize,
                       static_cast<int>(bytes));
}

// A refusal is seen by check_launch.
template <class... P>
void launch_early(const LaunchConfig& config, void (*kernel)(P...), P... arguments) {
  cudaLaunchAttribute attribute{};
  attribute.id = cudaLaunchAttributeProgrammaticStreamSerialization;
  attribute.val.programmaticStreamSerializationAllowed = 1;
  cudaLaunchConfig_t early{};
  early.gridDim = config.grid;
  early.blockDim = config.block;
  early.dynamicSmemBytes = config.shared_bytes;
  early.stream = config.stream;
  early.attrs = &attribute;
  early.numAttrs = 1;
  cudaLaunchKernelEx(&early, kernel, arguments...);
}
#else
template <class... P, class... A>
void run(const LaunchConfig& config, simt::GridKind kind, void (*kernel)(P...), A&&... arguments) {
  using Call = simt::KernelCall<P...>;
  const simt::GridLaunch launch{.grid = config.grid,
                                .block = config.block,
                                .shared_bytes = config.shared_bytes,
                                .stream = config.stream,
                                .kind = kind,
                                .early = config.begin == GridBegin::early,
                                .run_thread = &Call::run_thread};
  simt::give(config.stream, [launch, call = Call{kernel, {P{std::forward<A>(arguments)}...}}]() mutable {
    simt::GridLaunch now = launch;
    now.call = &call;
    simt::run_grid(now);
  });
}
#endif

inline bool is_empty(dim3 grid) { return grid.x == 0 || grid.y == 0 || grid.z == 0; }

}  // namespace launch_detail

// Puts kernel<<<config>>>(arguments...) into the stream. A grid without blocks is no work: nothing is launched.
// Arguments must fit the kernel's parameters without narrowing. Does not synchronize, allocates nothing; may be
// captured.
template <class... P, class... A>
void launch(const LaunchConfig& config, void (*kernel)(P...), A&&... arguments) {
  static_assert(sizeof...(P) == sizeof...(A), "as many arguments as the kernel has parameters");
  static_assert((launch_detail::Fits<P, A> && ...), "an argument narrows: use checked_int, or a parameter of its type");
  if (launch_detail::is_empty(config.grid)) return;
#if defined(__CUDACC__)
  launch_detail::allow_shared_bytes(kernel, config.shared_bytes);
  if (config.begin == GridBegin::early)
    return launch_detail::launch_early(config, kernel, P{std::forward<A>(arguments)}...);
  kernel<<<config.grid, config.block, config.shared_bytes, config.stream>>>(P{std::forward<A>(arguments)}...);
#else
  launch_detail::run(config, simt::GridKind::ordinary, kernel, std::forward<A>(arguments)...);
#endif
}

// As launch, for a kernel that calls grid_sync: all blocks must fit on the device at once, else check_launch throws.
template <class... P, class... A>
void launch_cooperative(const LaunchConfig& config, void (*kernel)(P...), A&&... arguments) {
  static_assert(sizeof...(P) == sizeof...(A), "as many arguments as the kernel has parameters");
  static_assert((launch_detail::Fits<P, A> && ...), "an argument narrows: use checked_int, or a parameter of its type");
  if (launch_detail::is_empty(config.grid)) return;
#if defined(__CUDACC__)
  launch_detail::allow_shared_bytes(kernel, config.shared_bytes);
  const auto put = [&](P... values) {
    void* pointers[] = {const_cast<void*>(static_cast<const void*>(&values))...};
    cudaLaunchCooperativeKernel(reinterpret_cast<const void*>(kernel), config.grid, config.block, pointers,
                                config.shared_bytes, config.stream);
  };
  put(P{std::forward<A>(arguments)}...);
#else
  launch_detail::run(config, simt::GridKind::cooperative, kernel, std::forward<A>(arguments)...);
#endif
}

// Barrier of all threads of a cooperative launch, with the writes before it visible after it. Every thread of the grid
// must arrive.
__device__ inline void grid_sync([[maybe_unused]] CodeLocation at = CodeLocation::here()) {
#if defined(__CUDACC__)
  cooperative_groups::this_grid().sync();
#else
  simt::grid_barrier(at);
#endif
}

}  // namespace genexx
