// SPDX-License-Identifier: Apache-2.0
#include "tests/support/allocation_count.h"

#include <atomic>
#include <cerrno>
#include <cstddef>

#include "tests/support/sanitizer.h"

namespace {

std::atomic<bool> counting{false};
std::atomic<std::int64_t> asked{0};

}  // namespace

// The C library calls these in place of its own and offers its own under other names (glibc manual, 3.2.5, "Replacing
// malloc"). free stays what it is: it takes what __libc_malloc gave.
#if !GENEXX_SANITIZED
namespace {

void note() {
  if (counting.load(std::memory_order_relaxed)) asked.fetch_add(1, std::memory_order_relaxed);
}

}  // namespace

extern "C" {
void* __libc_malloc(std::size_t bytes);
void* __libc_calloc(std::size_t count, std::size_t bytes);
void* __libc_realloc(void* memory, std::size_t bytes);
void* __libc_memalign(std::size_t alignment, std::size_t bytes);

void* malloc(std::size_t bytes) {
  note();
  return __libc_malloc(bytes);
}
void* calloc(std::size_t count, std::size_t bytes) {
  note();
  return __libc_calloc(count, bytes);
}
void* realloc(void* memory, std::size_t bytes) {
  note();
  return __libc_realloc(memory, bytes);
}
void* aligned_alloc(std::size_t alignment, std::size_t bytes) {
  note();
  return __libc_memalign(alignment, bytes);
}
void* memalign(std::size_t alignment, std::size_t bytes) {
  note();
  return __libc_memalign(alignment, bytes);
}
int posix_memalign(void** memory, std::size_t alignment, std::size_t bytes) {
  note();
  *memory = __libc_memalign(alignment, bytes);
  return *memory ? 0 : ENOMEM;
}
}
#endif

namespace genexx::test {

AllocationCount::~AllocationCount() { counting = false; }

void AllocationCount::restart() {
  asked = 0;
  counting = true;
}

std::optional<std::int64_t> AllocationCount::calls() const {
  if (kSanitized) return std::nullopt;
  return asked.load();
}

}  // namespace genexx::test
