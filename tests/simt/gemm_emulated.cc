// SPDX-License-Identifier: Apache-2.0
// What kernels/gemm_cuda.cc asks of cuBLASLt, answered by the CPU's matrix product with the inputs rounded as the
// precision says. A test of our arguments, not of cuBLASLt: every operand must be device memory of its full extent.
#include <bit>
#include <cstdint>
#include <vector>

#include "engine/cuda/cuda_context.h"
#include "kernels/gemm.h"
#include "tests/simt/execution.h"

namespace genexx::gemm::cuda {
namespace {

// `x` to `bits` bits of mantissa, to nearest, ties to even.
float rounded(float x, int bits) {
  const int dropped = 23 - bits;
  const auto u = std::bit_cast<std::uint32_t>(x);
  if (x != x) return x;
  const std::uint32_t even = u >> dropped & 1u;
  return std::bit_cast<float>((u + (1u << (dropped - 1)) - 1u + even) >> dropped << dropped);
}

std::vector<float> rounded(const ConstTensor& t, Precision precision) {
  const float* from = t.as<float>();
  std::vector<float> values(from, from + t.shape.elements());
  for (float& v : values) v = rounded(v, precision == Precision::tf32 ? 10 : 7);
  return values;
}

void expect_on_device(const char* name, const ConstTensor& t) {
  simt::expect_device_memory(name, t.data, static_cast<std::size_t>(t.shape.elements() * size_of(t.dtype)));
}

// As with cuBLASLt, the first product on a context allocates, and so cannot be captured.
struct State {
  explicit State(CudaContext& ctx) : workspace(ctx, 256) {}
  Buffer workspace;
  CpuContext host;
};

void multiply(State& state, const Args& args, const Extents& e, Precision precision) {
  if (precision == Precision::fp32) return cpu::run(state.host, args, e);
  const std::vector<float> a = rounded(args.a, precision), b = rounded(args.b, precision);
  Args narrow = args;
  narrow.a.data = a.data();
  narrow.b.data = b.data();
  cpu::run(state.host, narrow, e);
}

}  // namespace

void run(CudaContext& ctx, const Args& args, const Extents& e) {
  expect_on_device("gemm: a", args.a);
  expect_on_device("gemm: b", args.b);
  expect_on_device("gemm: c", args.c);
  if (args.bias) expect_on_device("gemm: bias", args.bias);
  const auto state = std::static_pointer_cast<State>(
      ctx.library_state("cublasLt", [&] { return std::static_pointer_cast<void>(std::make_shared<State>(ctx)); }));
  const Precision precision = args.c.dtype == DType::f64 ? Precision::fp32 : ctx.precision;
  simt::give(ctx.stream(), [=] { multiply(*state, args, e, precision); });
}

}  // namespace genexx::gemm::cuda
