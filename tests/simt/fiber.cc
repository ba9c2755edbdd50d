// SPDX-License-Identifier: Apache-2.0
#include "tests/simt/machine.h"

#include <pthread.h>
#include <sys/mman.h>

#include <new>

#if defined(GENEXX_SIMT_ASAN)
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif
#if defined(GENEXX_SIMT_TSAN)
#include <sanitizer/tsan_interface.h>
#endif

namespace genexx::simt {
namespace {

#if defined(GENEXX_SIMT_ASAN)
constexpr std::size_t kStackBytes = 256 * 1024;  // redzones around every local array
#else
constexpr std::size_t kStackBytes = 64 * 1024;
#endif
constexpr std::size_t kPage = 4096;

}  // namespace

// Saves what a callee must preserve on the running stack, stores its stack pointer in *save and takes `to` up. The
// control words of the floating-point units are not switched: no kernel changes them.
extern "C" void genexx_simt_switch(void** save, void* to);
asm(R"(
.text
.p2align 4
.type genexx_simt_switch, @function
genexx_simt_switch:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
.size genexx_simt_switch, .-genexx_simt_switch
)");

Fiber adopt_os_thread() {
  Fiber fiber;
  pthread_attr_t attributes;
  void* lowest = nullptr;
  pthread_getattr_np(pthread_self(), &attributes);
  pthread_attr_getstack(&attributes, &lowest, &fiber.stack_bytes);
  pthread_attr_destroy(&attributes);
  fiber.stack = static_cast<char*>(lowest);
#if defined(GENEXX_SIMT_TSAN)
  fiber.tsan_context = __tsan_get_current_fiber();
#endif
  return fiber;
}

void switch_fiber(Fiber& from, Fiber& to, Departure departure) {
#if defined(GENEXX_SIMT_ASAN)
  __sanitizer_start_switch_fiber(departure == Departure::forever ? nullptr : &from.asan_stack, to.stack,
                                 to.stack_bytes);
#else
  (void)departure;
#endif
#if defined(GENEXX_SIMT_TSAN)
  __tsan_switch_to_fiber(to.tsan_context, __tsan_switch_to_fiber_no_sync);
#endif
  genexx_simt_switch(&from.stack_pointer, to.stack_pointer);
#if defined(GENEXX_SIMT_ASAN)
  __sanitizer_finish_switch_fiber(from.asan_stack, nullptr, nullptr);
#endif
}

void fiber_started() {
#if defined(GENEXX_SIMT_ASAN)
  __sanitizer_finish_switch_fiber(nullptr, nullptr, nullptr);
#endif
}

FiberPool::~FiberPool() {
  for (const std::unique_ptr<Fiber>& fiber : fibers_) munmap(fiber->stack - kPage, fiber->stack_bytes + kPage);
}

Fiber* FiberPool::make() {
  void* memory = mmap(nullptr, kPage + kStackBytes + kPage, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) throw std::bad_alloc();
  mprotect(memory, kPage, PROT_NONE);  // an overflow of the stack faults instead of eating its neighbour
  fibers_.push_back(std::make_unique<Fiber>());
  Fiber& fiber = *fibers_.back();
  fiber.number = fibers_.size() - 1;
  fiber.stack = static_cast<char*>(memory) + kPage;
  fiber.stack_bytes = kStackBytes + kPage;
#if defined(GENEXX_SIMT_TSAN)
  fiber.tsan_context = __tsan_create_fiber(0);
#endif
  return &fiber;
}

// The stack as `genexx_simt_switch` would have left it, with `entry_` to return to. Stacks begin at different offsets
// in their page: all at the same one would put the hot lines of every fiber into the same few cache sets.
void FiberPool::set_to_entry(Fiber& fiber) const {
  asan_unpoison(fiber.stack, fiber.stack_bytes);
  const std::size_t offset = (fiber.number * 320) % kPage / 64 * 64;
  void** top = reinterpret_cast<void**>(fiber.stack + fiber.stack_bytes - offset);
  *--top = nullptr;  // return address of `entry_`
  *--top = reinterpret_cast<void*>(entry_);
  for (int saved_register = 0; saved_register < 6; ++saved_register) *--top = nullptr;
  fiber.stack_pointer = top;
}

Fiber* FiberPool::take() {
  Fiber* fiber = nullptr;
  if (kTsan) {
    if (next_ == kTsanContexts) next_ = 0;
    fiber = next_ == fibers_.size() ? make() : fibers_[next_].get();
    ++next_;
  } else if (free_.empty()) {
    fiber = make();
  } else {
    fiber = free_.back();
    free_.pop_back();
  }
  set_to_entry(*fiber);
  return fiber;
}

void FiberPool::give(Fiber* fiber) {
  if (!kTsan) free_.push_back(fiber);
}

void tsan_release([[maybe_unused]] void* token) {
#if defined(GENEXX_SIMT_TSAN)
  __tsan_release(token);
#endif
}

void tsan_acquire([[maybe_unused]] void* token) {
#if defined(GENEXX_SIMT_TSAN)
  __tsan_acquire(token);
#endif
}

void tsan_release_as([[maybe_unused]] Fiber& fiber, [[maybe_unused]] void* token) {
#if defined(GENEXX_SIMT_TSAN)
  void* own_context = __tsan_get_current_fiber();
  __tsan_switch_to_fiber(fiber.tsan_context, __tsan_switch_to_fiber_no_sync);
  __tsan_release(token);
  __tsan_switch_to_fiber(own_context, __tsan_switch_to_fiber_no_sync);
#endif
}

void asan_poison([[maybe_unused]] void* from, [[maybe_unused]] std::size_t bytes) {
#if defined(GENEXX_SIMT_ASAN)
  __asan_poison_memory_region(from, bytes);
#endif
}

void asan_unpoison([[maybe_unused]] void* from, [[maybe_unused]] std::size_t bytes) {
#if defined(GENEXX_SIMT_ASAN)
  __asan_unpoison_memory_region(from, bytes);
#endif
}

}  // namespace genexx::simt
