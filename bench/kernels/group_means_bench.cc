// SPDX-License-Identifier: Apache-2.0
#include "kernels/group_means.h"

#include "bench/support/stored_cells.h"

namespace genexx::bench {

void add_group_means(Suite& suite) {
  constexpr std::int64_t kCells = 4096, kColumns = 20000, kStored = 1000, kGroups = 20;
  Context& ctx = suite.context();
  group_means::Args args;
  args.data = stored_cells(suite, kCells, kColumns, kStored);
  args.rows = all_rows(suite, kCells);
  args.row_factor = row_factors(suite, kCells);
  args.transform = ValueTransform::log1p;
  args.group_of_cell = suite.labels({kCells}, kGroups);
  args.mean = suite.raw({1, kGroups, kColumns}, DType::f64);
  args.within = suite.raw({1, kColumns}, DType::f64);
  suite.add({"group_means", "4096 cells of 1000 stored, 20000 genes, 20 groups, log1p",
             2 * 8.0 * kCells * kStored + 8.0 * kColumns * (kGroups + 1), 0,
             [=, &ctx] { group_means::run(ctx, args); }});
}

}  // namespace genexx::bench
