// SPDX-License-Identifier: Apache-2.0
// Turns a CUDA status into an Error, once, here.
#pragma once

#include <cuda_runtime_api.h>

#include "engine/error.h"

namespace genexx {

// Throws DeviceError with the call's name, CUDA's text and the place.
inline void check(cudaError_t status, const char* call, CodeLocation at = CodeLocation::here()) {
  if (status == cudaSuccess) return;
  throw DeviceError(std::string(call) + " failed: " + cudaGetErrorString(status) + " (" + cudaGetErrorName(status) +
                    ") at " + at.file + ":" + std::to_string(at.line));
}

}  // namespace genexx
