// SPDX-License-Identifier: Apache-2.0
// What kernels/gemm_cuda.cc asks of cuBLASLt, answered by the CPU's matrix product, which rounds operands as tensor
// cores do. A test of our arguments, not of cuBLASLt: every operand must be device memory of its full extent.
#include <cstdint>

#include "engine/cuda/cuda_context.h"
#include "kernels/gemm.h"
#include "tests/simt/execution.h"

namespace genexx::gemm::cuda {
namespace {

void expect_on_device(const char* name, const ConstTensor& t) {
  simt::expect_device_memory(name, t.data, static_cast<std::size_t>(t.shape.elements() * size_of(t.dtype)));
}

// Tensor cores want every row from an address that 16 divides.
void expect_loadable(const char* name, const ConstTensor& t, std::int64_t pitch) {
  const std::int64_t bytes = pitch * size_of(t.dtype);
  if (bytes % 16 != 0 || reinterpret_cast<std::uintptr_t>(t.data) % 16 != 0)
    throw DeviceError(std::string(name) + ": rows of " + std::to_string(bytes) + " bytes from " +
                      std::to_string(reinterpret_cast<std::uintptr_t>(t.data) % 16) + " bytes past a multiple of 16");
}

// As with cuBLASLt, the first product on a context allocates, and so cannot be captured.
struct State {
  explicit State(CudaContext& ctx) : workspace(ctx, 256) {}
  Buffer workspace;
  CpuContext host;
};

}  // namespace

void run(CudaContext& ctx, const Args& args, const Extents& e) {
  expect_on_device("gemm: a", args.a);
  expect_on_device("gemm: b", args.b);
  expect_on_device("gemm: c", args.c);
  if (args.bias) expect_on_device("gemm: bias", args.bias);
  if (args.precision == Precision::tf32) {
    expect_loadable("gemm: a", args.a, e.a_pitch);
    expect_loadable("gemm: b", args.b, e.b_pitch);
  }
  const auto state = std::static_pointer_cast<State>(
      ctx.library_state("cublasLt", [&] { return std::static_pointer_cast<void>(std::make_shared<State>(ctx)); }));
  simt::give(ctx.stream(), [=] { cpu::run(state->host, args, e); });
}

}  // namespace genexx::gemm::cuda
