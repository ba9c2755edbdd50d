// SPDX-License-Identifier: Apache-2.0
// The emulated device's memory: ordinary memory of exactly the size asked for, so that AddressSanitizer sees the byte
// behind it, or, with Options::queued, pages of its own that only a DeviceAccess opens; with a record of what is
// allocated.
#include <sys/mman.h>

#include <cstdlib>
#include <map>
#include <mutex>

#include "engine/device_failure.h"
#include "tests/simt/execution.h"
#include "tests/simt/failures.h"

namespace genexx::simt {
namespace {

struct Allocation {
  std::size_t bytes = 0;
  std::size_t mapped = 0;  // bytes of its own pages; 0: none
};

struct Memory {
  std::mutex mutex;
  std::map<const char*, Allocation> allocations;  // by begin
  std::size_t bytes = 0;
  std::size_t closed = 0;  // allocations with pages of their own
  int access = 0;          // DeviceAccess that live
};

Memory& device_memory() {
  static Memory memory;
  return memory;
}

constexpr std::size_t kPage = 4096;

void* allocate_pages(std::size_t bytes) {
  void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return memory == MAP_FAILED ? nullptr : memory;
}

void* allocate_bytes(std::size_t bytes) {
  void* memory = nullptr;
  return posix_memalign(&memory, 256, bytes) == 0 ? memory : nullptr;
}

void protect_all(const Memory& all, int protection) {
  if (all.closed == 0) return;
  for (const auto& [begin, allocation] : all.allocations)
    if (allocation.mapped > 0) mprotect(const_cast<char*>(begin), allocation.mapped, protection);
}

void expect_room(const Memory& all, std::size_t bytes) {
  const std::int64_t limit = failures().memory;
  if (limit < 0 || static_cast<std::int64_t>(all.bytes + bytes) <= limit) return;
  throw DeviceError(
      out_of_memory(0, static_cast<std::int64_t>(bytes), {limit - static_cast<std::int64_t>(all.bytes), limit}));
}

}  // namespace

void* allocate_device(std::size_t bytes) {
  Memory& all = device_memory();
  const std::lock_guard<std::mutex> lock(all.mutex);
  expect_room(all, bytes);
  const std::size_t least = bytes ? bytes : 1, mapped = options().queued ? (least + kPage - 1) / kPage * kPage : 0;
  void* const memory = mapped > 0 ? allocate_pages(mapped) : allocate_bytes(least);
  if (!memory)
    throw DeviceError("out of memory on the emulated device: " + std::to_string(bytes) + " bytes were asked for");
  fill_unwritten(memory, bytes);
  if (mapped > 0 && all.access == 0) mprotect(memory, mapped, PROT_NONE);
  all.allocations[static_cast<const char*>(memory)] = {bytes, mapped};
  all.bytes += bytes;
  all.closed += mapped > 0 ? 1 : 0;
  return memory;
}

void release_device(void* memory) noexcept {
  Memory& all = device_memory();
  const std::lock_guard<std::mutex> lock(all.mutex);
  const auto found = all.allocations.find(static_cast<const char*>(memory));
  if (found == all.allocations.end()) return std::free(memory);
  const Allocation allocation = found->second;
  all.allocations.erase(found);
  all.bytes -= allocation.bytes;
  if (allocation.mapped > 0) {
    munmap(memory, allocation.mapped);
    --all.closed;
  } else {
    std::free(memory);
  }
}

DeviceAccess::DeviceAccess() {
  Memory& all = device_memory();
  const std::lock_guard<std::mutex> lock(all.mutex);
  if (all.access++ == 0) protect_all(all, PROT_READ | PROT_WRITE);
}

DeviceAccess::~DeviceAccess() {
  Memory& all = device_memory();
  const std::lock_guard<std::mutex> lock(all.mutex);
  if (--all.access == 0) protect_all(all, PROT_NONE);
}

std::size_t device_bytes() {
  Memory& all = device_memory();
  const std::lock_guard<std::mutex> lock(all.mutex);
  return all.bytes;
}

void expect_device_memory(const char* what, const void* from, std::size_t bytes) {
  if (bytes == 0) return;
  const char* begin = static_cast<const char*>(from);
  Memory& all = device_memory();
  const std::lock_guard<std::mutex> lock(all.mutex);
  auto after = all.allocations.upper_bound(begin);
  if (after != all.allocations.begin()) {
    const auto& [start, allocation] = *--after;
    if (begin + bytes <= start + allocation.bytes) return;
    if (begin < start + allocation.bytes)
      throw DeviceError(std::string(what) + ": " + std::to_string(bytes) + " bytes at offset " +
                        std::to_string(begin - start) + " of device memory of " + std::to_string(allocation.bytes) +
                        " bytes");
  }
  throw DeviceError(std::string(what) + ": " + std::to_string(bytes) + " bytes that are not device memory");
}

}  // namespace genexx::simt
