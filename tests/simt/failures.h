// SPDX-License-Identifier: Apache-2.0
// What shall go wrong with the emulated device, so that tests meet what no test machine has.
#pragma once

#include <cstdint>
#include <string>

namespace genexx::simt {

struct Failures {
  std::string no_device;         // what looking for devices ends with, such as "cudaErrorNoDevice"; empty: success
  std::string no_code;           // likewise loading the program's kernels
  std::int64_t memory = -1;      // bytes the device has; below 0: as many as the host
  std::int64_t lost_after = -1;  // so many more pieces of work succeed before the device is lost; below 0: all
  std::string lost_as = "cudaErrorECCUncorrectable";
};

const Failures& failures();
// From here on, and no device is lost any more.
void set_failures(const Failures& failures);

// Sets failures for a scope.
class FailureScope {
 public:
  explicit FailureScope(const Failures& failures) { set_failures(failures); }
  ~FailureScope() { set_failures({}); }
  FailureScope(const FailureScope&) = delete;
  FailureScope& operator=(const FailureScope&) = delete;
};

// One piece of work is about to be done. Throws DeviceError where the device is lost before it; as every later one.
void expect_device();

}  // namespace genexx::simt
