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

}  // namespace

void run(CudaContext& ctx, const Args& args, const Extents& e) {
  expect_on_device("gemm: a", args.a);
  expect_on_device("gemm: b", args.b);
  expect_on_device("gemm: c", args.c);
  if (args.bias) expect_on_device("gemm: bias", args.bias);
  const auto host = std::static_pointer_cast<CpuContext>(
      ctx.library_state("cublasLt", [] { return std::static_pointer_cast<void>(std::make_shared<CpuContext>()); }));
  if (args.c.dtype == DType::f64 || ctx.precision == Precision::fp32) return cpu::run(*host, args, e);
  const std::vector<float> a = rounded(args.a, ctx.precision), b = rounded(args.b, ctx.precision);
  Args narrow = args;
  narrow.a.data = a.data();
  narrow.b.data = b.data();
  cpu::run(*host, narrow, e);
}

}  // namespace genexx::gemm::cuda
