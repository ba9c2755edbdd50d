// SPDX-License-Identifier: Apache-2.0
#include "bench/device/blas_lt.h"

#include <cuda_bf16.h>

namespace genexx::bench::device {
namespace {

constexpr std::int64_t kWorkspace = std::int64_t{32} << 20;

cudaDataType_t operand_type(Class precision) { return precision == Class::bf16 ? CUDA_R_16BF : CUDA_R_32F; }

cublasComputeType_t compute_type(Class precision) {
  return precision == Class::tf32 ? CUBLAS_COMPUTE_32F_FAST_TF32 : CUBLAS_COMPUTE_32F;
}

bool wants_mask(cublasLtEpilogue_t e) {
  return e == CUBLASLT_EPILOGUE_RELU_AUX_BIAS || e == CUBLASLT_EPILOGUE_DRELU_BGRAD;
}

std::int64_t mask_pitch(std::int64_t m) { return (m + 127) / 128 * 128; }  // in bits

// Random bits as bf16 hold infinities; round numbers instead.
__global__ void round_kernel(const float* from, __nv_bfloat16* to, std::int64_t n) {
  for (std::int64_t i = std::int64_t{blockIdx.x} * blockDim.x + threadIdx.x; i < n;
       i += std::int64_t{gridDim.x} * blockDim.x)
    to[i] = __float2bfloat16(from[i]);
}

void to_bf16(const Memory& values, std::int64_t n) {
  const Memory from(4 * n);
  round_kernel<<<1024, 256>>>(static_cast<const float*>(from.data()), static_cast<__nv_bfloat16*>(values.data()), n);
  check(cudaDeviceSynchronize(), "round_kernel");
}

char* at(const Memory& memory, std::int64_t offset) { return static_cast<char*>(memory.data()) + offset; }

}  // namespace

const char* name_of(Class precision) {
  return precision == Class::fp32 ? "fp32" : precision == Class::tf32 ? "tf32" : "bf16";
}

Plan::Plan(cublasLtHandle_t handle, const Product& p, int sets)
    : product_(p),
      handle_(handle),
      sets_(sets),
      first_(sets * operand_bytes(p.precision) * p.m * p.k),
      second_(sets * operand_bytes(p.precision) * p.k * p.n),
      out_(sets * 4 * p.m * p.n),
      bias_(4 * std::max({p.m, p.n, std::int64_t{64}})),
      auxiliary_(sets * mask_pitch(p.m) / 8 * p.n + 64),
      workspace_(kWorkspace) {
  if (p.precision == Class::bf16) {
    to_bf16(first_, sets * p.m * p.k);
    to_bf16(second_, sets * p.k * p.n);
  }
  const cudaDataType_t type = operand_type(p.precision), out = CUDA_R_32F;
  check(cublasLtMatmulDescCreate(&descriptor_, compute_type(p.precision), CUDA_R_32F), "cublasLtMatmulDescCreate");
  const auto set = [&](cublasLtMatmulDescAttributes_t attribute, const auto& value) {
    check(cublasLtMatmulDescSetAttribute(descriptor_, attribute, &value, sizeof value),
          "cublasLtMatmulDescSetAttribute");
  };
  set(CUBLASLT_MATMUL_DESC_TRANSA, p.a);
  set(CUBLASLT_MATMUL_DESC_TRANSB, p.b);
  set(CUBLASLT_MATMUL_DESC_EPILOGUE, p.epilogue);
  if (p.epilogue != CUBLASLT_EPILOGUE_DEFAULT && p.epilogue != CUBLASLT_EPILOGUE_RELU) {
    const void* bias = bias_.data();
    set(CUBLASLT_MATMUL_DESC_BIAS_POINTER, bias);
    set(CUBLASLT_MATMUL_DESC_BIAS_DATA_TYPE, out);
  }
  if (wants_mask(p.epilogue)) {
    const void* mask = auxiliary_.data();
    set(CUBLASLT_MATMUL_DESC_EPILOGUE_AUX_POINTER, mask);
    set(CUBLASLT_MATMUL_DESC_EPILOGUE_AUX_LD, mask_pitch(p.m));
  }
  const auto layout = [](cublasLtMatrixLayout_t* l, cudaDataType_t t, std::int64_t rows, std::int64_t columns) {
    check(cublasLtMatrixLayoutCreate(l, t, static_cast<std::uint64_t>(rows), static_cast<std::uint64_t>(columns), rows),
          "cublasLtMatrixLayoutCreate");
  };
  layout(&a_, type, p.a == CUBLAS_OP_N ? p.m : p.k, p.a == CUBLAS_OP_N ? p.k : p.m);
  layout(&b_, type, p.b == CUBLAS_OP_N ? p.k : p.n, p.b == CUBLAS_OP_N ? p.n : p.k);
  layout(&d_, out, p.m, p.n);
}

Plan::~Plan() {
  cublasLtMatrixLayoutDestroy(a_);
  cublasLtMatrixLayoutDestroy(b_);
  cublasLtMatrixLayoutDestroy(d_);
  cublasLtMatmulDescDestroy(descriptor_);
}

Algorithms Plan::algorithms(int most) const {
  cublasLtMatmulPreference_t preference = nullptr;
  check(cublasLtMatmulPreferenceCreate(&preference), "cublasLtMatmulPreferenceCreate");
  const auto bytes = static_cast<std::size_t>(kWorkspace);
  check(
      cublasLtMatmulPreferenceSetAttribute(preference, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, &bytes, sizeof bytes),
      "cublasLtMatmulPreferenceSetAttribute");
  Algorithms all;
  const cublasStatus_t status = cublasLtMatmulAlgoGetHeuristic(
      handle_, descriptor_, a_, b_, d_, d_, preference, std::min(most, Algorithms::kMost), all.found, &all.count);
  check(cublasLtMatmulPreferenceDestroy(preference), "cublasLtMatmulPreferenceDestroy");
  if (status != CUBLAS_STATUS_SUCCESS) all.count = 0;
  return all;
}

void* Plan::result(int set) const { return at(out_, set * 4 * product_.m * product_.n); }

bool Plan::run(const cublasLtMatmulAlgo_t& algorithm, int set, cudaStream_t stream) const {
  const Product& p = product_;
  const std::int64_t each = operand_bytes(p.precision);
  const float one = 1, zero = 0;
  return cublasLtMatmul(handle_, descriptor_, &one, at(first_, set * each * p.m * p.k), a_,
                        at(second_, set * each * p.k * p.n), b_, &zero, result(set), d_, result(set), d_, &algorithm,
                        workspace_.data(), static_cast<std::size_t>(kWorkspace), stream) == CUBLAS_STATUS_SUCCESS;
}

}  // namespace genexx::bench::device
