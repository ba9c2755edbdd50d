// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "kernels/gene_stats.h"
#include "kernels/stored_row.h"

namespace genexx::gene_stats::cpu {
namespace {

// Columns one task owns: it goes over all rows alone, so that sums run in the order of the rows.
constexpr std::int64_t kTile = 512;

struct Moments {
  double sum[kTile], squares[kTile], min[kTile], max[kTile];
  std::int64_t stored[kTile], nnz[kTile];
};

struct Tile {
  std::int64_t replica, first, last;
};

template <class Body>
std::int64_t for_each_entry(const Args& a, const Extents& e, const Tile& tile, Body&& body) {
  const SelectedCells cells = {a.data, a.rows.as<std::int64_t>() + tile.replica * e.n, e.n,
                               a.row_factor ? a.row_factor.as<float>() + tile.replica * e.row_factor_stride : nullptr,
                               a.transform};
  return for_each_stored(
      cells, tile.first, tile.last, [](std::int64_t) { return true; }, body);
}

template <class T>
void write(const Tensor& out, const Args& a, const Tile& tile, const T* values) {
  if (out) std::copy_n(values, tile.last - tile.first, out.as<T>() + tile.replica * a.data.cols + tile.first);
}

void run_tile(const Args& a, const Extents& e, const Tile& tile) {
  Moments m;
  const std::int64_t width = tile.last - tile.first;
  std::fill_n(m.sum, width, 0.0);
  std::fill_n(m.squares, width, 0.0);
  std::fill_n(m.stored, width, 0);
  std::fill_n(m.nnz, width, 0);
  const std::int64_t used = for_each_entry(a, e, tile, [&](std::int64_t j, double x) {
    m.min[j] = m.stored[j] == 0 || x < m.min[j] ? x : m.min[j];
    m.max[j] = m.stored[j] == 0 || x > m.max[j] ? x : m.max[j];
    m.sum[j] += x;
    m.stored[j] += 1;
    m.nnz[j] += x != 0;
  });
  double mean[kTile];
  for (std::int64_t j = 0; j < width; ++j) {
    mean[j] = used > 0 ? m.sum[j] / static_cast<double>(used) : 0.0;
    if (m.stored[j] == 0) {
      m.min[j] = m.max[j] = 0;
    } else if (m.stored[j] < used) {
      m.min[j] = std::min(m.min[j], 0.0);
      m.max[j] = std::max(m.max[j], 0.0);
    }
  }
  write(a.sum, a, tile, m.sum);
  write(a.mean, a, tile, mean);
  write(a.min, a, tile, m.min);
  write(a.max, a, tile, m.max);
  write(a.nnz, a, tile, m.nnz);
  if (!a.variance) return;
  for_each_entry(a, e, tile, [&](std::int64_t j, double x) { m.squares[j] += (x - mean[j]) * (x - mean[j]); });
  for (std::int64_t j = 0; j < width; ++j) {
    const double zeros = static_cast<double>(used - m.stored[j]);
    m.squares[j] =
        used > a.ddof ? (m.squares[j] + zeros * mean[j] * mean[j]) / static_cast<double>(used - a.ddof) : 0.0;
  }
  write(a.variance, a, tile, m.squares);
}

}  // namespace

void run(CpuContext& ctx, const Args& args, const Extents& e) {
  const std::int64_t tiles = (args.data.cols + kTile - 1) / kTile;
  ctx.parallel(e.replicas * tiles, [&](std::int64_t task) {
    const std::int64_t first = task % tiles * kTile;
    run_tile(args, e, {task / tiles, first, std::min(args.data.cols, first + kTile)});
  });
}

}  // namespace genexx::gene_stats::cpu
