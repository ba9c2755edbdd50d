// SPDX-License-Identifier: Apache-2.0
#include "tests/simt/failures.h"

#include <atomic>

#include "engine/device_failure.h"
#include "engine/error.h"

namespace genexx::simt {
namespace {

struct State {
  Failures failures;
  std::atomic<std::int64_t> left{-1};  // pieces of work until the device is lost
};

State& state() {
  static State the_state;
  return the_state;
}

}  // namespace

const Failures& failures() { return state().failures; }

void set_failures(const Failures& failures) {
  state().failures = failures;
  state().left = failures.lost_after;
}

void expect_device() {
  State& s = state();
  if (s.failures.lost_after < 0) return;
  if (s.left.load() > 0) {
    --s.left;
    return;
  }
  throw DeviceError(to_string({.call = "emulated work", .name = s.failures.lost_as, .text = "as the test asked for"}));
}

}  // namespace genexx::simt
