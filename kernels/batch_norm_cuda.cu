// SPDX-License-Identifier: Apache-2.0
#include "engine/cuda/cuda_context.h"
#include "kernels/batch_norm.h"
#include "kernels/device/finish.h"
#include "kernels/device/quads.h"

namespace genexx::batch_norm::cuda {
namespace {

using device::Quad;
using device::QuadPlace;

// The quad of a row of [r, c] above the thread's columns; zero where there is none.
template <class T>
__device__ inline Quad<T> of_columns(const T* p, const QuadPlace& at, std::int64_t c) {
  return device::load_quad(p + at.k * c + at.column(), at.left, false);
}

// Calls body(row, element) for the rows of the thread's quad.
template <class Body>
__device__ inline void each_row(const QuadPlace& at, std::int64_t n, std::int64_t c, Body&& body) {
  if (!at.inside()) return;
  for (std::int64_t i = threadIdx.y; i < n; i += device::kQuadRows) body(i, (at.k * n + i) * c + at.column());
}

template <class T>
struct Forward {
  std::int64_t n, c;
  bool whole;  // in_quads
  Statistics statistics;
  double momentum, eps;
  const T* x;
  const T* gamma;
  const T* beta;
  T* running_mean;
  T* running_var;
  T* y;
  T* mean;
  T* rstd;
  device::FinishCall finish;
};

struct Moments {
  Quad<double> mean, rstd;
};

// Of the batch; moves the running statistics. All threads of the block must arrive.
template <class T>
__device__ inline Moments batch_moments(const Forward<T>& a, const QuadPlace& at, device::QuadScratch& scratch) {
  const double n = double(a.n);
  Moments m = {};
  each_row(at, a.n, a.c, [&](std::int64_t, std::int64_t element) {
    const Quad<T> x = device::load_quad(a.x + element, at.left, a.whole);
    for (int j = 0; j < 4; ++j) m.mean.lane[j] += double(x.lane[j]);
  });
  m.mean = device::quad_column_sum(m.mean, scratch);
  for (int j = 0; j < 4; ++j) m.mean.lane[j] /= n;
  Quad<double> squares = {};
  each_row(at, a.n, a.c, [&](std::int64_t, std::int64_t element) {
    const Quad<T> x = device::load_quad(a.x + element, at.left, a.whole);
    for (int j = 0; j < 4; ++j) {
      const double centred = double(x.lane[j]) - m.mean.lane[j];
      squares.lane[j] += centred * centred;
    }
  });
  squares = device::quad_column_sum(squares, scratch);
  for (int j = 0; j < 4; ++j) {
    m.rstd.lane[j] = 1 / ::sqrt(squares.lane[j] / n + a.eps);
    if (j >= at.left || threadIdx.y != 0) continue;
    T& running_mean = a.running_mean[at.k * a.c + at.column() + j];
    T& running_var = a.running_var[at.k * a.c + at.column() + j];
    running_mean = T((1 - a.momentum) * double(running_mean) + a.momentum * m.mean.lane[j]);
    running_var = T((1 - a.momentum) * double(running_var) + a.momentum * squares.lane[j] / (n - 1));
  }
  return m;
}

// Block (x, k) owns columns 32 x to 32 x + 31 of replica k, a thread four of them and rows threadIdx.y, threadIdx.y +
// kQuadRows, ... Reads x three times with batch statistics (twice from the caches where they hold the tile), once with
// running ones; writes y.
template <class T>
__global__ void forward_kernel(Forward<T> a) {
  GENEXX_SHARED(double, scratch, [device::kQuadWarps][4 * device::kQuadColumns]);
  const QuadPlace at = device::quad_place(a.c);
  Moments m = {};
  if (a.statistics == Statistics::batch) {
    m = batch_moments(a, at, scratch);
  } else if (at.inside()) {
    const Quad<T> mean = of_columns(a.running_mean, at, a.c), var = of_columns(a.running_var, at, a.c);
    for (int j = 0; j < 4; ++j) {
      m.mean.lane[j] = double(mean.lane[j]);
      m.rstd.lane[j] = 1 / ::sqrt(double(var.lane[j]) + a.eps);
    }
  }
  if (!at.inside()) return;
  const Quad<T> gamma = of_columns(a.gamma, at, a.c), beta = of_columns(a.beta, at, a.c);
  Quad<T> mean, rstd, factor;
  for (int j = 0; j < 4; ++j) {
    mean.lane[j] = T(m.mean.lane[j]);
    rstd.lane[j] = T(m.rstd.lane[j]);
    factor.lane[j] = gamma.lane[j] * rstd.lane[j];
  }
  if (threadIdx.y == 0) {
    device::store_quad(a.mean + at.k * a.c + at.column(), at.left, false, mean);
    device::store_quad(a.rstd + at.k * a.c + at.column(), at.left, false, rstd);
  }
  const device::UnitFinish<T> finish = device::unit_finish<T>(a.finish, at.k);
  each_row(at, a.n, a.c, [&](std::int64_t i, std::int64_t element) {
    Quad<T> y = device::load_quad(a.x + element, at.left, a.whole);
    for (int j = 0; j < 4; ++j) y.lane[j] = (y.lane[j] - mean.lane[j]) * factor.lane[j] + beta.lane[j];
    device::store_quad(a.y + element, at.left, a.whole, finish.forward(i, at.quad, y));
  });
}

template <class T>
struct Backward {
  std::int64_t n, c;
  bool whole;  // in_quads
  Statistics statistics;
  WriteMode mode;
  const T* x;
  const T* gamma;
  const T* mean;
  const T* rstd;
  const T* y;   // null: forward had no finish
  const T* dy;  // may be dx
  T* dx;        // null: not wanted
  T* dgamma;
  T* dbeta;
  T* dbias;  // null: not wanted
  device::FinishCall finish;
};

// dy of a quad taken back through what ended the layer.
template <class T>
__device__ inline Quad<T> gradient_before(const Backward<T>& a, const device::UnitFinish<T>& finish,
                                          const QuadPlace& at, std::int64_t i, std::int64_t element) {
  const Quad<T> dy = device::load_quad(a.dy + element, at.left, a.whole);
  if (a.y == nullptr) return dy;
  return finish.backward(i, at.quad, device::load_quad(a.y + element, at.left, a.whole), dy);
}

// Writes four columns of a gradient [r, c] from the thread that owns the first row.
template <class T>
__device__ inline void write_columns(WriteMode mode, T* p, const QuadPlace& at, std::int64_t c,
                                     const Quad<double>& sum) {
  if (!at.inside() || threadIdx.y != 0) return;
  const Quad<T> value = {T(sum.lane[0]), T(sum.lane[1]), T(sum.lane[2]), T(sum.lane[3])};
  device::write_quad(mode, p + at.k * c + at.column(), at.left, false, value);
}

// Owns elements as forward_kernel does. Reads x, y and dy once or twice, writes dx.
template <class T>
__global__ void backward_kernel(Backward<T> a) {
  GENEXX_SHARED(double, scratch, [device::kQuadWarps][4 * device::kQuadColumns]);
  const QuadPlace at = device::quad_place(a.c);
  const device::UnitFinish<T> finish = device::unit_finish<T>(a.finish, at.k);
  const Quad<T> mean = of_columns(a.mean, at, a.c), rstd = of_columns(a.rstd, at, a.c);
  Quad<double> dbeta = {}, dgamma = {};
  each_row(at, a.n, a.c, [&](std::int64_t i, std::int64_t element) {
    const Quad<T> g = gradient_before(a, finish, at, i, element),
                  x = device::load_quad(a.x + element, at.left, a.whole);
    for (int j = 0; j < 4; ++j) {
      dbeta.lane[j] += double(g.lane[j]);
      dgamma.lane[j] += double(g.lane[j]) * (double(x.lane[j]) - double(mean.lane[j]));
    }
  });
  dbeta = device::quad_column_sum(dbeta, scratch);
  dgamma = device::quad_column_sum(dgamma, scratch);
  for (int j = 0; j < 4; ++j) dgamma.lane[j] *= double(rstd.lane[j]);
  write_columns(a.mode, a.dgamma, at, a.c, dgamma);
  write_columns(a.mode, a.dbeta, at, a.c, dbeta);
  if (a.dx == nullptr) return;
  const double share = a.statistics == Statistics::batch ? 1 / double(a.n) : 0;
  const Quad<T> gamma = of_columns(a.gamma, at, a.c);
  Quad<T> factor, shift, slope;
  for (int j = 0; j < 4; ++j) {
    factor.lane[j] = T(double(gamma.lane[j]) * double(rstd.lane[j]));
    shift.lane[j] = T(share * dbeta.lane[j]);
    slope.lane[j] = T(share * dgamma.lane[j] * double(rstd.lane[j]));
  }
  Quad<double> dbias = {};
  each_row(at, a.n, a.c, [&](std::int64_t i, std::int64_t element) {
    Quad<T> g = gradient_before(a, finish, at, i, element);
    const Quad<T> x = device::load_quad(a.x + element, at.left, a.whole);
    for (int j = 0; j < 4; ++j) {
      g.lane[j] = factor.lane[j] * (g.lane[j] - shift.lane[j] - (x.lane[j] - mean.lane[j]) * slope.lane[j]);
      dbias.lane[j] += double(g.lane[j]);
    }
    device::write_quad(a.mode, a.dx + element, at.left, a.whole, g);
  });
  if (a.dbias == nullptr) return;
  write_columns(a.mode, a.dbias, at, a.c, device::quad_column_sum(dbias, scratch));
}

template <class T>
void forward_typed(CudaContext& ctx, const ForwardArgs& a) {
  const Forward<T> call = {a.x.shape[1],
                           a.x.shape[2],
                           device::in_quads(a.x.shape[2], a.x.as<T>(), a.y.as<T>()),
                           a.statistics,
                           a.momentum,
                           a.eps,
                           a.x.as<T>(),
                           a.gamma.as<T>(),
                           a.beta.as<T>(),
                           a.running_mean.as<T>(),
                           a.running_var.as<T>(),
                           a.y.as<T>(),
                           a.mean.as<T>(),
                           a.rstd.as<T>(),
                           device::finish_call(a.finish)};
  launch(device::quad_column_launch(call.c, a.x.shape[0], ctx.stream()), forward_kernel<T>, call);
  check_launch("batch_norm::forward");
}

template <class T>
void backward_typed(CudaContext& ctx, const BackwardArgs& a) {
  Backward<T> call;
  call.n = a.x.shape[1];
  call.c = a.x.shape[2];
  call.statistics = a.statistics;
  call.mode = a.mode;
  call.x = a.x.as<T>();
  call.gamma = a.gamma.as<T>();
  call.mean = a.mean.as<T>();
  call.rstd = a.rstd.as<T>();
  call.finish = device::finish_call(a.finish);
  call.y = call.finish.nothing() ? nullptr : a.y.as<T>();
  call.dy = a.dy.as<T>();
  call.dx = a.dx ? a.dx.as<T>() : nullptr;
  call.dgamma = a.dgamma.as<T>();
  call.dbeta = a.dbeta.as<T>();
  call.dbias = a.dbias ? a.dbias.as<T>() : nullptr;
  call.whole = device::in_quads(call.c, call.x, call.y, call.dy, static_cast<const T*>(call.dx));
  launch(device::quad_column_launch(call.c, a.x.shape[0], ctx.stream()), backward_kernel<T>, call);
  check_launch("batch_norm::backward");
}

}  // namespace

void forward(CudaContext& ctx, const ForwardArgs& args) {
  args.x.dtype == DType::f64 ? forward_typed<double>(ctx, args) : forward_typed<float>(ctx, args);
}

void backward(CudaContext& ctx, const BackwardArgs& args) {
  args.x.dtype == DType::f64 ? backward_typed<double>(ctx, args) : backward_typed<float>(ctx, args);
}

}  // namespace genexx::batch_norm::cuda
