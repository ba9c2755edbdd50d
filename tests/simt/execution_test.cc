// SPDX-License-Identifier: Apache-2.0
// The emulator proves itself: right kernels of every kind, in every order and with both fills.
#include <cmath>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include "kernels/device/bfloat16.h"
#include "kernels/launch.h"

namespace genexx {
namespace {

constexpr unsigned kThreads = block_threads(256);
constexpr unsigned kTile = kThreads == 256 ? 16 : 8;

__device__ float warp_sum(float value) {
  for (int distance = 16; distance > 0; distance /= 2) value += __shfl_down_sync(0xFFFFFFFFu, value, distance);
  return value;
}

// One partial sum per block; float4 loads, shuffles, one shared slot per warp.
__global__ void block_sum_kernel(const float* __restrict__ x, std::int64_t n, float* __restrict__ partial) {
  GENEXX_SHARED(float, of_warp, [kThreads / 32]);
  float sum = 0.0f;
  const std::int64_t first = std::int64_t{blockIdx.x} * kThreads + threadIdx.x;
  const std::int64_t step = std::int64_t{gridDim.x} * kThreads;
  const auto* x4 = reinterpret_cast<const float4*>(x);
  for (std::int64_t i = first; i < n / 4; i += step) {
    const float4 v = __ldg(x4 + i);
    sum += (v.x + v.y) + (v.z + v.w);
  }
  for (std::int64_t i = n / 4 * 4 + first; i < n; i += step) sum += x[i];
  sum = warp_sum(sum);
  if (threadIdx.x % 32 == 0) of_warp[threadIdx.x / 32] = sum;
  __syncthreads();
  if (threadIdx.x < 32) {
    sum = warp_sum(threadIdx.x < kThreads / 32 ? of_warp[threadIdx.x] : 0.0f);
    if (threadIdx.x == 0) partial[blockIdx.x] = sum;
  }
}

// The row in dynamic shared memory, its maximum and sum through one slot per warp.
__global__ void softmax_kernel(const float* __restrict__ x, float* __restrict__ y, int columns) {
  GENEXX_DYNAMIC_SHARED(float, row);
  GENEXX_SHARED(float, of_warp, [32]);
  const std::int64_t base = std::int64_t{blockIdx.x} * columns;
  const int warps = static_cast<int>(blockDim.x / 32);
  float top = -INFINITY;
  for (int c = static_cast<int>(threadIdx.x); c < columns; c += static_cast<int>(blockDim.x)) {
    row[c] = x[base + c];
    top = fmaxf(top, row[c]);
  }
  for (int lanes = 16; lanes > 0; lanes /= 2) top = fmaxf(top, __shfl_xor_sync(0xFFFFFFFFu, top, lanes));
  if (threadIdx.x % 32 == 0) of_warp[threadIdx.x / 32] = top;
  __syncthreads();
  for (int w = 0; w < warps; ++w) top = fmaxf(top, of_warp[w]);
  __syncthreads();
  float sum = 0.0f;
  for (int c = static_cast<int>(threadIdx.x); c < columns; c += static_cast<int>(blockDim.x)) {
    row[c] = expf(row[c] - top);
    sum += row[c];
  }
  sum = warp_sum(sum);
  if (threadIdx.x % 32 == 0) of_warp[threadIdx.x / 32] = sum;
  __syncthreads();
  sum = 0.0f;
  for (int w = 0; w < warps; ++w) sum += of_warp[w];
  for (int c = static_cast<int>(threadIdx.x); c < columns; c += static_cast<int>(blockDim.x))
    y[base + c] = row[c] / sum;
}

struct GemmShape {
  int m, n, k;
};

// C [m, n] = A [m, k] B [k, n], two-dimensional blocks, barriers in a loop, ragged edges.
__global__ void gemm_kernel(const double* __restrict__ a, const double* __restrict__ b, double* __restrict__ c,
                            GemmShape s) {
  GENEXX_SHARED(double, a_tile, [kTile][kTile + 1]);
  GENEXX_SHARED(double, b_tile, [kTile][kTile + 1]);
  const int tx = static_cast<int>(threadIdx.x), ty = static_cast<int>(threadIdx.y);
  const int row = static_cast<int>(blockIdx.y * kTile) + ty, column = static_cast<int>(blockIdx.x * kTile) + tx;
  double sum = 0.0;
  for (int k0 = 0; k0 < s.k; k0 += static_cast<int>(kTile)) {
    a_tile[ty][tx] = row < s.m && k0 + tx < s.k ? a[row * s.k + k0 + tx] : 0.0;
    b_tile[ty][tx] = column < s.n && k0 + ty < s.k ? b[(k0 + ty) * s.n + column] : 0.0;
    __syncthreads();
    for (unsigned i = 0; i < kTile; ++i) sum += a_tile[ty][i] * b_tile[i][tx];
    __syncthreads();
  }
  if (row < s.m && column < s.n) c[row * s.n + column] = sum;
}

__global__ void histogram_kernel(const int* __restrict__ key, int n, int* __restrict__ count, int bins) {
  GENEXX_DYNAMIC_SHARED(int, of_block);
  const int first = static_cast<int>(threadIdx.x), step = static_cast<int>(blockDim.x);
  for (int i = first; i < bins; i += step) of_block[i] = 0;
  __syncthreads();
  for (int i = static_cast<int>(blockIdx.x) * step + first; i < n; i += static_cast<int>(gridDim.x) * step) {
    atomicAdd(&of_block[key[i]], 1);
  }
  __syncthreads();
  for (int i = first; i < bins; i += step) atomicAdd(&count[i], of_block[i]);
}

// Every block adds its part to the total, then all read it.
__global__ void subtract_mean_kernel(int* x, int n, int* total) {
  const int first = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
  const int step = static_cast<int>(gridDim.x * blockDim.x);
  for (int i = first; i < n; i += step) atomicAdd(total, x[i]);
  grid_sync();
  const int mean = *total / n;
  for (int i = first; i < n; i += step) x[i] -= mean;
}

// Two masks in flight at a time in one warp.
__global__ void half_warps_kernel(int* out) {
  const int lane = static_cast<int>(threadIdx.x % 32);
  const unsigned mask = lane < 16 ? 0x0000FFFFu : 0xFFFF0000u;
  int value = lane;
  if (lane < 16) {
    for (int lanes = 8; lanes > 0; lanes /= 2) value += __shfl_xor_sync(mask, value, lanes);
  } else {
    for (int lanes = 8; lanes > 0; lanes /= 2) value += __shfl_xor_sync(mask, value, lanes, 16);
    value += 1000 * __popc(__ballot_sync(mask, lane & 1));
  }
  __syncwarp();
  out[threadIdx.x] = value;
}

// Lanes 5 and 20 leave while their halves wait for them alone.
__global__ void early_exit_kernel(int* out) {
  const unsigned lane = threadIdx.x % 32;
  if (lane == 5 || lane == 20) return;
  const unsigned mask = lane < 16 ? 0x0000FFFFu : 0xFFFF0000u;
  out[lane] = __popc(__ballot_sync(mask, 1));
}

__global__ void votes_kernel(int* out) {
  const int is_first = threadIdx.x == 0, is_small = threadIdx.x < 40;
  const int any = __syncthreads_or(is_first), all = __syncthreads_and(is_small), count = __syncthreads_count(is_small);
  if (threadIdx.x == 63) {
    out[0] = any;
    out[1] = all;
    out[2] = count;
    out[3] = __any_sync(1u << 31, is_first);
    out[4] = __all_sync(1u << 31, 1);
  }
}

// A warp of 20 lanes; every lane reads its left neighbour, the first one itself.
__global__ void shift_kernel(int* out) {
  out[threadIdx.x] = __shfl_up_sync(0xFFFFFFFFu, static_cast<int>(threadIdx.x), 1);
}

__global__ void count_threads_kernel(unsigned long long* count, dim3 grid, dim3 block) {
  const bool inside = blockIdx.x < grid.x && blockIdx.y < grid.y && blockIdx.z < grid.z && threadIdx.x < block.x &&
                      threadIdx.y < block.y && threadIdx.z < block.z && blockDim.z == block.z && gridDim.y == grid.y;
  if (inside) atomicAdd(count, 1ull);
}

__global__ void unwritten_kernel(float* out) {
  GENEXX_SHARED(float, never_written, [2]);
  *out = never_written[1];
}

CUstream_st* stream() {
  static CUstream_st the_stream;
  return &the_stream;
}

std::vector<float> wave(std::int64_t n) {
  std::vector<float> x(static_cast<std::size_t>(n));
  for (std::int64_t i = 0; i < n; ++i) x[static_cast<std::size_t>(i)] = static_cast<float>(i * 37 % 101) / 128.0f;
  return x;
}

}  // namespace

TEST_CASE("emulator: sums blocks through shuffles and shared memory") {
  const std::int64_t n = 4 * 3000 + 3;
  const std::vector<float> x = wave(n);
  double expected = 0.0;
  for (const float v : x) expected += v;
  std::vector<float> partial(5, NAN);

  launch({.grid = 5, .block = kThreads, .stream = stream()}, block_sum_kernel, x.data(), n, partial.data());
  check_launch("test::block_sum");

  double got = 0.0;
  for (const float p : partial) got += p;
  CHECK(got == doctest::Approx(expected).epsilon(1e-6));
}

TEST_CASE("emulator: takes the softmax of rows in dynamic shared memory") {
  const int rows = 7, columns = 333;
  const std::vector<float> x = wave(rows * columns);
  std::vector<float> y(x.size(), NAN);

  launch({.grid = rows, .block = kThreads, .shared_bytes = columns * sizeof(float), .stream = stream()}, softmax_kernel,
         x.data(), y.data(), columns);
  check_launch("test::softmax");

  for (std::size_t r = 0; r < rows; ++r) {
    double sum = 0.0;
    for (std::size_t c = 0; c < columns; ++c) sum += std::exp(static_cast<double>(x[r * columns + c]));
    const double first = std::exp(static_cast<double>(x[r * columns])) / sum;
    CHECK(y[r * columns] == doctest::Approx(first).epsilon(1e-6));
    CHECK(y[r * columns + columns - 1] ==
          doctest::Approx(std::exp(static_cast<double>(x[r * columns + columns - 1])) / sum).epsilon(1e-6));
  }
}

TEST_CASE("emulator: multiplies matrices through tiles, exactly for whole numbers") {
  const GemmShape s{.m = 37, .n = 29, .k = 43};
  std::vector<double> a(static_cast<std::size_t>(s.m * s.k)), b(static_cast<std::size_t>(s.k * s.n));
  std::vector<double> c(static_cast<std::size_t>(s.m * s.n), NAN), expected(c.size(), 0.0);
  for (std::size_t i = 0; i < a.size(); ++i) a[i] = static_cast<double>(i % 13) - 6.0;
  for (std::size_t i = 0; i < b.size(); ++i) b[i] = static_cast<double>(i % 7) - 3.0;
  for (int i = 0; i < s.m; ++i) {
    for (int j = 0; j < s.n; ++j) {
      for (int k = 0; k < s.k; ++k) {
        expected[static_cast<std::size_t>(i * s.n + j)] +=
            a[static_cast<std::size_t>(i * s.k + k)] * b[static_cast<std::size_t>(k * s.n + j)];
      }
    }
  }

  launch({.grid = {blocks_for(s.n, kTile), blocks_for(s.m, kTile)}, .block = {kTile, kTile}, .stream = stream()},
         gemm_kernel, a.data(), b.data(), c.data(), s);
  check_launch("test::gemm");

  CHECK(c == expected);
}

TEST_CASE("emulator: counts with atomics in shared and global memory") {
  const int n = 3001, bins = 10;
  std::vector<int> key(n), count(bins, 0), expected(bins, 0);
  for (int i = 0; i < n; ++i) ++expected[static_cast<std::size_t>(key[static_cast<std::size_t>(i)] = i * i % bins)];

  launch({.grid = 6, .block = 64, .shared_bytes = bins * sizeof(int), .stream = stream()}, histogram_kernel, key.data(),
         n, count.data(), bins);
  check_launch("test::histogram");

  CHECK(count == expected);
}

TEST_CASE("emulator: a cooperative grid waits for all its blocks") {
  const int n = 2000;
  std::vector<int> x(n);
  int total = 0;
  for (int i = 0; i < n; ++i) x[static_cast<std::size_t>(i)] = i % 5;

  launch_cooperative({.grid = 3, .block = 64, .stream = stream()}, subtract_mean_kernel, x.data(), n, &total);
  check_launch("test::subtract_mean");

  CHECK(total == 4000);
  CHECK(x[0] == -2);
  CHECK(x[n - 1] == 2);
}

TEST_CASE("emulator: two masks of a warp do not disturb each other") {
  std::vector<int> out(64, -1);

  launch({.grid = 1, .block = 64, .stream = stream()}, half_warps_kernel, out.data());
  check_launch("test::half_warps");

  CHECK(std::vector<int>(out.begin(), out.begin() + 16) == std::vector<int>(16, 120));
  CHECK(std::vector<int>(out.begin() + 48, out.end()) == std::vector<int>(16, 376 + 8000));
}

TEST_CASE("emulator: lanes that exit hold nobody up, whichever mask names them") {
  std::vector<int> out(32, -1);

  launch({.grid = 1, .block = 32, .stream = stream()}, early_exit_kernel, out.data());
  check_launch("test::early_exit");

  std::vector<int> expected(32, 15);
  expected[5] = expected[20] = -1;
  CHECK(out == expected);
}

TEST_CASE("emulator: barriers and warps vote") {
  std::vector<int> out(5, -1);

  launch({.grid = 1, .block = 64, .stream = stream()}, votes_kernel, out.data());
  check_launch("test::votes");

  CHECK(out == std::vector<int>{1, 0, 40, 0, 1});
}

TEST_CASE("emulator: a warp may be shorter than 32 lanes") {
  std::vector<int> out(20, -1);

  launch({.grid = 1, .block = 20, .stream = stream()}, shift_kernel, out.data());
  check_launch("test::shift");

  CHECK(out[0] == 0);
  CHECK(out[19] == 18);
}

TEST_CASE("emulator: runs every thread of a three-dimensional grid once") {
  unsigned long long count = 0;
  const dim3 grid(3, 4, 5), block(6, 5, 2);

  launch({.grid = grid, .block = block, .stream = stream()}, count_threads_kernel, &count, grid, block);
  check_launch("test::count_threads");

  CHECK(count == 60u * 60u);
}

TEST_CASE("emulator: host threads launch side by side, each with its own errors") {
  std::vector<unsigned long long> count(2, 0);
  std::string error_of_second;
  const auto launch_often = [&](std::size_t which, dim3 grid) {
    CUstream_st own_stream;
    for (int i = 0; i < 20; ++i) {
      launch({.grid = grid, .block = 32, .stream = &own_stream}, count_threads_kernel, &count[which], grid, dim3(32));
      check_launch("test::count_threads");
    }
  };

  std::thread first([&] { launch_often(0, 3); });
  std::thread second([&] {
    try {
      launch_often(1, dim3(1, 70000));
    } catch (const DeviceError& error) {
      error_of_second = error.what();
    }
  });
  first.join();
  second.join();

  CHECK(count[0] == 20u * 3u * 32u);
  CHECK(error_of_second.find("invalid grid (1,70000,1)") != std::string::npos);
}

TEST_CASE("emulator: an empty grid is no work") {
  launch({.grid = blocks_for(0, 256), .block = 256, .stream = stream()}, shift_kernel, static_cast<int*>(nullptr));

  CHECK_NOTHROW(check_launch("test::shift"));
}

TEST_CASE("emulator: unwritten shared memory holds the chosen fill") {
  const simt::Options before = simt::options();
  float nan = 0.0f, large = 0.0f;

  simt::set_options({.fill = simt::Fill::nan});
  launch({.grid = 1, .block = 1, .stream = stream()}, unwritten_kernel, &nan);
  check_launch("test::unwritten");
  simt::set_options({.fill = simt::Fill::large});
  launch({.grid = 1, .block = 1, .stream = stream()}, unwritten_kernel, &large);
  check_launch("test::unwritten");
  simt::set_options(before);

  CHECK(std::isnan(nan));
  CHECK(large > 1e30f);
  CHECK(std::isfinite(large));
}

TEST_CASE("emulator: bfloat16 rounds to nearest, ties to even") {
  CHECK(__float2bfloat16(1.0f).bits == 0x3F80);
  CHECK(__float2bfloat16(__uint_as_float(0x3F808000u)).bits == 0x3F80);  // tie, down to even
  CHECK(__float2bfloat16(__uint_as_float(0x3F818000u)).bits == 0x3F82);  // tie, up to even
  CHECK(__float2bfloat16(__uint_as_float(0x3F808001u)).bits == 0x3F81);
  CHECK(__float2bfloat16(-3.0e38f * 2.0f).bits == 0xFF80);
  CHECK(std::isnan(__bfloat162float(__float2bfloat16(NAN))));
  CHECK(__bfloat162float(__float2bfloat16(-2.5f)) == -2.5f);
}

TEST_CASE("launch: names what does not fit 32 bits") {
  CHECK(blocks_for(1025, 256) == 5);
  CHECK_THROWS_WITH_AS(grid_extent(std::int64_t{1} << 31), doctest::Contains("2147483648 blocks"), ShapeError);
  CHECK_THROWS_AS(grid_extent(-1), ShapeError);
  CHECK(checked_int(-5, "n") == -5);
  CHECK_THROWS_WITH_AS(checked_int(std::int64_t{1} << 40, "columns"), doctest::Contains("columns is 1099511627776"),
                       ShapeError);
}

TEST_CASE("emulator: names an unknown order of threads") {
  CHECK(simt::parse_options("random:12,large").seed == 12);
  CHECK(simt::parse_options("reverse,large").fill == simt::Fill::large);
  CHECK_FALSE(simt::parse_options("reverse,large").queued);
  CHECK(simt::parse_options("reverse,large,queued").queued);
  CHECK(simt::parse_options("reverse,large,queued").fill == simt::Fill::large);
  CHECK(simt::parse_options("random:12,queued").seed == 12);
  CHECK_THROWS_WITH_AS(simt::parse_options("backwards"), doctest::Contains("'backwards'"), UsageError);
  CHECK_THROWS_AS(simt::parse_options("random:"), UsageError);
}

}  // namespace genexx
