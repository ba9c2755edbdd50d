// SPDX-License-Identifier: Apache-2.0
#include "engine/cuda/cuda_context.h"
#include "kernels/device/elementwise.h"
#include "kernels/device/stored_values.h"
#include "kernels/gene_stats.h"

namespace genexx::gene_stats::cuda {
namespace {

// A warp owns kTile columns and a run of rows; its sums live in shared memory, 32 KiB for a block.
constexpr int kWarps = 4;
constexpr int kBlock = kWarps * 32;
constexpr int kTile = 256;
constexpr std::int64_t kRunRows = 256;  // rows of a run, unless that makes more than kMostRuns
constexpr std::int64_t kMostRuns = 32;

// What one run of rows adds up to, [r, runs, cols] each.
struct Partial {
  double* sum;
  double* min;
  double* max;
  int* stored;
  int* nnz;
  std::int64_t* used;  // [r, runs]
};

struct Problem {
  device::SelectedCells cells;  // of replica 0
  std::int64_t cols, replicas, n, row_factor_stride;
  std::int64_t runs, run_rows, tiles;
  int ddof;
};

// What a warp works on.
struct Item {
  std::int64_t replica, run, first, last;  // columns [first, last)
  bool exists;
};

__device__ inline Item item_of(const Problem& p) {
  const std::int64_t index = std::int64_t(blockIdx.x) * kWarps + threadIdx.x / 32;
  const std::int64_t first = index % p.tiles * kTile;
  const std::int64_t last = first + kTile < p.cols ? first + kTile : p.cols;
  return {index / p.tiles / p.runs, index / p.tiles % p.runs, first, last, index < p.replicas * p.runs * p.tiles};
}

// The entries of an item, as device::for_each_stored; all lanes of the warp must arrive.
template <class Body>
__device__ inline std::int64_t for_each_entry(const Problem& p, const Item& item, Body body) {
  device::SelectedCells cells = p.cells;
  cells.rows += item.replica * p.n;
  if (cells.row_factor != nullptr) cells.row_factor += item.replica * p.row_factor_stride;
  const std::int64_t begin = item.run * p.run_rows;
  const std::int64_t end = begin + p.run_rows < p.n ? begin + p.run_rows : p.n;
  return device::for_each_stored(
      cells, begin, end, item.first, item.last, [](std::int64_t) { return true; }, body);
}

// Reads each entry once; writes one partial for each (replica, run, column).
__global__ void moments_kernel(Problem p, Partial out) {
  GENEXX_SHARED(double, sum, [kWarps][kTile]);
  GENEXX_SHARED(double, low, [kWarps][kTile]);
  GENEXX_SHARED(double, high, [kWarps][kTile]);
  GENEXX_SHARED(int, stored, [kWarps][kTile]);
  GENEXX_SHARED(int, nonzero, [kWarps][kTile]);
  const Item item = item_of(p);
  if (!item.exists) return;
  const int warp = threadIdx.x / 32, lane = threadIdx.x % 32;
  for (int j = lane; j < kTile; j += 32) {
    sum[warp][j] = 0;
    stored[warp][j] = 0;
    nonzero[warp][j] = 0;
  }
  __syncwarp();
  const std::int64_t used = for_each_entry(p, item, [&](int j, double x) {
    const bool first = stored[warp][j] == 0;
    low[warp][j] = first || x < low[warp][j] ? x : low[warp][j];
    high[warp][j] = first || x > high[warp][j] ? x : high[warp][j];
    sum[warp][j] += x;
    stored[warp][j] += 1;
    nonzero[warp][j] += x != 0;
  });
  const std::int64_t run = item.replica * p.runs + item.run;
  for (int j = lane; j < item.last - item.first; j += 32) {
    const std::int64_t place = run * p.cols + item.first + j;
    const bool any = stored[warp][j] != 0;
    out.sum[place] = sum[warp][j];
    out.min[place] = any ? low[warp][j] : 0.0;
    out.max[place] = any ? high[warp][j] : 0.0;
    out.stored[place] = stored[warp][j];
    out.nnz[place] = nonzero[warp][j];
  }
  if (lane == 0 && item.first == 0) out.used[run] = used;
}

// Outputs of a call; null where not wanted. `mean` is always there.
struct Outputs {
  double* sum;
  double* mean;
  double* variance;
  double* min;
  double* max;
  std::int64_t* nnz;
};

// Each thread owns one (replica, column) and joins its runs in ascending order.
__global__ void join_moments_kernel(Problem p, Partial partial, Outputs out) {
  for (std::int64_t i = device::first_index(); i < p.replicas * p.cols; i += device::index_stride()) {
    const std::int64_t replica = i / p.cols, column = i % p.cols;
    double sum = 0, low = 0, high = 0;
    std::int64_t used = 0, stored = 0, nonzero = 0;
    for (std::int64_t run = replica * p.runs; run < (replica + 1) * p.runs; ++run) {
      const std::int64_t place = run * p.cols + column;
      used += partial.used[run];
      if (partial.stored[place] == 0) continue;
      low = stored == 0 || partial.min[place] < low ? partial.min[place] : low;
      high = stored == 0 || partial.max[place] > high ? partial.max[place] : high;
      sum += partial.sum[place];
      stored += partial.stored[place];
      nonzero += partial.nnz[place];
    }
    if (stored < used && low > 0) low = 0;
    if (stored < used && high < 0) high = 0;
    out.mean[i] = used > 0 ? sum / double(used) : 0.0;
    if (out.sum != nullptr) out.sum[i] = sum;
    if (out.min != nullptr) out.min[i] = low;
    if (out.max != nullptr) out.max[i] = high;
    if (out.nnz != nullptr) out.nnz[i] = nonzero;
  }
}

// Reads each entry once more; partial.sum becomes the sum of squared distances from the mean.
__global__ void squares_kernel(Problem p, const double* mean, Partial out) {
  GENEXX_SHARED(double, squares, [kWarps][kTile]);
  GENEXX_SHARED(double, center, [kWarps][kTile]);
  const Item item = item_of(p);
  if (!item.exists) return;
  const int warp = threadIdx.x / 32, lane = threadIdx.x % 32;
  for (int j = lane; j < item.last - item.first; j += 32) {
    squares[warp][j] = 0;
    center[warp][j] = mean[item.replica * p.cols + item.first + j];
  }
  __syncwarp();
  for_each_entry(p, item, [&](int j, double x) {
    const double d = x - center[warp][j];
    squares[warp][j] += d * d;
  });
  for (int j = lane; j < item.last - item.first; j += 32)
    out.sum[(item.replica * p.runs + item.run) * p.cols + item.first + j] = squares[warp][j];
}

__global__ void join_squares_kernel(Problem p, Partial partial, Outputs out) {
  for (std::int64_t i = device::first_index(); i < p.replicas * p.cols; i += device::index_stride()) {
    const std::int64_t replica = i / p.cols, column = i % p.cols;
    double squares = 0;
    std::int64_t used = 0, stored = 0;
    for (std::int64_t run = replica * p.runs; run < (replica + 1) * p.runs; ++run) {
      squares += partial.sum[run * p.cols + column];
      stored += partial.stored[run * p.cols + column];
      used += partial.used[run];
    }
    squares += double(used - stored) * out.mean[i] * out.mean[i];
    out.variance[i] = used > p.ddof ? squares / double(used - p.ddof) : 0.0;
  }
}

template <class T>
T* pointer(const Tensor& t) {
  return t ? t.as<T>() : nullptr;
}

Problem problem_of(const Args& a, const Extents& e) {
  Problem p{};
  p.cells = {device::stored_values(a.data), a.rows.as<std::int64_t>(),
             a.row_factor ? a.row_factor.as<float>() : nullptr, a.transform};
  p.cols = a.data.cols;
  p.replicas = e.replicas;
  p.n = e.n;
  p.row_factor_stride = e.row_factor_stride;
  const std::int64_t longer = (e.n + kMostRuns - 1) / kMostRuns;
  p.run_rows = longer > kRunRows ? longer : kRunRows;
  p.runs = e.n > 0 ? (e.n + p.run_rows - 1) / p.run_rows : 1;
  p.tiles = (a.data.cols + kTile - 1) / kTile;
  p.ddof = a.ddof;
  return p;
}

}  // namespace

void run(CudaContext& ctx, const Args& args, const Extents& e) {
  const Problem p = problem_of(args, e);
  const std::int64_t places = e.replicas * p.runs * args.data.cols;
  ScratchFrame frame(ctx);
  Partial partial{};
  partial.sum = frame.take<double>(places);
  partial.min = frame.take<double>(places);
  partial.max = frame.take<double>(places);
  partial.stored = frame.take<int>(places);
  partial.nnz = frame.take<int>(places);
  partial.used = frame.take<std::int64_t>(e.replicas * p.runs);
  Outputs out = {pointer<double>(args.sum), pointer<double>(args.mean), pointer<double>(args.variance),
                 pointer<double>(args.min), pointer<double>(args.max),  pointer<std::int64_t>(args.nnz)};
  if (out.mean == nullptr) out.mean = frame.take<double>(e.replicas * args.data.cols);

  LaunchConfig config;
  config.grid = dim3(blocks_for(e.replicas * p.runs * p.tiles, kWarps));
  config.block = dim3(kBlock);
  config.stream = ctx.stream();
  const LaunchConfig columns = device::elementwise_launch(e.replicas * args.data.cols, ctx.stream());
  launch(config, moments_kernel, p, partial);
  check_launch("gene_stats::moments");
  launch(columns, join_moments_kernel, p, partial, out);
  check_launch("gene_stats::join_moments");
  if (out.variance == nullptr) return;
  launch(config, squares_kernel, p, static_cast<const double*>(out.mean), partial);
  check_launch("gene_stats::squares");
  launch(columns, join_squares_kernel, p, partial, out);
  check_launch("gene_stats::join_squares");
}

}  // namespace genexx::gene_stats::cuda
