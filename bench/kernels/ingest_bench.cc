// SPDX-License-Identifier: Apache-2.0
#include "kernels/ingest.h"

#include <vector>

#include "bench/support/bench.h"
#include "engine/philox.h"

namespace genexx::bench {
namespace {

constexpr std::int64_t kCells = 4096, kColumns = 20000, kStored = 1000, kBatch = 256;

// CSR cells with kStored values each, evenly spread with a random start; cell i also serves as row i of the batch.
ingest::Data stored_cells(Suite& suite) {
  Context& ctx = suite.context();
  std::vector<std::int64_t> begin;
  std::vector<std::int32_t> column;
  std::vector<float> value;
  for (std::int64_t i = 0; i <= kCells; ++i) begin.push_back(i * kStored);
  for (std::int64_t i = 0; i < kCells * kStored; ++i) {
    const PhiloxCounter word = philox(philox_key(1, 1), {static_cast<std::uint32_t>(i), 0, 0, 0});
    column.push_back(static_cast<std::int32_t>(i % kStored * (kColumns / kStored) + word.x % (kColumns / kStored)));
    value.push_back(static_cast<float>(1 + word.y % 20));
  }
  const Tensor row_begin = suite.raw({kCells + 1}, DType::i64);
  const Tensor columns = suite.raw({kCells * kStored}, DType::i32), values = suite.raw({kCells * kStored}, DType::f32);
  ctx.copy_to_device(row_begin.data, begin.data(), (kCells + 1) * 8);
  ctx.copy_to_device(columns.data, column.data(), kCells * kStored * 4);
  ctx.copy_to_device(values.data, value.data(), kCells * kStored * 4);
  return {.row_begin = row_begin, .column = columns, .value = values, .cols = kColumns};
}

}  // namespace

void add_ingest(Suite& suite) {
  Context& ctx = suite.context();
  ingest::Args args;
  args.data = stored_cells(suite);
  std::vector<std::int64_t> cells;
  for (std::int64_t i = 0; i < kBatch; ++i) cells.push_back(i * 1597 % kCells);
  const Tensor rows = suite.raw({1, kBatch}, DType::i64);
  ctx.copy_to_device(rows.data, cells.data(), kBatch * 8);
  args.rows = rows;
  const std::vector<float> factors(kCells, 1.25f);
  const Tensor row_factor = suite.raw({1, kCells}, DType::f32);
  ctx.copy_to_device(row_factor.data, factors.data(), kCells * 4);
  args.row_factor = row_factor;
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
      const double bytes = 8.0 * kBatch * kStored + 4.0 * static_cast<double>(kBatch * genes + 2 * genes) + 4.0 * kColumns;
      suite.add({"ingest",
                 "256 rows of 1000 stored, " + std::to_string(genes) + " of 20000 genes" +
                     (transform == ingest::Transform::log1p ? ", log1p" : ""),
                 bytes, 0, [=, &ctx] { ingest::run(ctx, args); }});
    }
  }
}

}  // namespace genexx::bench
