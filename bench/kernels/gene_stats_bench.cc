// SPDX-License-Identifier: Apache-2.0
#include "kernels/gene_stats.h"

#include "bench/support/stored_cells.h"

namespace genexx::bench {

void add_gene_stats(Suite& suite) {
  constexpr std::int64_t kCells = 4096, kColumns = 20000, kStored = 1000;
  Context& ctx = suite.context();
  gene_stats::Args args;
  args.data = stored_cells(suite, kCells, kColumns, kStored);
  args.rows = all_rows(suite, kCells);
  args.row_factor = row_factors(suite, kCells);
  args.mean = suite.raw({1, kColumns}, DType::f64);
  args.variance = suite.raw({1, kColumns}, DType::f64);
  for (const ValueTransform transform : {ValueTransform::none, ValueTransform::log1p}) {
    args.transform = transform;
    suite.add({"gene_stats",
               std::string("4096 cells of 1000 stored, 20000 genes, mean and variance") +
                   (transform == ValueTransform::log1p ? ", log1p" : ""),
               2 * 8.0 * kCells * kStored + 16.0 * kColumns, 0, [=, &ctx] { gene_stats::run(ctx, args); }});
  }
}

}  // namespace genexx::bench
