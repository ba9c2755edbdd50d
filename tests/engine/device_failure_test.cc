// SPDX-License-Identifier: Apache-2.0
#include "engine/device_failure.h"

#include <doctest/doctest.h>

using namespace genexx;

namespace {

std::string said_of(const std::string& name) { return to_string({.call = "cudaMalloc", .name = name, .text = "why"}); }

void check_says(const std::string& name, const char* words) {
  CAPTURE(name);
  CHECK(said_of(name).find(words) != std::string::npos);
}

}  // namespace

TEST_CASE("device_failure: names call, text and status before it says what to do") {
  CHECK(said_of("cudaErrorNoDevice").rfind("cudaMalloc failed: why (cudaErrorNoDevice); no GPU is visible", 0) == 0);
}

TEST_CASE("device_failure: each kind of failure has its own advice") {
  check_says("cudaErrorInsufficientDriver", "update the driver, or use --device cpu");
  check_says("cudaErrorSystemDriverMismatch", "update the driver");
  check_says("cudaErrorNoDevice", "CUDA_VISIBLE_DEVICES");
  check_says("cudaErrorSystemNotReady", "does not start");
  check_says("cudaErrorDevicesUnavailable", "held by another process");
  check_says("cudaErrorNoKernelImageForDevice", "-DGENEXX_CUDA_ARCHITECTURES=native");
  check_says("cudaErrorUnsupportedPtxVersion", "no code for this GPU");
  check_says("cudaErrorMemoryAllocation", "fewer replicas");
  check_says("cudaErrorECCUncorrectable", "the GPU was lost");
  check_says("cudaErrorECCUncorrectable", "--resume");
  check_says("cudaErrorIllegalAddress", "a kernel of this program went wrong");
}

TEST_CASE("device_failure: a status nobody thought of still says how to find out more") {
  check_says("cudaErrorTextureNotBound", "CUDA_LAUNCH_BLOCKING=1");
}
