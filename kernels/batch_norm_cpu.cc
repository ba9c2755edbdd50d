// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "kernels/batch_norm.h"
#include "kernels/dispatch.h"
#include "kernels/finish_cpu.h"
#include "kernels/simd/simd.h"

namespace genexx::batch_norm::cpu {
namespace {

constexpr std::int64_t kColumns = 64;  // of one task: their sums stay in registers and the first-level cache

// Columns [first, first + count) of replica k of x [r, n, c].
struct Tile {
  std::int64_t k, first, count, n, c;
  std::int64_t row(std::int64_t i) const { return (k * n + i) * c + first; }  // element of the first column
  std::int64_t column() const { return k * c + first; }
};

// Calls body(tile) for every tile of every replica.
template <class Body>
void each_tile(CpuContext& ctx, const Shape& shape, Body&& body) {
  const std::int64_t r = shape[0], n = shape[1], c = shape[2], parts = (c + kColumns - 1) / kColumns;
  ctx.parallel(r * parts, [&](std::int64_t task) {
    const std::int64_t first = task % parts * kColumns;
    body(Tile{task / parts, first, std::min(kColumns, c - first), n, c});
  });
}

// sum[j] = term(element, j) added over the rows in ascending order, for the columns j of the tile.
template <class Term>
void sum_rows(const Tile& tile, double (&sum)[kColumns], Term&& term) {
  std::fill(sum, sum + kColumns, 0.0);
  for (std::int64_t i = 0; i < tile.n; ++i) {
    const std::int64_t row = tile.row(i);
    for (std::int64_t j = 0; j < tile.count; ++j) sum[j] += term(row + j, j);
  }
}

// Mean and reciprocal deviation of the batch into a.mean and a.rstd; moves the running statistics.
template <class T>
void batch_statistics(const ForwardArgs& a, const Tile& tile) {
  const T* x = a.x.as<T>();
  const auto n = static_cast<double>(tile.n);
  double mean[kColumns], squares[kColumns];
  sum_rows(tile, mean, [&](std::int64_t i, std::int64_t) { return static_cast<double>(x[i]); });
  for (double& m : mean) m /= n;
  sum_rows(tile, squares, [&](std::int64_t i, std::int64_t j) {
    const double centred = static_cast<double>(x[i]) - mean[j];
    return centred * centred;
  });
  T* running_mean = a.running_mean.as<T>() + tile.column();
  T* running_var = a.running_var.as<T>() + tile.column();
  for (std::int64_t j = 0; j < tile.count; ++j) {
    a.mean.as<T>()[tile.column() + j] = static_cast<T>(mean[j]);
    a.rstd.as<T>()[tile.column() + j] = static_cast<T>(1 / std::sqrt(squares[j] / n + a.eps));
    running_mean[j] = static_cast<T>((1 - a.momentum) * static_cast<double>(running_mean[j]) + a.momentum * mean[j]);
    running_var[j] =
        static_cast<T>((1 - a.momentum) * static_cast<double>(running_var[j]) + a.momentum * squares[j] / (n - 1));
  }
}

template <class T>
void running_statistics(const ForwardArgs& a, const Tile& tile) {
  for (std::int64_t j = tile.column(); j < tile.column() + tile.count; ++j) {
    a.mean.as<T>()[j] = a.running_mean.as<T>()[j];
    a.rstd.as<T>()[j] = static_cast<T>(1 / std::sqrt(static_cast<double>(a.running_var.as<T>()[j]) + a.eps));
  }
}

template <class T>
void normalise(const ForwardArgs& a, const simd::Table<T>& table, const Tile& tile) {
  const activation_dropout::CpuFinish<T> finish(table, a.finish, tile.k);
  const T* mean = a.mean.as<T>() + tile.column();
  const T* beta = a.beta.as<T>() + tile.column();
  T factor[kColumns];
  for (std::int64_t j = 0; j < tile.count; ++j)
    factor[j] = a.gamma.as<T>()[tile.column() + j] * a.rstd.as<T>()[tile.column() + j];
  for (std::int64_t i = 0; i < tile.n; ++i) {
    const T* x = a.x.as<T>() + tile.row(i);
    T* y = a.y.as<T>() + tile.row(i);
    for (std::int64_t j = 0; j < tile.count; ++j) y[j] = (x[j] - mean[j]) * factor[j] + beta[j];
    finish.activate(tile.count, y, y);
    finish.drop(i, tile.first, tile.count, y);
  }
}

template <class T>
void add_or_assign(WriteMode mode, T& target, T value) {
  target = mode == WriteMode::accumulate ? target + value : value;
}

// The gradients of one tile's rows before f: what dy is after its way back through it.
template <class T>
class RowGradients {
 public:
  RowGradients(const BackwardArgs& a, const simd::Table<T>& table, const Tile& tile)
      : a_(a),
        tile_(tile),
        finish_(table, a.finish, tile.k),
        plain_(!a.finish.activation && !a.finish.rate && a.dx.data != a.dy.data) {}

  // Of row i; valid until the next call, whatever is written to dx.
  const T* operator()(std::int64_t i) {
    const T* dy = a_.dy.as<T>() + tile_.row(i);
    if (plain_) return dy;
    finish_.backward(finish_.stretch(i, tile_.first, tile_.count), a_.y ? a_.y.as<T>() + tile_.row(i) : dy, dy, row_);
    return row_;
  }

 private:
  const BackwardArgs& a_;
  const Tile& tile_;
  activation_dropout::CpuFinish<T> finish_;
  bool plain_;
  T row_[kColumns];
};

constexpr std::int64_t kBiasRows = 64;  // added one after another; then these sums are added, as linear does

// Columns of what is written to dx, in the order in which linear sums a bias gradient.
template <class T>
class BiasSums {
 public:
  void add(std::int64_t i, std::int64_t count, const T* dx) {
    for (std::int64_t j = 0; j < count; ++j) block_[j] += dx[j];
    if (i % kBiasRows == kBiasRows - 1) close();
  }
  // [kColumns]
  const T* total() {
    close();
    return total_;
  }

 private:
  void close() {
    for (std::int64_t j = 0; j < kColumns; ++j) {
      total_[j] += block_[j];
      block_[j] = 0;
    }
  }
  T block_[kColumns] = {}, total_[kColumns] = {};
};

// dx = factor (g - shift - (x - mean) slope), with the shift and slope of running statistics 0.
template <class T>
void input_gradient(const BackwardArgs& a, const Tile& tile, RowGradients<T>& gradients,
                    const double (&dbeta)[kColumns], const double (&dgamma)[kColumns]) {
  const T* mean = a.mean.as<T>() + tile.column();
  const double share = a.statistics == Statistics::batch ? 1 / static_cast<double>(tile.n) : 0;
  T factor[kColumns], shift[kColumns], slope[kColumns], fresh[kColumns];
  for (std::int64_t j = 0; j < tile.count; ++j) {
    const auto rstd = static_cast<double>(a.rstd.as<T>()[tile.column() + j]);
    factor[j] = static_cast<T>(static_cast<double>(a.gamma.as<T>()[tile.column() + j]) * rstd);
    shift[j] = static_cast<T>(share * dbeta[j]);
    slope[j] = static_cast<T>(share * dgamma[j] * rstd);
  }
  BiasSums<T> sums;
  for (std::int64_t i = 0; i < tile.n; ++i) {
    const T* g = gradients(i);
    const T* x = a.x.as<T>() + tile.row(i);
    T* dx = a.dx.as<T>() + tile.row(i);
    for (std::int64_t j = 0; j < tile.count; ++j)
      fresh[j] = factor[j] * (g[j] - shift[j] - (x[j] - mean[j]) * slope[j]);
    if (a.dbias) sums.add(i, tile.count, fresh);
    for (std::int64_t j = 0; j < tile.count; ++j) add_or_assign(a.mode, dx[j], fresh[j]);
  }
  if (!a.dbias) return;
  const T* total = sums.total();
  for (std::int64_t j = 0; j < tile.count; ++j) add_or_assign(a.mode, a.dbias.as<T>()[tile.column() + j], total[j]);
}

template <class T>
void backward_tile(const BackwardArgs& a, const simd::Table<T>& table, const Tile& tile) {
  const T* mean = a.mean.as<T>() + tile.column();
  RowGradients<T> gradients(a, table, tile);
  double dbeta[kColumns] = {}, dgamma[kColumns] = {};
  for (std::int64_t i = 0; i < tile.n; ++i) {
    const T* g = gradients(i);
    const T* x = a.x.as<T>() + tile.row(i);
    for (std::int64_t j = 0; j < tile.count; ++j) dbeta[j] += static_cast<double>(g[j]);
    for (std::int64_t j = 0; j < tile.count; ++j)
      dgamma[j] += static_cast<double>(g[j]) * (static_cast<double>(x[j]) - static_cast<double>(mean[j]));
  }
  for (std::int64_t j = 0; j < tile.count; ++j) {
    dgamma[j] *= static_cast<double>(a.rstd.as<T>()[tile.column() + j]);
    add_or_assign(a.mode, a.dgamma.as<T>()[tile.column() + j], static_cast<T>(dgamma[j]));
    add_or_assign(a.mode, a.dbeta.as<T>()[tile.column() + j], static_cast<T>(dbeta[j]));
  }
  if (a.dx) input_gradient<T>(a, tile, gradients, dbeta, dgamma);
}

}  // namespace

void forward(CpuContext& ctx, const ForwardArgs& args) {
  on_float(args.x.dtype, [&](auto zero) {
    using T = decltype(zero);
    const simd::Table<T>& table = simd::table<T>(ctx.isa());
    each_tile(ctx, args.x.shape, [&](const Tile& tile) {
      args.statistics == Statistics::batch ? batch_statistics<T>(args, tile) : running_statistics<T>(args, tile);
      normalise<T>(args, table, tile);
    });
  });
}

void backward(CpuContext& ctx, const BackwardArgs& args) {
  on_float(args.x.dtype, [&](auto zero) {
    using T = decltype(zero);
    const simd::Table<T>& table = simd::table<T>(ctx.isa());
    each_tile(ctx, args.x.shape, [&](const Tile& tile) { backward_tile<T>(args, table, tile); });
  });
}

}  // namespace genexx::batch_norm::cpu
