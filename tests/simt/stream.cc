// SPDX-License-Identifier: Apache-2.0
#include "tests/simt/execution.h"
#include "tests/simt/failures.h"

namespace genexx::simt {

void do_work(const std::function<void()>& work) {
  expect_device();
  const DeviceAccess access;
  work();
}

void drain(CUstream_st* stream) {
  if (!stream->queue) return;
  std::vector<std::function<void()>> work;
  work.swap(*stream->queue);  // what is behind a failure is dropped
  if (work.empty()) return;
  const DeviceAccess access;  // opens all memory once
  for (const std::function<void()>& each : work) {
    do_work(each);
    const std::string error = take_launch_error();
    if (!error.empty()) throw DeviceError("work of the stream: " + error);
  }
}

}  // namespace genexx::simt
