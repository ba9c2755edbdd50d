// SPDX-License-Identifier: Apache-2.0
#include "tests/support/peak_memory.h"

#include <malloc.h>

#include <fstream>
#include <string>

#include "tests/support/sanitizer.h"
#include "tests/support/skip.h"

namespace genexx::test {
namespace {

// A line "NAME:  N kB" of the process status, in bytes; -1 where there is none.
std::int64_t status_bytes(const std::string& name) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.rfind(name + ":", 0) == 0) return std::stoll(line.substr(name.size() + 1)) * 1024;
  }
  return -1;
}

// Sets the peak back to the present level; see proc(5), clear_refs.
bool reset_peak() {
  std::ofstream refs("/proc/self/clear_refs");
  refs << "5";
  return static_cast<bool>(refs.flush());
}

}  // namespace

std::optional<std::int64_t> peak_growth(const std::function<void()>& work) {
  ::malloc_trim(0);
  const bool measurable = !kSanitized && reset_peak();
  const std::int64_t before = status_bytes("VmRSS");
  work();
  const std::int64_t peak = status_bytes("VmHWM");
  if (measurable && before >= 0 && peak >= 0) return peak - before;
  if (!kSanitized) skip_test("needs a resettable peak in /proc/self/status");
  return std::nullopt;
}

}  // namespace genexx::test
