// SPDX-License-Identifier: Apache-2.0
#include "kernels/correlation.h"

#include <vector>

#include "bench/support/stored_cells.h"

namespace genexx::bench {
namespace {

// Every (cols / genes)-th column.
Tensor gene_map(Suite& suite, std::int64_t cols, std::int64_t genes) {
  std::vector<std::int32_t> map(static_cast<std::size_t>(cols), -1);
  for (std::int64_t g = 0; g < genes; ++g)
    map[static_cast<std::size_t>(g * (cols / genes))] = static_cast<std::int32_t>(g);
  const Tensor t = suite.raw({cols}, DType::i32);
  suite.context().copy_to_device(t.data, map.data(), cols * 4);
  return t;
}

}  // namespace

void add_correlation(Suite& suite) {
  constexpr std::int64_t kCells = 4096, kColumns = 20000, kStored = 1000, kGenes = 4000, kMarkers = 400;
  Context& ctx = suite.context();
  correlation::Args args;
  args.data = stored_cells(suite, kCells, kColumns, kStored);
  args.rows = all_rows(suite, kCells);
  args.row_factor = row_factors(suite, kCells);
  args.transform = ValueTransform::log1p;
  args.a = {gene_map(suite, kColumns, kGenes), suite.random({1, kGenes}), suite.random({1, kGenes})};
  args.b = {gene_map(suite, kColumns, kMarkers), suite.random({1, kMarkers}), suite.random({1, kMarkers})};
  args.out = suite.output({1, kGenes, kMarkers});
  suite.add({"correlation", "4096 cells, 4000 genes with 400 markers, f32, log1p",
             2 * 8.0 * kCells * kStored + 4.0 * kGenes * kMarkers, 2.0 * kCells * kGenes * kMarkers,
             [=, &ctx] { correlation::run(ctx, args); }});
}

}  // namespace genexx::bench
