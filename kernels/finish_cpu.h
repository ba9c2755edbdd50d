// SPDX-License-Identifier: Apache-2.0
// Activation and dropout of a stretch of one row on the CPU, there and back; formulas in kernels/activation_dropout.h.
#pragma once

#include <cstdint>

#include "kernels/activation_dropout.h"
#include "kernels/dropout_row.h"
#include "kernels/simd/simd.h"

namespace genexx::activation_dropout {

// One replica's units.
template <class T>
class CpuFinish {
 public:
  CpuFinish(const simd::Table<T>& table, const Finish& finish, std::int64_t replica)
      : table_(table), finish_(finish), first_row_(finish.first_row) {
    if (finish.rate) draw_ = dropout::draw_of(finish, replica);
    left_ = draw_.rate.all ? T{0} : static_cast<T>(1 / draw_.rate.scale);
  }

  // f of `count` units, wherever they are; y may be x.
  void activate(std::int64_t count, const T* x, T* y) const {
    if (!finish_.activation) {
      if (y != x)
        for (std::int64_t u = 0; u < count; ++u) y[u] = x[u];
      return;
    }
    switch (*finish_.activation) {
      case activation::Kind::relu:
        return table_.relu(count, x, y);
      case activation::Kind::tanh:
        return table_.tanh(count, x, y);
      case activation::Kind::sigmoid:
        return table_.sigmoid(count, x, y);
    }
  }

  // Dropout of activated units in place; y points at the first of the stretch, whose row counts from the batch's.
  void drop(std::int64_t row, std::int64_t first, std::int64_t count, T* y) const {
    if (!draw_.drops_nothing())
      dropout::drop_stretch(table_, draw_, stretch(row, first, count), WriteMode::overwrite, y, y);
  }

  // dx of a stretch from y and dy; dx may be dy.
  void backward(const dropout::Stretch& at, const T* y, const T* dy, T* dx) const {
    if (finish_.activation == activation::Kind::relu) {
      const T scale = static_cast<T>(draw_.rate.scale);
      return each(at.count, y, dy, dx, [=](T out, T g) { return out > 0 ? g * scale : T{0}; });
    }
    if (!draw_.drops_nothing()) {
      dropout::drop_stretch(table_, draw_, at, WriteMode::overwrite, dy, dx);
      dy = dx;
    }
    const T left = left_;
    if (finish_.activation == activation::Kind::tanh) {
      each(at.count, y, dy, dx, [=](T out, T g) { return g * (T{1} - out * left * (out * left)); });
    } else if (finish_.activation == activation::Kind::sigmoid) {
      each(at.count, y, dy, dx, [=](T out, T g) { return g * (out * left * (T{1} - out * left)); });
    } else if (dx != dy) {
      each(at.count, y, dy, dx, [](T, T g) { return g; });
    }
  }

  // Units [first, first + count) of the batch's row `row`, with the row's number in the generator.
  dropout::Stretch stretch(std::int64_t row, std::int64_t first, std::int64_t count) const {
    return {static_cast<std::uint32_t>(first_row_ + row), first, count};
  }

 private:
  // dx = slope(y, dy); in place in a loop of its own, which a compiler can then turn into vector instructions.
  template <class Slope>
  static void each(std::int64_t count, const T* y, const T* dy, T* dx, Slope&& slope) {
    if (dx == dy) {
      for (std::int64_t u = 0; u < count; ++u) dx[u] = slope(y[u], dx[u]);
    } else {
      for (std::int64_t u = 0; u < count; ++u) dx[u] = slope(y[u], dy[u]);
    }
  }

  const simd::Table<T>& table_;
  const Finish& finish_;
  std::int64_t first_row_;
  dropout::Draw draw_;
  T left_ = 1;  // 1 - p
};

}  // namespace genexx::activation_dropout
