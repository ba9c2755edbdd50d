// SPDX-License-Identifier: Apache-2.0
#include "kernels/ingest.h"

#include <vector>

#include "bench/support/stored_cells.h"

namespace genexx::bench {
namespace {

// `cells` whole rows of `genes` genes, made dense and scaled: what a batch of the fly classifier or of an atlas needs.
void add_rows(Suite& suite, std::int64_t cells, std::int64_t genes, double percent) {
  Context& ctx = suite.context();
  const auto stored = static_cast<std::int64_t>(0.01 * percent * static_cast<double>(genes));
  const ingest::Args args = {.data = stored_cells(suite, cells, genes, stored),
                             .rows = all_rows(suite, cells),
                             .row_factor = row_factors(suite, cells),
                             .transform = ingest::Transform::log1p,
                             .shift = suite.random({1, genes}),
                             .factor = suite.random({1, genes}),
                             .out = suite.output({1, cells, genes})};
  const double bytes = 8.0 * static_cast<double>(cells * stored) + 4.0 * static_cast<double>((cells + 2) * genes);
  suite.add({"ingest",
             std::to_string(cells) + " cells of " + std::to_string(genes) + " genes, " +
                 std::to_string(static_cast<int>(percent)) + "%",
             bytes, 0, [=, &ctx] { ingest::run(ctx, args); }});
}

}  // namespace

void add_ingest(Suite& suite) {
  constexpr std::int64_t kCells = 4096, kColumns = 20000, kStored = 1000, kBatch = 256;
  Context& ctx = suite.context();
  ingest::Args args;
  args.data = stored_cells(suite, kCells, kColumns, kStored);
  std::vector<std::int64_t> cells;
  for (std::int64_t i = 0; i < kBatch; ++i) cells.push_back(i * 1597 % kCells);
  const Tensor rows = suite.raw({1, kBatch}, DType::i64);
  ctx.copy_to_device(rows.data, cells.data(), kBatch * 8);
  args.rows = rows;
  args.row_factor = row_factors(suite, kCells);
  for (const std::int64_t genes : {std::int64_t{2000}, kColumns}) {
    std::vector<std::int32_t> gene_of_column(kColumns, -1);
    for (std::int64_t j = 0; j < genes; ++j)
      gene_of_column[static_cast<std::size_t>(j * (kColumns / genes))] = static_cast<std::int32_t>(j);
    const Tensor map = suite.raw({kColumns}, DType::i32);
    ctx.copy_to_device(map.data, gene_of_column.data(), kColumns * 4);
    args.gene_of_column = map;
    args.shift = suite.random({1, genes});
    args.factor = suite.random({1, genes});
    args.out = suite.output({1, kBatch, genes});
    for (const ingest::Transform transform : {ingest::Transform::none, ingest::Transform::log1p}) {
      args.transform = transform;
      const double bytes =
          8.0 * kBatch * kStored + 4.0 * static_cast<double>(kBatch * genes + 2 * genes) + 4.0 * kColumns;
      suite.add({"ingest",
                 "256 rows of 1000 stored, " + std::to_string(genes) + " of 20000 genes" +
                     (transform == ingest::Transform::log1p ? ", log1p" : ""),
                 bytes, 0, [=, &ctx] { ingest::run(ctx, args); }});
    }
  }
  if (!suite.wide()) return;
  for (const std::int64_t batch : {128, 256, 1024, 4096})
    for (const std::int64_t width : {17000, 36000})
      for (const double percent : {2.0, 5.0, 7.0, 10.0}) add_rows(suite, batch, width, percent);
}

}  // namespace genexx::bench
