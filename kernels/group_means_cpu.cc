// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "kernels/group_means.h"
#include "kernels/stored_row.h"

namespace genexx::group_means::cpu {
namespace {

// A task owns the columns of one tile in one group and goes over all rows alone, in their order.
constexpr std::int64_t kTile = 512;

struct Item {
  std::int64_t replica, group, first, last;
};

// Writes the means and the count of the item; `squares` receives its share of `within` where that is wanted.
void run_item(const Args& a, const Extents& e, const Item& item, double* squares) {
  const std::int32_t* group_of_cell = a.group_of_cell.as<std::int32_t>();
  const SelectedCells cells = {a.data, a.rows.as<std::int64_t>() + item.replica * e.n, e.n,
                               a.row_factor ? a.row_factor.as<float>() + item.replica * e.row_factor_stride : nullptr,
                               a.transform};
  const auto in_group = [&](std::int64_t cell) { return group_of_cell[cell] == item.group; };
  const std::int64_t width = item.last - item.first;
  double* mean = a.mean.as<double>() + (item.replica * e.groups + item.group) * a.data.cols + item.first;
  std::int64_t stored[kTile];
  std::fill_n(mean, width, 0.0);
  std::fill_n(stored, width, 0);
  const std::int64_t count = for_each_stored(cells, item.first, item.last, in_group, [&](std::int64_t j, double x) {
    mean[j] += x;
    stored[j] += 1;
  });
  if (a.count && item.first == 0) a.count.as<std::int64_t>()[item.replica * e.groups + item.group] = count;
  if (count > 0)
    for (std::int64_t j = 0; j < width; ++j) mean[j] /= static_cast<double>(count);
  if (!squares) return;
  for (std::int64_t j = 0; j < width; ++j) squares[j] = static_cast<double>(count - stored[j]) * mean[j] * mean[j];
  for_each_stored(cells, item.first, item.last, in_group,
                  [&](std::int64_t j, double x) { squares[j] += (x - mean[j]) * (x - mean[j]); });
}

// within = the groups' squares, groups ascending.
void join_groups(CpuContext& ctx, const Args& a, const Extents& e, const double* squares) {
  const std::int64_t cols = a.data.cols;
  ctx.parallel(e.replicas, [&](std::int64_t replica) {
    double* within = a.within.as<double>() + replica * cols;
    std::fill_n(within, cols, 0.0);
    for (std::int64_t group = 0; group < e.groups; ++group)
      for (std::int64_t j = 0; j < cols; ++j) within[j] += squares[(replica * e.groups + group) * cols + j];
  });
}

}  // namespace

void run(CpuContext& ctx, const Args& args, const Extents& e) {
  const std::int64_t cols = args.data.cols, tiles = (cols + kTile - 1) / kTile;
  ScratchFrame frame(ctx);
  double* squares = args.within ? frame.take<double>(e.replicas * e.groups * cols) : nullptr;
  ctx.parallel(e.replicas * e.groups * tiles, [&](std::int64_t task) {
    const std::int64_t first = task % tiles * kTile;
    const Item item = {task / tiles / e.groups, task / tiles % e.groups, first, std::min(cols, first + kTile)};
    run_item(args, e, item, squares ? squares + task / tiles * cols + first : nullptr);
  });
  if (squares) join_groups(ctx, args, e, squares);
}

}  // namespace genexx::group_means::cpu
