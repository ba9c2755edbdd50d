// SPDX-License-Identifier: Apache-2.0
#include "engine/cuda/cuda_context.h"
#include "kernels/batch_norm.h"
#include "kernels/device/column_sums.h"

namespace genexx::batch_norm::cuda {
namespace {

using Scratch = double[device::kColumnRows][device::kColumnTile];

template <class T>
__device__ inline void add_or_assign(WriteMode mode, T& target, T value) {
  target = mode == WriteMode::accumulate ? target + value : value;
}

// Where the calling thread works: column j of replica k (inside says whether there is one), rows from threadIdx.y on.
struct Place {
  std::int64_t k, j;
  bool inside;
};

__device__ inline Place place_of(std::int64_t c) {
  const std::int64_t j = std::int64_t{blockIdx.x} * device::kColumnTile + threadIdx.x;
  return {blockIdx.y, j, j < c};
}

// Sum of term(row) over the rows of the thread's column; every thread of the column gets it. All threads must arrive.
template <class Term>
__device__ inline double sum_rows(bool inside, std::int64_t n, Scratch& scratch, Term&& term) {
  double sum = 0;
  if (inside)
    for (std::int64_t i = threadIdx.y; i < n; i += device::kColumnRows) sum += term(i);
  return device::column_sum(sum, scratch);
}

template <class T>
struct Forward {
  std::int64_t n, c;
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
};

struct Moments {
  double mean, rstd;
};

// Of the batch; moves the running statistics. All threads of the block must arrive.
template <class T>
__device__ inline Moments batch_moments(const Forward<T>& a, const Place& at, Scratch& scratch) {
  const double n = double(a.n);
  const T* x = a.x + at.k * a.n * a.c + at.j;
  const double mean = sum_rows(at.inside, a.n, scratch, [&](std::int64_t i) { return double(x[i * a.c]); }) / n;
  const double squares = sum_rows(at.inside, a.n, scratch, [&](std::int64_t i) {
    const double centred = double(x[i * a.c]) - mean;
    return centred * centred;
  });
  if (at.inside && threadIdx.y == 0) {
    T& running_mean = a.running_mean[at.k * a.c + at.j];
    T& running_var = a.running_var[at.k * a.c + at.j];
    running_mean = T((1 - a.momentum) * double(running_mean) + a.momentum * mean);
    running_var = T((1 - a.momentum) * double(running_var) + a.momentum * squares / (n - 1));
  }
  return {mean, 1 / ::sqrt(squares / n + a.eps)};
}

// Block (x, k) owns columns 32 x to 32 x + 31 of replica k, thread (x, y) rows y, y + kColumnRows, ... Reads x three
// times with batch statistics (twice from the caches where they hold the tile), once with running ones; writes y.
template <class T>
__global__ void forward_kernel(Forward<T> a) {
  GENEXX_SHARED(double, scratch, [device::kColumnRows][device::kColumnTile]);
  const Place at = place_of(a.c);
  const std::int64_t column = at.k * a.c + at.j;
  Moments m = {0, 0};
  if (a.statistics == Statistics::batch) {
    m = batch_moments(a, at, scratch);
  } else if (at.inside) {
    m = {double(a.running_mean[column]), 1 / ::sqrt(double(a.running_var[column]) + a.eps)};
  }
  if (!at.inside) return;
  const T mean = T(m.mean), rstd = T(m.rstd), factor = a.gamma[column] * rstd, beta = a.beta[column];
  if (threadIdx.y == 0) {
    a.mean[column] = mean;
    a.rstd[column] = rstd;
  }
  for (std::int64_t i = threadIdx.y; i < a.n; i += device::kColumnRows) {
    const std::int64_t element = (at.k * a.n + i) * a.c + at.j;
    a.y[element] = (a.x[element] - mean) * factor + beta;
  }
}

template <class T>
struct Backward {
  std::int64_t n, c;
  Statistics statistics;
  WriteMode mode;
  const T* x;
  const T* gamma;
  const T* mean;
  const T* rstd;
  const T* dy;
  T* dx;  // null: not wanted
  T* dgamma;
  T* dbeta;
};

// Owns elements as forward_kernel does. Reads x and dy two to three times, writes dx.
template <class T>
__global__ void backward_kernel(Backward<T> a) {
  GENEXX_SHARED(double, scratch, [device::kColumnRows][device::kColumnTile]);
  const Place at = place_of(a.c);
  const std::int64_t column = at.k * a.c + at.j, first = at.k * a.n * a.c + at.j;
  const T mean = at.inside ? a.mean[column] : T(0);
  const double rstd = at.inside ? double(a.rstd[column]) : 0;
  const double dbeta = sum_rows(at.inside, a.n, scratch, [&](std::int64_t i) { return double(a.dy[first + i * a.c]); });
  const double dgamma = rstd * sum_rows(at.inside, a.n, scratch, [&](std::int64_t i) {
                          return double(a.dy[first + i * a.c]) * (double(a.x[first + i * a.c]) - double(mean));
                        });
  if (!at.inside) return;
  if (threadIdx.y == 0) {
    add_or_assign(a.mode, a.dgamma[column], T(dgamma));
    add_or_assign(a.mode, a.dbeta[column], T(dbeta));
  }
  if (!a.dx) return;
  const double share = a.statistics == Statistics::batch ? 1 / double(a.n) : 0;
  const T factor = T(double(a.gamma[column]) * rstd), shift = T(share * dbeta), slope = T(share * dgamma * rstd);
  for (std::int64_t i = threadIdx.y; i < a.n; i += device::kColumnRows) {
    const std::int64_t element = first + i * a.c;
    add_or_assign(a.mode, a.dx[element], factor * (a.dy[element] - shift - (a.x[element] - mean) * slope));
  }
}

template <class T>
void forward_typed(CudaContext& ctx, const ForwardArgs& a) {
  const Forward<T> call = {a.x.shape[1],
                           a.x.shape[2],
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
                           a.rstd.as<T>()};
  launch(device::column_launch(call.c, a.x.shape[0], ctx.stream()), forward_kernel<T>, call);
  check_launch("batch_norm::forward");
}

template <class T>
void backward_typed(CudaContext& ctx, const BackwardArgs& a) {
  const Backward<T> call = {
      a.x.shape[1],     a.x.shape[2],   a.statistics,   a.mode,       a.x.as<T>(),
      a.gamma.as<T>(),  a.mean.as<T>(), a.rstd.as<T>(), a.dy.as<T>(), a.dx ? a.dx.as<T>() : nullptr,
      a.dgamma.as<T>(), a.dbeta.as<T>()};
  launch(device::column_launch(call.c, a.x.shape[0], ctx.stream()), backward_kernel<T>, call);
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
