// SPDX-License-Identifier: Apache-2.0
#include "models/scannonet/coexpression.h"

#include <cmath>

#include "kernels/correlation.h"
#include "models/device_vector.h"
#include "models/pearson_p_value.h"

namespace genexx::scannonet {
namespace {

// One side's arrays on the device.
struct PlacedSide {
  PlacedSide(Context& ctx, const GeneSide& side, std::int64_t cols)
      : map(ctx, {cols}, gene_map(side, cols)),
        mean(ctx, {1, static_cast<std::int64_t>(side.columns.size())}, side.mean),
        rnorm(ctx, {1, static_cast<std::int64_t>(side.columns.size())}, side.rnorm) {}
  static std::vector<std::int32_t> gene_map(const GeneSide& side, std::int64_t cols) {
    std::vector<std::int32_t> of_column(static_cast<std::size_t>(cols), -1);
    for (std::size_t g = 0; g < side.columns.size(); ++g)
      of_column[static_cast<std::size_t>(side.columns[g])] = static_cast<std::int32_t>(g);
    return of_column;
  }
  correlation::Side side() const { return {map, mean, rnorm}; }

  DeviceVector<std::int32_t> map;
  DeviceVector<double> mean, rnorm;
};

}  // namespace

PValues significant_pairs(Context& ctx, const CoexpressionInput& input, const GeneSide& a, const GeneSide& b) {
  const std::int64_t ga = static_cast<std::int64_t>(a.columns.size()), gb = static_cast<std::int64_t>(b.columns.size());
  if (ga == 0 || gb == 0) return {{}, b.columns.size()};
  const PlacedSide left(ctx, a, input.data.cols), right(ctx, b, input.data.cols);
  const DeviceVector<double> table(ctx, {1, ga, gb});
  correlation::run(ctx, {.data = input.data,
                         .rows = input.rows,
                         .row_factor = input.row_factor,
                         .transform = input.transform,
                         .a = left.side(),
                         .b = right.side(),
                         .out = table});
  std::vector<double> values = table.download();
  // Most pairs are far from the border: only those near or above it are worth an exact p.
  const double surely_not = critical_correlation(input.max_p_value, input.cells) * (1 - 1e-9);
  for (double& v : values) {
    const double p = std::fabs(v) < surely_not ? 1.0 : pearson_p_value(v, input.cells);
    v = p < input.max_p_value ? p : -1.0;
  }
  return {std::move(values), b.columns.size()};
}

}  // namespace genexx::scannonet
