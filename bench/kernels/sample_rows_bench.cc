// SPDX-License-Identifier: Apache-2.0
#include "kernels/sample_rows.h"

#include <vector>

#include "bench/support/bench.h"

namespace genexx::bench {
namespace {

constexpr std::int64_t kCells = 54944, kBatch = 256;  // the training cells of Zheng 68K

template <class T>
Tensor upload(Suite& suite, const Shape& shape, DType dtype, const std::vector<T>& values) {
  const Tensor t = suite.raw(shape, dtype);
  suite.context().copy_to_device(t.data, values.data(), shape.elements() * size_of(dtype));
  return t;
}

}  // namespace

void add_sample_rows(Suite& suite) {
  Context& ctx = suite.context();
  std::vector<std::int64_t> cells;
  for (std::int64_t i = 0; i < kCells; ++i) cells.push_back(i * 7919 % kCells);
  std::vector<std::int32_t> alias;
  for (const std::int64_t cell : cells) alias.push_back(static_cast<std::int32_t>(cell));
  for (const std::int64_t r : {1, 10}) {
    sample_rows::Args shuffle;
    std::vector<std::int64_t> seeds, steps;
    for (std::int64_t k = 0; k < r; ++k) {
      seeds.push_back(k);
      steps.push_back(1000);
    }
    shuffle.seed = upload(suite, {r}, DType::i64, seeds);
    shuffle.step = upload(suite, {r}, DType::i64, steps);
    shuffle.steps_per_epoch = (kCells + kBatch - 1) / kBatch;
    shuffle.cells = upload(suite, {1, kCells}, DType::i64, cells);
    shuffle.count = upload(suite, {1}, DType::i64, std::vector<std::int64_t>{kCells});
    shuffle.labels = suite.labels({kCells}, 11);
    shuffle.rows = suite.raw({r, kBatch}, DType::i64);
    shuffle.labels_out = suite.raw({r, kBatch}, DType::i32);
    sample_rows::Args weighted = shuffle;
    weighted.alias_probability =
        upload(suite, {1, kCells}, DType::f32, std::vector<float>(static_cast<std::size_t>(kCells), 0.5f));
    weighted.alias_index = upload(suite, {1, kCells}, DType::i32, alias);
    const double places = static_cast<double>(r * kBatch);
    const std::string shape = std::to_string(r) + "x256 of " + std::to_string(kCells);
    suite.add({"sample_rows", "shuffle " + shape, 24 * places, 0, [=, &ctx] { sample_rows::run(ctx, shuffle); }});
    suite.add({"sample_rows", "weighted " + shape, 32 * places, 0, [=, &ctx] { sample_rows::run(ctx, weighted); }});
  }
}

}  // namespace genexx::bench
