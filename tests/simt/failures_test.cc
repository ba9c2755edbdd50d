// SPDX-License-Identifier: Apache-2.0
// What the library says when a device is missing, full or lost.
#include "tests/simt/failures.h"

#include <doctest/doctest.h>

#include "engine/cuda/cuda_context.h"
#include "engine/device.h"
#include "engine/error.h"
#include "tests/simt/execution.h"

using namespace genexx;
using simt::FailureScope;

namespace {

// The message of the DeviceError that `body` ends with; empty when it does not.
template <class F>
std::string device_error(F&& body) {
  try {
    body();
  } catch (const DeviceError& error) {
    CHECK(error.code() == ExitCode::device);
    return error.what();
  }
  return "";
}

bool contains(const std::string& text, const char* words) { return text.find(words) != std::string::npos; }

}  // namespace

TEST_CASE("device failures: no device, an old driver and a program without code for the device are told apart") {
  const auto said = [](const simt::Failures& failures) {
    const FailureScope scope(failures);
    return device_error([] { make_context("cuda:0", nullptr); });
  };

  CHECK(contains(said({.no_device = "cudaErrorNoDevice", .no_code = ""}), "no GPU is visible to this process"));
  CHECK(contains(said({.no_device = "cudaErrorInsufficientDriver", .no_code = ""}), "update the driver"));
  CHECK(contains(said({.no_device = "", .no_code = "cudaErrorNoKernelImageForDevice"}),
                 "holds no code for this GPU's architecture"));
  CHECK(device_error([] { make_context("cuda:0", nullptr); }).empty());
}

TEST_CASE("device failures: without a usable device auto is the CPU") {
  const FailureScope scope({.no_device = "cudaErrorInsufficientDriver", .no_code = ""});

  CHECK(make_context("auto", nullptr)->device() == DeviceType::cpu);
}

TEST_CASE("device failures: memory that runs out all the same is said with what was asked for and what is free") {
  CudaContext ctx(0);
  const auto before = static_cast<std::int64_t>(simt::device_bytes());
  const FailureScope scope({.no_device = "", .no_code = "", .memory = before + 1000});
  const Buffer some(ctx, 600);

  const std::string said = device_error([&] { Buffer(ctx, 700); });

  CHECK(contains(said, "out of memory on cuda:0: 700 bytes were asked for, 400 of "));
}

TEST_CASE("device failures: a device lost in a copy ends the copy") {
  CudaContext ctx(0);
  const Buffer buffer(ctx, 8);
  const FailureScope scope({.no_device = "", .no_code = "", .lost_after = 1, .lost_as = "cudaErrorIllegalAddress"});
  double value = 1;
  ctx.copy_to_device(buffer.data(), &value, 8);

  CHECK(contains(device_error([&] { ctx.copy_to_host(&value, buffer.data(), 8); }),
                 "a kernel of this program went wrong"));
}
