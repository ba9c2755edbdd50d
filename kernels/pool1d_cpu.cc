// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "kernels/dispatch.h"
#include "kernels/pool1d.h"

namespace genexx::pool1d::cpu {
namespace {

template <class T>
bool is_above(T value, T largest) {
  return value > largest || value != value;
}

// One window of every channel: x and y point at channel 0, rows of x are `channels` apart.
template <class T>
void pool(const ForwardArgs& a, std::int64_t channels, const T* x, T* y) {
  std::copy_n(x, channels, y);
  for (std::int64_t t = 1; t < a.window; ++t) {
    const T* row = x + t * channels;
    if (a.kind == Kind::max) {
      for (std::int64_t c = 0; c < channels; ++c) y[c] = is_above(row[c], y[c]) ? row[c] : y[c];
    } else {
      for (std::int64_t c = 0; c < channels; ++c) y[c] += row[c];
    }
  }
  if (a.kind == Kind::average)
    for (std::int64_t c = 0; c < channels; ++c) y[c] /= static_cast<T>(a.window);
}

// Which position of a window is its largest.
template <class T>
std::int64_t largest_of(const T* x, std::int64_t channels, std::int64_t window) {
  std::int64_t largest = 0;
  for (std::int64_t t = 1; t < window; ++t)
    if (x[largest * channels] == x[largest * channels] && is_above(x[t * channels], x[largest * channels])) largest = t;
  return largest;
}

template <class T>
void spread(const BackwardArgs& a, std::int64_t channels, const T* x, const T* dy, T* dx) {
  for (std::int64_t c = 0; c < channels; ++c) {
    if (a.kind == Kind::max) {
      dx[largest_of(x + c, channels, a.window) * channels + c] += dy[c];
      continue;
    }
    for (std::int64_t t = 0; t < a.window; ++t) dx[t * channels + c] += dy[c] / static_cast<T>(a.window);
  }
}

}  // namespace

void forward(CpuContext& ctx, const ForwardArgs& a, const Extents& e) {
  on_float(a.x.dtype, [&](auto zero) {
    using T = decltype(zero);
    ctx.parallel(e.samples, [&](std::int64_t sample) {
      const T* x = a.x.as<T>() + sample * e.length * e.channels;
      T* y = a.y.as<T>() + sample * e.windows * e.channels;
      for (std::int64_t i = 0; i < e.windows; ++i)
        pool(a, e.channels, x + i * a.window * e.channels, y + i * e.channels);
    });
  });
}

void backward(CpuContext& ctx, const BackwardArgs& a, const Extents& e) {
  on_float(a.dx.dtype, [&](auto zero) {
    using T = decltype(zero);
    ctx.parallel(e.samples, [&](std::int64_t sample) {
      const T* x = a.x.as<T>() + sample * e.length * e.channels;
      const T* dy = a.dy.as<T>() + sample * e.windows * e.channels;
      T* dx = a.dx.as<T>() + sample * e.length * e.channels;
      if (a.mode == WriteMode::overwrite) std::fill_n(dx, e.length * e.channels, T{0});
      for (std::int64_t i = 0; i < e.windows; ++i) {
        const std::int64_t at = i * a.window * e.channels;
        spread(a, e.channels, x + at, dy + i * e.channels, dx + at);
      }
    });
  });
}

}  // namespace genexx::pool1d::cpu
