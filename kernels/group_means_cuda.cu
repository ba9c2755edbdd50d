// SPDX-License-Identifier: Apache-2.0
#include "engine/cuda/cuda_context.h"
#include "kernels/device/elementwise.h"
#include "kernels/device/stored_values.h"
#include "kernels/group_means.h"

namespace genexx::group_means::cuda {
namespace {

// A warp owns kTile columns of one group and goes over all rows in their order; 20 KiB of shared memory for a block.
constexpr int kWarps = 4;
constexpr int kBlock = kWarps * 32;
constexpr int kTile = 256;

struct Problem {
  device::SelectedCells cells;  // of replica 0
  const std::int32_t* group_of_cell;
  std::int64_t cols, replicas, n, groups, row_factor_stride, tiles;
  double* mean;
  std::int64_t* count;  // null: not wanted
  double* squares;      // [r, groups, cols], null: not wanted
};

// Reads the entries of its group once, twice with squares. Warps are independent: no barrier of the block.
__global__ void group_means_kernel(Problem p) {
  GENEXX_SHARED(double, sum, [kWarps][kTile]);
  GENEXX_SHARED(double, squares, [kWarps][kTile]);
  GENEXX_SHARED(int, stored, [kWarps][kTile]);
  const int warp = threadIdx.x / 32, lane = threadIdx.x % 32;
  const std::int64_t index = std::int64_t(blockIdx.x) * kWarps + warp;
  if (index >= p.replicas * p.groups * p.tiles) return;
  const std::int64_t first = index % p.tiles * kTile;
  const std::int64_t last = first + kTile < p.cols ? first + kTile : p.cols;
  const std::int64_t replica = index / p.tiles / p.groups, group = index / p.tiles % p.groups;
  device::SelectedCells cells = p.cells;
  cells.rows += replica * p.n;
  if (cells.row_factor != nullptr) cells.row_factor += replica * p.row_factor_stride;
  const auto in_group = [&p, group](std::int64_t cell) { return p.group_of_cell[cell] == group; };
  for (int j = lane; j < kTile; j += 32) {
    sum[warp][j] = 0;
    stored[warp][j] = 0;
  }
  __syncwarp();
  const std::int64_t count = device::for_each_stored(cells, 0, p.n, first, last, in_group, [&](int j, double x) {
    sum[warp][j] += x;
    stored[warp][j] += 1;
  });
  if (p.count != nullptr && lane == 0 && first == 0) p.count[replica * p.groups + group] = count;
  const std::int64_t place = (replica * p.groups + group) * p.cols + first;
  for (int j = lane; j < last - first; j += 32) {
    const double mean = count > 0 ? sum[warp][j] / double(count) : 0.0;
    p.mean[place + j] = mean;
    sum[warp][j] = mean;
    squares[warp][j] = double(count - stored[warp][j]) * mean * mean;
  }
  if (p.squares == nullptr) return;
  __syncwarp();
  device::for_each_stored(cells, 0, p.n, first, last, in_group, [&](int j, double x) {
    const double d = x - sum[warp][j];
    squares[warp][j] += d * d;
  });
  for (int j = lane; j < last - first; j += 32) p.squares[place + j] = squares[warp][j];
}

// Each thread owns one (replica, column) and adds its groups in ascending order.
__global__ void join_groups_kernel(Problem p, double* within) {
  for (std::int64_t i = device::first_index(); i < p.replicas * p.cols; i += device::index_stride()) {
    const std::int64_t replica = i / p.cols, column = i % p.cols;
    double sum = 0;
    for (std::int64_t group = 0; group < p.groups; ++group)
      sum += p.squares[(replica * p.groups + group) * p.cols + column];
    within[i] = sum;
  }
}

}  // namespace

void run(CudaContext& ctx, const Args& args, const Extents& e) {
  ScratchFrame frame(ctx);
  Problem p{};
  p.cells = {device::stored_values(args.data), args.rows.as<std::int64_t>(),
             args.row_factor ? args.row_factor.as<float>() : nullptr, args.transform};
  p.group_of_cell = args.group_of_cell.as<std::int32_t>();
  p.cols = args.data.cols;
  p.replicas = e.replicas;
  p.n = e.n;
  p.groups = e.groups;
  p.row_factor_stride = e.row_factor_stride;
  p.tiles = (p.cols + kTile - 1) / kTile;
  p.mean = args.mean.as<double>();
  p.count = args.count ? args.count.as<std::int64_t>() : nullptr;
  p.squares = args.within ? frame.take<double>(e.replicas * e.groups * p.cols) : nullptr;
  LaunchConfig config;
  config.grid = dim3(blocks_for(e.replicas * e.groups * p.tiles, kWarps));
  config.block = dim3(kBlock);
  config.stream = ctx.stream();
  launch(config, group_means_kernel, p);
  check_launch("group_means::means");
  if (!args.within) return;
  launch(device::elementwise_launch(e.replicas * p.cols, ctx.stream()), join_groups_kernel, p,
         args.within.as<double>());
  check_launch("group_means::join_groups");
}

}  // namespace genexx::group_means::cuda
