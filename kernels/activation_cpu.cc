// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "kernels/activation.h"
#include "kernels/cpu_ranges.h"
#include "kernels/dispatch.h"
#include "kernels/simd/simd.h"

namespace genexx::activation::cpu {
namespace {

template <class T>
T derivative(Kind kind, T y) {
  switch (kind) {
    case Kind::relu:
      return y > 0 ? T{1} : T{0};
    case Kind::tanh:
      return T{1} - y * y;
    case Kind::sigmoid:
      return y * (T{1} - y);
  }
  return T{0};
}

template <class T, Kind kKind>
void backward_range(const BackwardArgs& a, std::int64_t begin, std::int64_t end) {
  const T* y = a.y.as<T>();
  const T* dy = a.dy.as<T>();
  T* dx = a.dx.as<T>();
  if (a.mode == WriteMode::accumulate) {
    for (std::int64_t i = begin; i < end; ++i) dx[i] += dy[i] * derivative(kKind, y[i]);
  } else {
    for (std::int64_t i = begin; i < end; ++i) dx[i] = dy[i] * derivative(kKind, y[i]);
  }
}

}  // namespace

void forward(CpuContext& ctx, const ForwardArgs& args) {
  on_float(args.x.dtype, [&](auto zero) {
    using T = decltype(zero);
    const simd::Table<T>& table = simd::table<T>(ctx.isa());
    for_ranges(ctx, args.x.shape.elements(), [&](std::int64_t begin, std::int64_t end) {
      const T* x = args.x.as<T>() + begin;
      T* y = args.y.as<T>() + begin;
      switch (args.kind) {
        case Kind::relu:
          return table.relu(end - begin, x, y);
        case Kind::tanh:
          return table.tanh(end - begin, x, y);
        case Kind::sigmoid:
          return table.sigmoid(end - begin, x, y);
      }
    });
  });
}

void backward(CpuContext& ctx, const BackwardArgs& args) {
  on_float(args.y.dtype, [&](auto zero) {
    using T = decltype(zero);
    for_ranges(ctx, args.y.shape.elements(), [&](std::int64_t begin, std::int64_t end) {
      switch (args.kind) {
        case Kind::relu:
          return backward_range<T, Kind::relu>(args, begin, end);
        case Kind::tanh:
          return backward_range<T, Kind::tanh>(args, begin, end);
        case Kind::sigmoid:
          return backward_range<T, Kind::sigmoid>(args, begin, end);
      }
    });
  });
}

}  // namespace genexx::activation::cpu
