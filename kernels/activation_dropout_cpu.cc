// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "kernels/activation_dropout.h"
#include "kernels/dispatch.h"
#include "kernels/finish_cpu.h"

namespace genexx::activation_dropout::cpu {
namespace {

constexpr std::int64_t kRows = 64;        // of one task: what linear adds one after another to a bias gradient
constexpr std::int64_t kColumns = 1024;   // of one task; a multiple of 4
constexpr std::int64_t kGroup = 1 << 12;  // units that stay in the first-level cache between activation and dropout

// Rows [row, row + rows) and columns [column, column + columns) of replica k of [r, n, c].
struct Tile {
  std::int64_t k, row, rows, column, columns, n, c;
  std::int64_t at(std::int64_t i) const { return (k * n + row + i) * c + column; }
};

// Tiles of a call: those of one replica side by side, column parts fastest.
struct Cut {
  std::int64_t r, n, c, row_parts, column_parts;
  explicit Cut(const Shape& shape)
      : r(shape[0]),
        n(shape[1]),
        c(shape[2]),
        row_parts((n + kRows - 1) / kRows),
        column_parts((c + kColumns - 1) / kColumns) {}
  std::int64_t tiles() const { return r * row_parts * column_parts; }
  Tile tile(std::int64_t task) const {
    const std::int64_t k = task / (row_parts * column_parts), part = task % (row_parts * column_parts);
    const std::int64_t row = part / column_parts * kRows, column = part % column_parts * kColumns;
    return {k, row, std::min(kRows, n - row), column, std::min(kColumns, c - column), n, c};
  }
};

template <class T>
void forward_tile(const simd::Table<T>& table, const ForwardArgs& a, const Tile& t) {
  const CpuFinish<T> finish(table, a.finish, t.k);
  // Whole rows lie one behind another and are activated several at once.
  const std::int64_t group = t.columns == t.c ? std::max<std::int64_t>(1, kGroup / t.c) : 1;
  for (std::int64_t i = 0; i < t.rows; i += group) {
    const std::int64_t rows = std::min(group, t.rows - i);
    T* const y = a.y.as<T>() + t.at(i);
    finish.activate(rows * t.columns, a.x.as<T>() + t.at(i), y);
    for (std::int64_t j = 0; j < rows; ++j) finish.drop(t.row + i + j, t.column, t.columns, y + j * t.c);
  }
}

template <class T>
void forward_typed(CpuContext& ctx, const ForwardArgs& a) {
  const simd::Table<T>& table = simd::table<T>(ctx.isa());
  const Cut cut(a.x.shape);
  ctx.parallel(cut.tiles(), [&](std::int64_t task) { forward_tile(table, a, cut.tile(task)); });
}

// Writes dx of the tile; adds the columns of what it contributes to sum, which is null where nobody asks.
template <class T>
void backward_tile(const simd::Table<T>& table, const BackwardArgs& a, const Tile& t, T* sum) {
  const CpuFinish<T> finish(table, a.finish, t.k);
  T fresh[kColumns];
  if (sum) std::fill(sum, sum + t.columns, T{0});
  for (std::int64_t i = 0; i < t.rows; ++i) {
    T* const dx = a.dx.as<T>() + t.at(i);
    T* const to = a.mode == WriteMode::accumulate ? fresh : dx;
    finish.backward(finish.stretch(t.row + i, t.column, t.columns), a.y.as<T>() + t.at(i), a.dy.as<T>() + t.at(i), to);
    if (sum) table.add_rows(1, t.columns, to, t.columns, sum);
    if (to != dx)
      for (std::int64_t j = 0; j < t.columns; ++j) dx[j] += fresh[j];
  }
}

// dbias (+)= the sums of the row parts, in ascending order.
template <class T>
void add_sums(const BackwardArgs& a, const Cut& cut, const T* sums) {
  for (std::int64_t k = 0; k < cut.r; ++k) {
    T* const dbias = a.dbias.as<T>() + k * cut.c;
    if (a.mode == WriteMode::overwrite) std::fill(dbias, dbias + cut.c, T{0});
    for (std::int64_t part = 0; part < cut.row_parts; ++part) {
      const T* const sum = sums + (k * cut.row_parts + part) * cut.c;
      for (std::int64_t j = 0; j < cut.c; ++j) dbias[j] += sum[j];
    }
  }
}

template <class T>
void backward_typed(CpuContext& ctx, const BackwardArgs& a) {
  const simd::Table<T>& table = simd::table<T>(ctx.isa());
  const Cut cut(a.y.shape);
  ScratchFrame frame(ctx);
  T* const sums = a.dbias ? frame.take<T>(cut.r * cut.row_parts * cut.c) : nullptr;
  ctx.parallel(cut.tiles(), [&](std::int64_t task) {
    const Tile t = cut.tile(task);
    backward_tile(table, a, t, sums ? sums + (t.k * cut.row_parts + t.row / kRows) * t.c + t.column : nullptr);
  });
  if (a.dbias) add_sums(a, cut, sums);
}

}  // namespace

void forward(CpuContext& ctx, const ForwardArgs& args) {
  on_float(args.x.dtype, [&](auto zero) { forward_typed<decltype(zero)>(ctx, args); });
}

void backward(CpuContext& ctx, const BackwardArgs& args) {
  on_float(args.y.dtype, [&](auto zero) { backward_typed<decltype(zero)>(ctx, args); });
}

}  // namespace genexx::activation_dropout::cpu
