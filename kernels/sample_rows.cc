// SPDX-License-Identifier: Apache-2.0
#include "kernels/sample_rows.h"

#include <limits>
#include <string>

#include "kernels/dispatch.h"

namespace genexx::sample_rows {
namespace {

void check_tables(const Args& a) {
  if (!a.alias_probability && !a.alias_index) return;
  expect_present("alias_probability", a.alias_probability);
  expect_present("alias_index", a.alias_index);
  expect_shape("alias_probability", a.alias_probability, a.cells.shape);
  expect_shape("alias_index", a.alias_index, a.cells.shape);
  expect_dtype("alias_probability", a.alias_probability, DType::f32);
  expect_dtype("alias_index", a.alias_index, DType::i32);
  if (a.cells.shape[1] > std::numeric_limits<std::int32_t>::max())
    throw ShapeError(
        "cells is " + to_string(a.cells.shape) + ", expected at most 2147483647 a replica to draw by weight",
        CodeLocation::here());
}

void check_labels(const Args& a) {
  if (!a.labels && !a.labels_out) return;
  expect_present("labels", a.labels);
  expect_present("labels_out", a.labels_out);
  expect_shape("labels_out", a.labels_out, a.rows.shape);
  expect_dtype("labels", a.labels, DType::i32);
  expect_dtype("labels_out", a.labels_out, DType::i32);
  if (a.labels.shape.rank() != 1 && (a.labels.shape.rank() != 2 || a.labels.shape[0] != a.rows.shape[0]))
    throw ShapeError("labels is " + to_string(a.labels.shape) + ", expected [cells] or [" +
                         std::to_string(a.rows.shape[0]) + ", cells]",
                     CodeLocation::here());
}

Extents checked(const Args& a) {
  expect_present("rows", a.rows);
  expect_present("seed", a.seed);
  expect_present("step", a.step);
  expect_present("cells", a.cells);
  expect_present("count", a.count);
  if (a.rows.shape.rank() != 2)
    throw ShapeError("rows is " + to_string(a.rows.shape) + ", expected [r, n]", CodeLocation::here());
  if (a.cells.shape.rank() != 2)
    throw ShapeError("cells is " + to_string(a.cells.shape) + ", expected [r or 1, N]", CodeLocation::here());
  const std::int64_t r = a.rows.shape[0];
  const std::int64_t shared = a.cells.shape[0] == 1 ? 1 : r;
  expect_shape("cells", a.cells, Shape{shared, a.cells.shape[1]});
  expect_shape("count", a.count, Shape{shared});
  expect_shape("seed", a.seed, Shape{r});
  expect_shape("step", a.step, Shape{r});
  expect_dtype("rows", a.rows, DType::i64);
  expect_dtype("seed", a.seed, DType::i64);
  expect_dtype("step", a.step, DType::i64);
  expect_dtype("cells", a.cells, DType::i64);
  expect_dtype("count", a.count, DType::i64);
  check_tables(a);
  check_labels(a);
  if (a.steps_per_epoch < 1)
    throw ShapeError("steps_per_epoch is " + std::to_string(a.steps_per_epoch) + ", expected 1 or more",
                     CodeLocation::here());
  return {.replicas = r,
          .n = a.rows.shape[1],
          .batch = a.batch == 0 ? a.rows.shape[1] : a.batch,
          .cells_stride = shared == 1 ? 0 : a.cells.shape[1],
          .count_stride = shared == 1 ? 0 : 1,
          .labels_stride = a.labels && a.labels.shape.rank() == 2 ? a.labels.shape[1] : 0};
}

}  // namespace

void run(Context& ctx, const Args& args) {
  const Extents e = checked(args);
  if (e.replicas == 0 || e.n == 0) return;
  on_device(
      ctx, [&](CpuContext& c) { cpu::run(c, args, e); }, [&](auto& c) { cuda::run(c, args, e); });
}

}  // namespace genexx::sample_rows
