// SPDX-License-Identifier: Apache-2.0
// The emulated device's memory: ordinary memory of exactly the size asked for, so that AddressSanitizer sees the byte
// behind it, with a record of what is allocated.
#include <cstdlib>
#include <map>
#include <mutex>

#include "tests/simt/execution.h"

namespace genexx::simt {
namespace {

struct DeviceMemory {
  std::mutex mutex;
  std::map<const char*, std::size_t> allocations;  // begin and bytes
};

DeviceMemory& device_memory() {
  static DeviceMemory memory;
  return memory;
}

}  // namespace

void* allocate_device(std::size_t bytes) {
  void* memory = nullptr;
  if (posix_memalign(&memory, 256, bytes ? bytes : 1) != 0)
    throw DeviceError("out of memory on the emulated device: " + std::to_string(bytes) + " bytes were asked for");
  fill_unwritten(memory, bytes);
  DeviceMemory& all = device_memory();
  const std::lock_guard<std::mutex> lock(all.mutex);
  all.allocations[static_cast<const char*>(memory)] = bytes;
  return memory;
}

void release_device(void* memory) noexcept {
  DeviceMemory& all = device_memory();
  const std::lock_guard<std::mutex> lock(all.mutex);
  all.allocations.erase(static_cast<const char*>(memory));
  std::free(memory);
}

void expect_device_memory(const char* what, const void* from, std::size_t bytes) {
  if (bytes == 0) return;
  const char* begin = static_cast<const char*>(from);
  DeviceMemory& all = device_memory();
  const std::lock_guard<std::mutex> lock(all.mutex);
  auto after = all.allocations.upper_bound(begin);
  if (after != all.allocations.begin()) {
    const auto& [start, size] = *--after;
    if (begin + bytes <= start + size) return;
    if (begin < start + size)
      throw DeviceError(std::string(what) + ": " + std::to_string(bytes) + " bytes at offset " +
                        std::to_string(begin - start) + " of device memory of " + std::to_string(size) + " bytes");
  }
  throw DeviceError(std::string(what) + ": " + std::to_string(bytes) + " bytes that are not device memory");
}

}  // namespace genexx::simt
