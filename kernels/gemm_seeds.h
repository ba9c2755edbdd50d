// SPDX-License-Identifier: Apache-2.0
// The files of kernels/gemm_seeds/, compiled into programs with CUDA.
#pragma once

#include <string>
#include <vector>

namespace genexx::gemm {

std::vector<std::string> gemm_seeds();

}  // namespace genexx::gemm
