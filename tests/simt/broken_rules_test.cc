// SPDX-License-Identifier: Apache-2.0
// Seeded faults the emulator must name by itself, in every build and order. Faults that only a sanitizer or a wrong
// result betrays are in faults/.
#include <functional>
#include <string>

#include <doctest/doctest.h>

#include "engine/cuda/cuda_context.h"
#include "kernels/gemm.h"
#include "kernels/launch.h"

namespace genexx {
namespace {

constexpr unsigned kThreads = block_threads(256);
constexpr unsigned kFull = 0xFFFFFFFFu;

constexpr int kBarriersBelow = __LINE__;
__global__ void barrier_in_both_branches_kernel() {
  if (threadIdx.x < 16) {
    __syncthreads();
  } else {
    __syncthreads();
  }
}

__global__ void barrier_or_shuffle_kernel(int* out) {
  if (threadIdx.x % 2 == 1) {
    out[threadIdx.x] = __shfl_xor_sync(kFull, static_cast<int>(threadIdx.x), 2);
  } else {
    __syncthreads();
  }
}

__global__ void barrier_of_other_kind_kernel() {
  threadIdx.x < 16 ? __syncthreads() : static_cast<void>(__syncthreads_or(1));
}

__global__ void dead_block_kernel() {
  if (threadIdx.x < 32) return;
  if (threadIdx.x < 64) {
    __syncwarp(threadIdx.x == 40 ? 1u << 8 : ~(1u << 8));
    if (threadIdx.x != 40) __shfl_sync(kFull, 1, 0);
  }
  __syncthreads();
}

__global__ void reads_outside_mask_kernel(int* out) {
  if (threadIdx.x < 16) out[threadIdx.x] = __shfl_down_sync(0x0000FFFFu, static_cast<int>(threadIdx.x), 1);
}

__global__ void reads_exited_lane_kernel(int* out) {
  if (threadIdx.x >= 16) return;
  out[threadIdx.x] = __shfl_down_sync(kFull, static_cast<int>(threadIdx.x), 1);
}

__global__ void reads_past_warp_kernel(int* out) {
  int sum = 1;
  for (int distance = 16; distance > 0; distance /= 2) sum += __shfl_down_sync(kFull, sum, distance);
  out[threadIdx.x] = sum;
}

__global__ void mask_without_caller_kernel(int* out) { out[threadIdx.x] = __shfl_sync(0x0000FFFFu, 1, 0); }

__global__ void masks_disagree_kernel() { __syncwarp(threadIdx.x < 16 ? kFull : 0xFFFF0001u); }

__global__ void operations_disagree_kernel(int* out) {
  out[threadIdx.x] = threadIdx.x < 16 ? __any_sync(kFull, 1) : __shfl_sync(kFull, 1, 0);
}

__global__ void too_much_static_kernel(double* out) {
  GENEXX_SHARED(double, big, [6145]);
  out[threadIdx.x] = big[0];
}

__global__ void too_much_in_all_kernel(double* out) {
  GENEXX_SHARED(double, small, [2]);
  out[threadIdx.x] = small[0];
}

__global__ void no_dynamic_shared_kernel(int* out) {
  GENEXX_DYNAMIC_SHARED(int, nothing);
  out[threadIdx.x] = nothing[0];
}

__global__ void empty_kernel() {}
__global__ void waits_in_some_threads_kernel() {
  if (threadIdx.x != 5) wait_for_grid_ahead();
}
__global__ void grid_sync_kernel() { grid_sync(); }
__global__ void grid_sync_of_some_kernel() {
  if (blockIdx.x > 0) grid_sync();
}

CUstream_st* stream() {
  static CUstream_st the_stream;
  return &the_stream;
}

// What check_launch says of the launch `put` makes.
std::string complaint(const std::function<void()>& put) {
  put();
  try {
    check_launch("test::fault");
  } catch (const DeviceError& error) {
    return error.what();
  }
  return "";
}

template <class... P>
std::string complaint(const LaunchConfig& config, void (*kernel)(P...), P... arguments) {
  return complaint([&] { launch(config, kernel, arguments...); });
}

void check_says(const std::string& message, const std::string& part) {
  INFO("the message is '" << message << "'");
  CHECK(message.find(part) != std::string::npos);
}

}  // namespace

TEST_CASE("broken rule: barriers in both branches are named with their lines") {
  const std::string message = complaint({.grid = 1, .block = 64, .stream = stream()}, barrier_in_both_branches_kernel);

  check_says(message, "kernel test::fault: block (0,0,0) thread (");
  check_says(message, "divergent barrier: __syncthreads at ");
  check_says(message, "broken_rules_test.cc:" + std::to_string(kBarriersBelow + 3));
  check_says(message, "broken_rules_test.cc:" + std::to_string(kBarriersBelow + 5));
}

TEST_CASE("broken rule: barriers of different kinds do not meet") {
  check_says(complaint({.grid = 1, .block = 32, .stream = stream()}, barrier_of_other_kind_kernel),
             "divergent barrier");
}

TEST_CASE("broken rule: a thread that does not wait for the grid ahead, in a launch that begins early") {
  const LaunchConfig behind = {.grid = 2, .block = 32, .stream = stream()};
  LaunchConfig early = behind;
  early.begin = GridBegin::early;

  check_says(complaint(early, waits_in_some_threads_kernel),
             "thread (5,0,0): it ends without wait_for_grid_ahead, in a launch that begins early");
  CHECK(complaint(behind, waits_in_some_threads_kernel).empty());
}

TEST_CASE("broken rule: half the lanes in a barrier, half in a shuffle") {
  int out[64] = {};

  const std::string message = complaint({.grid = 1, .block = 64, .stream = stream()}, barrier_or_shuffle_kernel, +out);

  check_says(message, "can never finish: 64 of 64 threads still wait");
  check_says(message, "in __shfl_xor_sync at");
  check_says(message, "in __syncthreads at");
}

TEST_CASE("broken rule: a block that can never finish") {
  check_says(complaint({.grid = 1, .block = 96, .stream = stream()}, dead_block_kernel),
             "can never finish: 64 of 96 threads still wait");
}

TEST_CASE("broken rule: a shuffle reads a lane outside its mask") {
  int out[32] = {};
  check_says(complaint({.grid = 1, .block = 32, .stream = stream()}, reads_outside_mask_kernel, +out),
             "lane 15 reads lane 16");
}

TEST_CASE("broken rule: a shuffle reads a lane that has exited") {
  int out[32] = {};
  check_says(complaint({.grid = 1, .block = 32, .stream = stream()}, reads_exited_lane_kernel, +out),
             "lane 15 reads lane 16");
}

TEST_CASE("broken rule: a shuffle reads past the end of a short warp") {
  int out[32] = {};
  check_says(complaint({.grid = 1, .block = 20, .stream = stream()}, reads_past_warp_kernel, +out),
             "which does not take part");
}

TEST_CASE("broken rule: a mask that leaves out its caller") {
  int out[32] = {};
  check_says(complaint({.grid = 1, .block = 32, .stream = stream()}, mask_without_caller_kernel, +out),
             "(mask 0000ffff) does not name the calling lane");
}

TEST_CASE("broken rule: masks that disagree") {
  const std::string message = complaint({.grid = 1, .block = 32, .stream = stream()}, masks_disagree_kernel);

  check_says(message, "(mask ffffffff)");
  check_says(message, "(mask ffff0001)");
}

TEST_CASE("broken rule: lanes of one mask in different operations") {
  int out[32] = {};
  const std::string message = complaint({.grid = 1, .block = 32, .stream = stream()}, operations_disagree_kernel, +out);

  check_says(message, "__any_sync at");
  check_says(message, "__shfl_sync at");
}

TEST_CASE("broken rule: too much shared memory") {
  double out[32] = {};
  check_says(complaint({.grid = 1, .block = 32, .stream = stream()}, too_much_static_kernel, +out),
             "49160 bytes, limit 49152");
  check_says(complaint({.grid = 1, .block = 32, .shared_bytes = 163 * 1024 - 8, .stream = stream()},
                       too_much_in_all_kernel, +out),
             "shared memory of 166920 bytes in all, limit 166912");
  check_says(complaint({.grid = 1, .block = 32, .shared_bytes = 163 * 1024 + 1, .stream = stream()}, empty_kernel),
             "limit 166912");
}

TEST_CASE("broken rule: dynamic shared memory nobody gave") {
  int out[32] = {};
  check_says(complaint({.grid = 1, .block = 32, .stream = stream()}, no_dynamic_shared_kernel, +out),
             "in a launch without any");
}

TEST_CASE("broken rule: blocks and grids no device takes") {
  check_says(complaint({.grid = 1, .block = 2048, .stream = stream()}, empty_kernel), "2048 threads");
  check_says(complaint({.grid = 1, .block = 0, .stream = stream()}, empty_kernel), "invalid block (0,1,1)");
  check_says(complaint({.grid = 1, .block = {1, 1, 65}, .stream = stream()}, empty_kernel), "invalid block (1,1,65)");
  check_says(complaint({.grid = {1, 65536}, .block = 32, .stream = stream()}, empty_kernel),
             "invalid grid (1,65536,1)");
}

TEST_CASE("broken rule: a grid barrier in an ordinary launch") {
  check_says(complaint({.grid = 4, .block = 32, .stream = stream()}, grid_sync_kernel),
             "in a launch that is not cooperative");
}

TEST_CASE("broken rule: a grid barrier some threads never reach") {
  const std::string message =
      complaint([] { launch_cooperative({.grid = 2, .block = 32, .stream = stream()}, grid_sync_of_some_kernel); });

  check_says(message, "block (1,0,0) can never finish");
  check_says(message, "in grid_sync at");
}

TEST_CASE("broken rule: a launch nobody checked") {
  launch({.grid = 1, .block = 32, .stream = stream()}, empty_kernel);
  const std::string message = complaint({.grid = 1, .block = 32, .stream = stream()}, empty_kernel);

  check_says(message, "not followed by check_launch");
  CHECK(complaint({.grid = 1, .block = kThreads, .stream = stream()}, empty_kernel).empty());
}

TEST_CASE("broken rule: the default stream") {
  check_says(complaint([] { launch({.grid = 1, .block = 32}, empty_kernel); }), "on the default stream");
}

TEST_CASE("broken rule: copies that leave device memory") {
  CudaContext ctx(0);
  const Buffer buffer(ctx, 100);
  char host[128] = {};

  CHECK_THROWS_WITH_AS(ctx.copy_to_device(buffer.data(), host, 101),
                       "copy_to_device: 101 bytes at offset 0 of device memory of 100 bytes", DeviceError);
  CHECK_THROWS_WITH_AS(ctx.copy_to_host(host, host + 64, 8), doctest::Contains("not device memory"), DeviceError);
}

TEST_CASE("broken rule: an operand of a matrix product that leaves device memory") {
  CudaContext ctx(0);
  const Buffer a(ctx, 6 * 4), b(ctx, 11 * 4), c(ctx, 8 * 4);
  const gemm::Args args = {.a = ConstTensor(a.data(), DType::f32, {1, 2, 3}),
                           .b = ConstTensor(b.data(), DType::f32, {1, 3, 4}),
                           .c = {c.data(), DType::f32, {1, 2, 4}}};

  CHECK_THROWS_WITH_AS(gemm::run(ctx, args), "gemm: b: 48 bytes at offset 0 of device memory of 44 bytes", DeviceError);
}

}  // namespace genexx
