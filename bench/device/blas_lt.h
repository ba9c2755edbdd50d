// SPDX-License-Identifier: Apache-2.0
// Products by cuBLASLt with everything that can be chosen: types, epilogue, algorithm. For measurements alone.
#pragma once

#include <cublasLt.h>

#include <string>

#include "bench/device/timing.h"

namespace genexx::bench::device {

enum class Class { fp32, tf32, bf16 };
const char* name_of(Class precision);
inline std::int64_t operand_bytes(Class precision) { return precision == Class::bf16 ? 2 : 4; }

// Column-major D[m, n] = op(A) op(B), sums and D in f32; with an epilogue D may be of the operands' type.
struct Product {
  std::string name;
  std::int64_t m = 0, n = 0, k = 0;
  cublasOperation_t a = CUBLAS_OP_N, b = CUBLAS_OP_N;
  Class precision = Class::fp32;
  cublasLtEpilogue_t epilogue = CUBLASLT_EPILOGUE_DEFAULT;

  double flop() const { return 2.0 * static_cast<double>(m) * static_cast<double>(n) * static_cast<double>(k); }
  std::int64_t bytes() const { return operand_bytes(precision) * (m * k + k * n) + 4 * m * n; }
};

inline void check(cublasStatus_t status, const char* what) {
  if (status == CUBLAS_STATUS_SUCCESS) return;
  std::fprintf(stderr, "%s: cuBLAS status %d\n", what, static_cast<int>(status));
  std::exit(1);
}

// What cuBLASLt offers for a product. An array: nvcc 13.0 cannot compile a vector of these.
struct Algorithms {
  static constexpr int kMost = 64;
  int count = 0;
  cublasLtMatmulHeuristicResult_t found[kMost] = {};
};

// Descriptors, workspace and operands of one product, in several sets so that the L2 stays cold.
class Plan {
 public:
  Plan(cublasLtHandle_t handle, const Product& product, int sets);
  ~Plan();
  Plan(const Plan&) = delete;
  Plan& operator=(const Plan&) = delete;

  // Up to `most` algorithms, the one cuBLASLt likes best first; none where the product or its epilogue is not
  // supported.
  Algorithms algorithms(int most) const;
  // False where the algorithm refuses.
  bool run(const cublasLtMatmulAlgo_t& algorithm, int set, cudaStream_t stream) const;
  int sets() const { return sets_; }
  void* result(int set) const;

 private:
  Product product_;
  cublasLtHandle_t handle_;
  int sets_;
  cublasLtMatmulDesc_t descriptor_ = nullptr;
  cublasLtMatrixLayout_t a_ = nullptr, b_ = nullptr, d_ = nullptr;
  Memory first_, second_, out_, bias_, auxiliary_, workspace_;
};

}  // namespace genexx::bench::device
