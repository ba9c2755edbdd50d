// SPDX-License-Identifier: Apache-2.0
// What conv1d asks of cuDNN, where it is installed, and where it does without.
#include <doctest/doctest.h>

#include "engine/cuda/cuda_context.h"
#include "kernels/conv1d.h"
#include "tests/oracle/conv1d_oracle.h"
#include "tests/simt/cudnn_emulated.h"
#include "tests/support/op_test.h"

using namespace genexx;
using namespace genexx::test;
using oracle::Conv1dSizes;
using simt::InstalledCudnn;

namespace {

// n, length, channels, windows, filters, kernel, stride, padding: as many zeros behind the sequence as before it.
const std::vector<Conv1dSizes> kEven = {{2, 7, 1, 7, 3, 3, 1, 1}, {3, 11, 2, 5, 4, 3, 2, 0}, {2, 9, 5, 5, 2, 5, 2, 2}};
// A window more, or one less, than even zeros give.
const std::vector<Conv1dSizes> kUneven = {{2, 8, 2, 8, 3, 4, 1, 1}, {2, 9, 2, 3, 3, 3, 4, 0}, {2, 9, 2, 1, 3, 3, 4, 0}};

constexpr std::int64_t kReplicas = 2;

struct Case {
  Conv1dSizes s;
  std::vector<float> x, weight, bias, dy, old_dx, old_dweight;
};

std::vector<float> values(std::int64_t count, std::uint64_t seed) {
  const std::vector<double> wide = random_values(count, seed);
  return {wide.begin(), wide.end()};
}

Case random_case(const Conv1dSizes& s) {
  const std::int64_t x = kReplicas * s.n * s.length * s.channels, w = kReplicas * s.filters * s.kernel * s.channels;
  return {s,
          values(x, 1),
          values(w, 2),
          values(kReplicas * s.filters, 3),
          values(kReplicas * s.n * s.windows * s.filters, 4),
          values(x, 5),
          values(w, 6)};
}

struct Outcome {
  std::vector<double> y, dx, dweight, dbias;
};

// Forward with bias, and all gradients added to what is there.
Outcome run(Context& ctx, const Case& c) {
  const Conv1dSizes& s = c.s;
  const Shape x_shape = {kReplicas, s.n, s.length, s.channels}, y_shape = {kReplicas, s.n, s.windows, s.filters};
  const Shape w_shape = {kReplicas, s.filters, s.kernel, s.channels}, b_shape = {kReplicas, s.filters};
  const DeviceArray x(ctx, x_shape, c.x), w(ctx, w_shape, c.weight), b(ctx, b_shape, c.bias), dy(ctx, y_shape, c.dy);
  const DeviceArray y(ctx, y_shape, DType::f32), dx(ctx, x_shape, c.old_dx), dw(ctx, w_shape, c.old_dweight),
      db(ctx, b_shape, c.bias);
  const conv1d::Placement placement = {s.stride, s.padding};
  conv1d::forward(ctx, {.x = x, .weight = w, .bias = b, .y = y, .placement = placement});
  conv1d::backward(ctx, {.x = x,
                         .weight = w,
                         .dy = dy,
                         .dx = dx,
                         .dweight = dw,
                         .dbias = db,
                         .placement = placement,
                         .mode = WriteMode::accumulate});
  return {y.values(), dx.values(), dw.values(), db.values()};
}

// The CPU's own products are proved elsewhere; each sum has at most so many terms of size 1.
void expect_as_on_cpu(const Outcome& got, const Case& c) {
  CpuContext cpu;
  const Outcome expected = run(cpu, c);
  const Conv1dSizes& s = c.s;
  const auto of = [](std::int64_t terms) {
    return Tolerance{.k = 3.0 + static_cast<double>(terms), .dtype = DType::f32};
  };
  expect_close(got.y, expected.y, of(2 * s.kernel * s.channels));
  expect_close(got.dx, expected.dx, of(2 * s.filters * s.kernel));
  expect_close(got.dweight, expected.dweight, of(2 * s.n * s.windows));
  expect_close(got.dbias, expected.dbias, of(2 * s.n * s.windows));
}

}  // namespace

TEST_CASE("conv1d by cuDNN: forward and both gradients of every replica, added where asked") {
  const InstalledCudnn cudnn;
  CudaContext ctx(0);
  for (const Conv1dSizes& s : kEven) {
    CAPTURE(s.kernel);
    const std::int64_t before = cudnn.products();

    expect_as_on_cpu(run(ctx, random_case(s)), random_case(s));

    CHECK(cudnn.products() - before == 3 * kReplicas);
  }
}

TEST_CASE("conv1d by cuDNN: windows that it cannot place are our own products") {
  const InstalledCudnn cudnn;
  CudaContext ctx(0);
  for (const Conv1dSizes& s : kUneven) {
    CAPTURE(s.kernel);
    expect_as_on_cpu(run(ctx, random_case(s)), random_case(s));
  }

  CHECK(cudnn.products() == 0);
}

TEST_CASE("conv1d by cuDNN: a product it does not offer is ours, the others stay") {
  const InstalledCudnn cudnn(InstalledCudnn::Support::forward_only);
  CudaContext ctx(0);

  expect_as_on_cpu(run(ctx, random_case(kEven[1])), random_case(kEven[1]));

  CHECK(cudnn.products() == kReplicas);
}

TEST_CASE("conv1d by cuDNN: double precision is our own") {
  const InstalledCudnn cudnn;
  CudaContext ctx(0);
  const DeviceArray x(ctx, {1, 1, 3, 1}, std::vector<double>{1, 2, 3}), w(ctx, {1, 1, 1, 1}, std::vector<double>{2});
  const DeviceArray y(ctx, {1, 1, 3, 1}, DType::f64);

  conv1d::forward(ctx, {.x = x, .weight = w, .y = y});

  expect_close(y.values(), {2, 4, 6}, {});
  CHECK(cudnn.products() == 0);
}

TEST_CASE("conv1d by cuDNN: steps are captured and replayed, and nothing is left behind") {
  const InstalledCudnn cudnn;
  {
    CudaContext ctx(0);
    const DeviceArray x(ctx, {1, 1, 3, 1}, std::vector<float>{1, 2, 3}),
        w(ctx, {1, 1, 3, 1}, std::vector<float>{1, 10, 100});
    const DeviceArray y(ctx, {1, 1, 3, 1}, DType::f32);
    const auto step = [&] {
      conv1d::forward(ctx, {.x = x, .weight = w, .y = y, .placement = {.stride = 1, .padding = 1}});
    };
    step();
    const auto graph = ctx.capture(step);
    ctx.fill_bytes(y.tensor().data, 0, 12);

    graph->replay();

    expect_close(y.values(), {210, 321, 32}, {});
    CHECK(cudnn.descriptors() == 5);
  }
  CHECK(cudnn.descriptors() == 0);
}
