// SPDX-License-Identifier: Apache-2.0
// What the emulated machine is made of, for the emulator's own three source files. They are compiled without
// instrumentation, because what the emulator does to its own state must stay invisible to the sanitizers that watch the
// kernels; so nothing else may include this header, or template instances of both kinds would mix.
//   fiber.cc       stacks, the switch, and all that knows a sanitizer
//   execution.cc   launching, scheduling, shared memory
//   rendezvous.cc  barriers and warp operations
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "tests/simt/execution.h"

namespace genexx::simt {

#if defined(GENEXX_SIMT_TSAN)
inline constexpr bool kTsan = true;
#else
inline constexpr bool kTsan = false;
#endif

// --------------------------------------------------------------------------------------------------------- fibers --
// A stack and where execution stands on it. The stack of the OS thread is one too (see `adopt_os_thread`).
struct Fiber {
  void* stack_pointer = nullptr;  // while it does not run
  char* stack = nullptr;          // lowest address
  std::size_t stack_bytes = 0;
  void* asan_stack = nullptr;    // AddressSanitizer's own record of the stack, kept over a switch
  void* tsan_context = nullptr;  // what ThreadSanitizer takes for a thread
  std::size_t number = 0;        // in its pool
};

enum class Departure { comes_back, forever };

// The calling OS thread as a fiber, so that others can switch back to it.
Fiber adopt_os_thread();

// Leaves `from`, which must be the running fiber, and goes on with `to`. Returns when somebody switches to `from`
// again, never after Departure::forever. Carries no ordering of memory with it in the eyes of ThreadSanitizer.
void switch_fiber(Fiber& from, Fiber& to, Departure departure);

// The first thing a fresh fiber has to call.
void fiber_started();

// Stacks for GPU threads, mapped on demand with a guard page below, and reused.
class FiberPool {
 public:
  // Under ThreadSanitizer this many fibers can be told apart at once: the runtime of clang 14 has 256 slots, and beyond
  // them it loses races without a word. Elsewhere there is no limit.
  static constexpr std::size_t kTsanContexts = 240;

  // `entry` is what a fresh fiber runs; it must not return.
  explicit FiberPool(void (*entry)()) : entry_(entry) {}
  ~FiberPool();
  FiberPool(const FiberPool&) = delete;
  FiberPool& operator=(const FiberPool&) = delete;

  // A fiber that stands at the start of `entry`. Under ThreadSanitizer a stack and its context stay together for ever
  // and come back only after kTsanContexts others, or in the next launch.
  Fiber* take();
  // Takes a fiber back that will not run any more. Its stack is reused as it stands, nothing on it is unwound.
  void give(Fiber* fiber);
  void start_launch() { next_ = 0; }

 private:
  Fiber* make();
  void set_to_entry(Fiber& fiber) const;

  void (*entry_)();
  std::vector<std::unique_ptr<Fiber>> fibers_;
  std::vector<Fiber*> free_;  // given back; not used under ThreadSanitizer
  std::size_t next_ = 0;      // under ThreadSanitizer: the fiber to hand out next
};

// Orderings of memory as ThreadSanitizer hears of them: who acquires `token` has seen all that was done before it was
// released. Nothing elsewhere.
void tsan_release(void* token);
void tsan_acquire(void* token);
// The release `fiber`, which will not run again, can no longer do itself.
void tsan_release_as(Fiber& fiber, void* token);

// Marks bytes as out of bounds, or as in bounds, for AddressSanitizer. Nothing elsewhere.
void asan_poison(void* from, std::size_t bytes);
void asan_unpoison(void* from, std::size_t bytes);

// -------------------------------------------------------------------------------------------------- what it runs --
inline constexpr unsigned kWarpSize = 32;
inline constexpr unsigned kMostVariables = 64;  // of shared memory in a block
inline constexpr std::size_t kRedzone = 64;
inline constexpr std::size_t kTokenBytes = 16 * (kMostThreads + 1);  // see Block::token
inline constexpr std::size_t kArenaBytes = kTokenBytes + kSharedBytes + kMostVariables * (kRedzone + 128);

enum class State { fresh, ready, at_block_barrier, at_grid_barrier, in_warp_operation, done };
enum class Exchange { barrier, ballot, shuffle };

struct Block;

// A GPU thread.
struct Thread {
  uint3 index{};
  unsigned rank = 0;  // in its block
  Block* block = nullptr;
  Fiber* fiber = nullptr;  // from its first step to its last
  State state = State::fresh;
  bool waited = false;         // for the grid ahead
  const char* operation = "";  // where it waits
  CodeLocation at{"", 0};
  // Its part in the pending operation of its warp.
  std::uint32_t mask = 0;
  Exchange exchange = Exchange::barrier;
  int source = 0;
  std::uint32_t ballot = 0;
  bool predicate = false;
  ShuffleValue operand, result;
  unsigned led = 0;  // operations completed whose mask has this lane as its lowest
};

struct Warp {
  std::uint32_t exited = 0, waiting = 0;
};

struct SharedVariable {
  const void* key;
  char* memory;
};

struct Block {
  uint3 index{};
  unsigned size = 0, live = 0, arrived = 0;  // threads
  unsigned barriers = 0;                     // completed
  const Thread* first_at_barrier = nullptr;
  BlockVote collecting, vote;
  std::vector<Thread> threads;
  Warp warps[kMostThreads / kWarpSize];
  std::vector<SharedVariable> variables;
  std::size_t static_bytes = 0;
  std::unique_ptr<char, void (*)(void*)> own_arena{nullptr, std::free};  // not used under ThreadSanitizer
  char* arena = nullptr;  // kArenaBytes; the first kTokenBytes are never touched
  std::size_t used = kTokenBytes;
  char* dynamic = nullptr;

  // Addresses by which ThreadSanitizer hears of barriers: two for every barrier in turn, or a slow thread would inherit
  // from the next one. They lie in the arena because that is fresh for every block: tokens that outlived a block would
  // order it before the next one on the same slot and hide races between blocks.
  char* token(unsigned completed) const { return arena + 8 * (completed & 1); }
  char* warp_token(const Thread& leader) const { return arena + 16 * (1 + leader.rank) + 8 * (leader.led & 1); }
};

// The one device there is.
struct Device {
  Device();

  std::mutex one_launch;
  Options options;
  FiberPool fibers;
  Fiber scheduler;
  std::vector<std::unique_ptr<Block>> slots;  // blocks in work
  std::vector<Thread*> ready;      // a stack: released lanes run before fresh threads, so that few stacks are hot
  std::vector<void*> arena_pools;  // of this launch, under ThreadSanitizer
  std::size_t pool_used = 0;       // of the last pool
  GridLaunch launch;
  Thread* current = nullptr;
  Thread* finished = nullptr;  // left its fiber for the last time
  std::vector<std::uint64_t> block_order;
  std::uint64_t next_block = 0;
  std::uint64_t arrived_at_grid = 0, grid_threads = 0;
  unsigned grid_barriers = 0;
  std::uint64_t random = 1;
  std::string error;  // of the launch that runs
  char start_token = 0, end_token = 0, fence_token = 0, grid_tokens[16] = {};
};

inline Device& device() {
  static Device the_device;
  return the_device;
}

// ----------------------------------------------------------------------------------- what rendezvous.cc asks for --
// The running thread waits in `state` until somebody wakes it; meanwhile others run.
void wait_in(State state);

// Ends the launch: `blame` notes a message about the running thread, `abandon` leaves it for ever. Two calls, because
// what lives on the thread's stack when it is left is never destroyed.
void blame(const std::string& message);
[[noreturn]] void abandon();

std::string place(uint3 p);
std::string place(CodeLocation at);
bool same_text(const char* a, const char* b);
bool same_place(const Thread& a, const Thread& b);

// Makes ready the threads [first, first + count) of `block` that are chosen, in the order of the launch.
template <class Chosen>
void wake(Block& block, unsigned first, unsigned count, Chosen chosen) {
  Device& d = device();
  for (unsigned i = 0; i < count; ++i) {
    // The last one pushed runs first.
    Thread& thread = block.threads[first + (d.options.order == Order::reverse ? i : count - 1 - i)];
    if (!chosen(thread)) continue;
    thread.state = State::ready;
    d.ready.push_back(&thread);
  }
}

// -------------------------------------------------------------------------------- what execution.cc asks for --
// `t` exits: barriers and warp operations wait for it no longer.
void leave_rendezvous(Thread& t);

}  // namespace genexx::simt
