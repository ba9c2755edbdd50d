// SPDX-License-Identifier: Apache-2.0
#include "kernels/correlation.h"

#include <algorithm>

#include "kernels/dispatch.h"
#include "kernels/gemm.h"
#include "kernels/ingest.h"

namespace genexx::correlation {
namespace {

constexpr std::int64_t kBlockElements = std::int64_t{1} << 21;  // of standardised data at a time
constexpr std::int64_t kFewestRows = 64;

struct Extents {
  std::int64_t replicas, n, cells, ga, gb;
  std::int64_t block_rows;
};

void check_side(const char* name, const Side& side, const Args& a, std::int64_t replicas, std::int64_t genes) {
  const std::string prefix = std::string(name) + ".";
  expect_present((prefix + "gene_of_column").c_str(), side.gene_of_column);
  expect_dtype((prefix + "gene_of_column").c_str(), side.gene_of_column, DType::i32);
  expect_shape((prefix + "gene_of_column").c_str(), side.gene_of_column, Shape{a.data.cols});
  expect_present((prefix + "mean").c_str(), side.mean);
  expect_present((prefix + "rnorm").c_str(), side.rnorm);
  checked_stride((prefix + "mean").c_str(), side.mean, replicas, genes);
  checked_stride((prefix + "rnorm").c_str(), side.rnorm, replicas, genes);
  expect_dtype((prefix + "mean").c_str(), side.mean, a.out.dtype);
  expect_dtype((prefix + "rnorm").c_str(), side.rnorm, a.out.dtype);
}

Extents checked(const Args& a) {
  Extents e{};
  e.cells = checked_cells(a.data);
  expect_present("out", a.out);
  if (a.out.shape.rank() != 3)
    throw ShapeError("out is " + to_string(a.out.shape) + ", expected [r, ga, gb]", CodeLocation::here());
  e.replicas = a.out.shape[0];
  e.ga = a.out.shape[1];
  e.gb = a.out.shape[2];
  expect_present("rows", a.rows);
  expect_dtype("rows", a.rows, DType::i64);
  e.n = a.rows.shape.rank() == 2 ? a.rows.shape[1] : -1;
  checked_stride("rows", a.rows, e.replicas, e.n);
  checked_stride("row_factor", a.row_factor, e.replicas, e.cells);
  if (a.row_factor) expect_dtype("row_factor", a.row_factor, DType::f32);
  if (e.ga > 0) check_side("a", a.a, a, e.replicas, e.ga);
  if (e.gb > 0) check_side("b", a.b, a, e.replicas, e.gb);
  e.block_rows =
      std::clamp(kBlockElements / std::max<std::int64_t>(e.ga + e.gb, 1), kFewestRows, std::max(e.n, kFewestRows));
  return e;
}

// Row `replica` of a [r or 1, last] tensor from element `begin` on, as [1, length].
ConstTensor part(const ConstTensor& t, std::int64_t replica, std::int64_t begin, std::int64_t length) {
  if (!t) return {};
  const std::int64_t row = t.shape[0] == 1 ? 0 : replica;
  const char* data = static_cast<const char*>(t.data) + (row * t.shape[1] + begin) * size_of(t.dtype);
  return {data, t.dtype, Shape{1, length}};
}

// Standardised values of rows [begin, begin + length) of a replica for the genes of one side, [1, length, g].
void standardise(Context& ctx, const Args& args, const Side& side, std::int64_t replica, std::int64_t begin,
                 const Tensor& out) {
  const std::int64_t genes = out.shape[2];
  ingest::run(
      ctx, {.data = args.data,
            .rows = part(args.rows, replica, begin, out.shape[1]),
            .gene_of_column = side.gene_of_column,
            .row_factor = args.row_factor ? part(args.row_factor, replica, 0, args.row_factor.shape[1]) : ConstTensor{},
            .transform = args.transform,
            .shift = part(side.mean, replica, 0, genes),
            .factor = part(side.rnorm, replica, 0, genes),
            .out = out});
}

void correlate(Context& ctx, const Args& args, const Extents& e, std::int64_t replica) {
  ScratchFrame frame(ctx);
  const std::int64_t width = size_of(args.out.dtype);
  void* const u = frame.take_bytes(e.block_rows * e.ga * width);
  void* const v = frame.take_bytes(e.block_rows * e.gb * width);
  const Tensor out = {static_cast<char*>(args.out.data) + replica * e.ga * e.gb * width, args.out.dtype,
                      Shape{1, e.ga, e.gb}};
  if (e.n == 0) ctx.fill_bytes(out.data, 0, e.ga * e.gb * width);
  for (std::int64_t begin = 0; begin < e.n; begin += e.block_rows) {
    const std::int64_t length = std::min(e.block_rows, e.n - begin);
    const Tensor left = {u, args.out.dtype, Shape{1, length, e.ga}},
                 right = {v, args.out.dtype, Shape{1, length, e.gb}};
    standardise(ctx, args, args.a, replica, begin, left);
    standardise(ctx, args, args.b, replica, begin, right);
    gemm::run(ctx, {.a = left,
                    .b = right,
                    .c = out,
                    .transpose_a = gemm::Transpose::yes,
                    .mode = begin == 0 ? WriteMode::overwrite : WriteMode::accumulate});
  }
}

}  // namespace

void run(Context& ctx, const Args& args) {
  const Extents e = checked(args);
  if (e.replicas == 0 || e.ga == 0 || e.gb == 0) return;
  for (std::int64_t replica = 0; replica < e.replicas; ++replica) correlate(ctx, args, e, replica);
  on_device(
      ctx, [&](CpuContext& c) { cpu::limit(c, args.out); }, [&](auto& c) { cuda::limit(c, args.out); });
}

}  // namespace genexx::correlation
