// SPDX-License-Identifier: Apache-2.0
// Makes a device current for a scope and puts the caller's back, so the host program's choice is never changed.
#pragma once

#include <cuda_runtime_api.h>

#include "engine/cuda/check.h"

namespace genexx {

class DeviceGuard {
 public:
  explicit DeviceGuard(int ordinal) {
    check(cudaGetDevice(&previous_), "cudaGetDevice");
    if (previous_ != ordinal) check(cudaSetDevice(ordinal), "cudaSetDevice");
  }
  ~DeviceGuard() { cudaSetDevice(previous_); }
  DeviceGuard(const DeviceGuard&) = delete;
  DeviceGuard& operator=(const DeviceGuard&) = delete;

 private:
  int previous_ = 0;
};

}  // namespace genexx
