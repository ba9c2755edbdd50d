// SPDX-License-Identifier: Apache-2.0
// Capture and replay on the emulated device behave as on a real one.
#include "engine/cuda/cuda_context.h"

#include <vector>

#include <doctest/doctest.h>

#include "kernels/gemm.h"
#include "kernels/launch.h"

namespace genexx {
namespace {

__global__ void add_kernel(int* out, int value) { atomicAdd(out, value); }
__global__ void two_barriers_kernel(int* out) {
  if (threadIdx.x == 0) {
    __syncthreads();
    *out = 1;
  }
}

int value_of(CudaContext& ctx, const Buffer& buffer) {
  int value = 0;
  ctx.copy_to_host(&value, buffer.data(), sizeof value);
  return value;
}

}  // namespace

TEST_CASE("emulated capture: runs nothing, replay repeats it with the arguments it had") {
  CudaContext ctx(0);
  const Buffer out(ctx, sizeof(int)), copy(ctx, sizeof(int));
  ctx.fill_bytes(out.data(), 0, sizeof(int));
  int value = 3;

  const auto graph = ctx.capture([&] {
    launch({.grid = 1, .block = 2, .stream = ctx.stream()}, add_kernel, out.as<int>(), value);
    check_launch("test::add");
    ctx.copy_within(copy.data(), out.data(), sizeof(int));
    ctx.fill_bytes(out.data(), 0, sizeof(int));
  });
  value = 1000;
  const int before = value_of(ctx, out);
  ctx.fill_bytes(out.data(), 0, sizeof(int));
  graph->replay();
  graph->replay();

  CHECK(before == 0);
  CHECK(value_of(ctx, copy) == 6);
  CHECK(value_of(ctx, out) == 0);
}

TEST_CASE("emulated capture: refuses what a device cannot capture") {
  CudaContext ctx(0);
  const Buffer out(ctx, sizeof(int));
  int host = 0;

  CHECK_THROWS_WITH_AS(ctx.capture([&] { ctx.allocate(4); }), doctest::Contains("allocation is not permitted"),
                       DeviceError);
  CHECK_THROWS_WITH_AS(ctx.capture([&] { ctx.synchronize(); }), doctest::Contains("synchronize is not"), DeviceError);
  CHECK_THROWS_WITH_AS(ctx.capture([&] { ctx.copy_to_host(&host, out.data(), sizeof(int)); }),
                       doctest::Contains("copy_to_host is not"), DeviceError);
  CHECK_NOTHROW(ctx.synchronize());
}

TEST_CASE("emulated capture: the first matrix product of a context allocates, the second can be captured") {
  CudaContext ctx(0);
  const Buffer a(ctx, 4), b(ctx, 4), c(ctx, 4);
  const float two = 2.0f, three = 3.0f;
  ctx.copy_to_device(a.data(), &two, 4);
  ctx.copy_to_device(b.data(), &three, 4);
  const gemm::Args args = {.a = ConstTensor(a.data(), DType::f32, {1, 1, 1}),
                           .b = ConstTensor(b.data(), DType::f32, {1, 1, 1}),
                           .c = {c.data(), DType::f32, {1, 1, 1}}};

  CHECK_THROWS_WITH_AS(ctx.capture([&] { gemm::run(ctx, args); }), doctest::Contains("allocation"), DeviceError);
  gemm::run(ctx, args);
  const auto graph = ctx.capture([&] { gemm::run(ctx, args); });
  ctx.copy_to_device(a.data(), &three, 4);
  graph->replay();

  float product = 0.0f;
  ctx.copy_to_host(&product, c.data(), 4);
  CHECK(product == 9.0f);
}

TEST_CASE("emulated capture: replay throws what goes wrong in it") {
  CudaContext ctx(0);
  const Buffer out(ctx, sizeof(int));
  const auto graph = ctx.capture([&] {
    launch({.grid = 1, .block = 2048, .stream = ctx.stream()}, two_barriers_kernel, out.as<int>());
    check_launch("test::two_barriers");
  });

  const auto replay = [&] {
    graph->replay();
    ctx.synchronize();
  };
  CHECK_THROWS_WITH_AS(replay(), doctest::Contains("2048 threads"), DeviceError);
}

TEST_CASE("emulated capture: a step replayed many times counts them all, in every form") {
  for (const StepRepeats form : {StepRepeats::loop, StepRepeats::unrolled, StepRepeats::single}) {
    CAPTURE(static_cast<int>(form));
    CudaContext ctx(0);
    ctx.set_repeats(form);
    const Buffer out(ctx, sizeof(int));
    ctx.fill_bytes(out.data(), 0, sizeof(int));
    const auto graph = ctx.capture([&] {
      launch({.grid = 1, .block = 1, .stream = ctx.stream()}, add_kernel, out.as<int>(), 1);
      check_launch("test::add");
    });

    graph->replay(5000);  // over the 4096 copies of an unrolled graph
    graph->replay(1);
    graph->replay(0);

    CHECK(value_of(ctx, out) == 5001);
  }
}

}  // namespace genexx
