// SPDX-License-Identifier: Apache-2.0
// Turns a CUDA status into an Error, once, here.
#pragma once

#include <cuda_runtime_api.h>

#include "engine/device_failure.h"
#include "engine/error.h"

namespace genexx {

// Throws DeviceError with the call's name, CUDA's text, the place and what to do about it.
inline void check(cudaError_t status, const char* call, CodeLocation at = CodeLocation::here()) {
  if (status == cudaSuccess) return;
  throw DeviceError(
      to_string(DeviceFailure{.call = std::string(call) + " at " + at.file + ":" + std::to_string(at.line),
                              .name = cudaGetErrorName(status),
                              .text = cudaGetErrorString(status)}));
}

}  // namespace genexx
