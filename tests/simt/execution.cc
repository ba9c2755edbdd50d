// SPDX-License-Identifier: Apache-2.0
#include "tests/simt/execution.h"

#include <sys/mman.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <new>
#include <utility>

#include "tests/simt/machine.h"

namespace genexx::simt {
namespace {

constexpr std::size_t kArenaPool = 64 * kArenaBytes;
constexpr std::size_t kRandomResident = 3;  // blocks that take turns under Order::random

// What the calling OS thread has to hear of its last launch.
struct LaunchReport {
  std::string error;
  bool unchecked = false;  // nobody has asked yet
};
thread_local LaunchReport own_launch;

std::uint64_t next_random(Device& d) {
  d.random ^= d.random << 13;
  d.random ^= d.random >> 7;
  d.random ^= d.random << 17;
  return d.random;
}

// ---------------------------------------------------------------------------------------------------- scheduling --
// Goes from the running thread, or from the scheduler (nullptr), to `to`, or to the scheduler (nullptr).
void go(Thread* from, Thread* to, Departure departure) {
  Device& d = device();
  if (to) {
    if (!to->fiber) to->fiber = d.fibers.take();
    to->state = State::ready;
    threadIdx = to->index;
    blockIdx = to->block->index;
  }
  d.current = to;
  switch_fiber(from ? *from->fiber : d.scheduler, to ? *to->fiber : d.scheduler, departure);
}

Thread* pick(Device& d) {
  if (d.ready.empty()) return nullptr;
  if (d.options.order == Order::random) std::swap(d.ready[next_random(d) % d.ready.size()], d.ready.back());
  Thread* thread = d.ready.back();
  d.ready.pop_back();
  return thread;
}

[[noreturn]] void exit_thread() {
  Device& d = device();
  Thread& t = *d.current;
  tsan_release(&d.end_token);
  t.state = State::done;
  leave_rendezvous(t);
  d.finished = &t;
  go(&t, nullptr, Departure::forever);
  std::abort();
}

// Where every fiber begins.
void thread_main() {
  fiber_started();
  Device& d = device();
  tsan_acquire(&d.start_token);
  d.launch.run_thread(d.launch.call);
  if (d.launch.early && !d.current->waited) {
    blame("it ends without wait_for_grid_ahead, in a launch that begins early");
    abandon();
  }
  exit_thread();
}

void drop_fiber(Device& d, Thread& t) {
  if (t.fiber) d.fibers.give(t.fiber);
  t.fiber = nullptr;
}

// --------------------------------------------------------------------------------------------------- shared memory --
// Under ThreadSanitizer blocks that run one after the other are concurrent, so no two of a launch may share memory.
char* fresh_arena(Device& d, std::size_t used_before) {
  const std::size_t kept = d.launch.kind == GridKind::cooperative ? kArenaBytes : used_before + kRedzone;
  d.pool_used += (kept + 127) / 128 * 128;
  if (d.arena_pools.empty() || d.pool_used + kArenaBytes > kArenaPool) {
    void* pool = mmap(nullptr, kArenaPool, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (pool == MAP_FAILED) throw std::bad_alloc();
    tsan_release(&d.start_token);
    d.arena_pools.push_back(pool);
    d.pool_used = 0;
  }
  return static_cast<char*>(d.arena_pools.back()) + d.pool_used;
}

void prepare_arena(Device& d, Block& block) {
  if (kTsan) {
    block.arena = fresh_arena(d, block.used);
  } else if (!block.own_arena) {
    block.own_arena.reset(static_cast<char*>(std::aligned_alloc(128, (kArenaBytes + 127) / 128 * 128)));
    if (!block.own_arena) throw std::bad_alloc();
    block.arena = block.own_arena.get();
    asan_poison(block.arena, kArenaBytes);
  } else {
    asan_poison(block.arena, block.used);
  }
  block.used = kTokenBytes;
  block.variables.clear();
  block.static_bytes = 0;
}

// A loop the compiler must leave alone: the sanitizers would hear memset.
void fill_quietly(char* memory, std::size_t bytes, Fill fill) {
  for (volatile char* p = memory; p != memory + bytes; ++p) *p = static_cast<char>(fill);
}

char* take_from_arena(Block& block, std::size_t bytes, std::size_t alignment) {
  const std::size_t at = (block.used + kRedzone + alignment - 1) / alignment * alignment;
  char* memory = block.arena + at;
  asan_unpoison(memory, bytes);
  fill_quietly(memory, bytes, device().options.fill);
  block.used = at + bytes;
  return memory;
}

// ------------------------------------------------------------------------------------------------------- launching --
void start_block(Device& d, Block& block) {
  const std::uint64_t number = d.block_order[d.next_block++];
  const dim3 grid = d.launch.grid, size = d.launch.block;
  prepare_arena(d, block);
  block.dynamic = d.launch.shared_bytes ? take_from_arena(block, d.launch.shared_bytes, 128) : nullptr;
  block.index = {static_cast<unsigned>(number % grid.x), static_cast<unsigned>(number / grid.x % grid.y),
                 static_cast<unsigned>(number / grid.x / grid.y)};
  block.size = block.live = size.x * size.y * size.z;
  block.arrived = block.barriers = 0;
  block.collecting = {};
  for (Warp& warp : block.warps) warp = {};
  block.threads.resize(block.size);
  for (unsigned rank = 0; rank < block.size; ++rank) {
    Thread& t = block.threads[rank];
    t = {};
    t.index = {rank % size.x, rank / size.x % size.y, rank / size.x / size.y};
    t.rank = rank;
    t.block = &block;
    // Made by the scheduler, because a context of ThreadSanitizer inherits what its maker has seen.
    if (kTsan) t.fiber = d.fibers.take();
  }
  wake(block, 0, block.size, [](const Thread&) { return true; });
}

// Says of the first block with threads that wait for ever who waits where.
void describe_deadlock(Device& d) {
  for (const std::unique_ptr<Block>& slot : d.slots) {
    const Block& block = *slot;
    if (block.live == 0 || !d.error.empty()) continue;
    d.error = "block " + place(block.index) + " can never finish: " + std::to_string(block.live) + " of " +
              std::to_string(block.size) + " threads still wait";
    const Thread* last = nullptr;
    for (const Thread& t : block.threads) {
      if (t.state == State::done || (last && same_place(t, *last))) continue;
      d.error += "; from thread " + place(t.index) + " on in " + t.operation + " at " + place(t.at);
      last = &t;
      if (d.error.size() > 600) break;
    }
  }
}

void run_blocks(Device& d) {
  while (d.error.empty()) {
    Thread* next = pick(d);
    if (!next) break;
    go(nullptr, next, Departure::comes_back);
    if (!d.finished) continue;
    Thread& t = *d.finished;  // only now does nobody stand on its stack
    d.finished = nullptr;
    drop_fiber(d, t);
    if (t.block->live == 0 && d.next_block < d.block_order.size()) start_block(d, *t.block);
  }
  describe_deadlock(d);
}

std::string find_broken_limit(const GridLaunch& launch) {
  const dim3 g = launch.grid, b = launch.block;
  if (!launch.stream) return "launched on the default stream: pass the stream of the context";
  const std::uint64_t threads = std::uint64_t{b.x} * b.y * b.z;
  if (threads == 0 || threads > kMostThreads || b.z > 64) {
    return "invalid block " + place(uint3{b.x, b.y, b.z}) + " of " + std::to_string(threads) + " threads";
  }
  if (g.x == 0 || g.y == 0 || g.z == 0 || g.x > 0x7FFFFFFFu || g.y > 65535 || g.z > 65535) {
    return "invalid grid " + place(uint3{g.x, g.y, g.z});
  }
  if (launch.shared_bytes > kSharedBytes) {
    return "dynamic shared memory of " + std::to_string(launch.shared_bytes) + " bytes, limit " +
           std::to_string(kSharedBytes);
  }
  const std::uint64_t blocks = std::uint64_t{g.x} * g.y * g.z;
  const std::uint64_t together = launch.kind == GridKind::cooperative ? threads * blocks : threads;
  if (kTsan && together > FiberPool::kTsanContexts) {
    return std::to_string(together) + " threads at a time, but races can be seen among " +
           std::to_string(FiberPool::kTsanContexts) + " only: take the block size from genexx::block_threads";
  }
  return "";
}

void order_blocks(Device& d) {
  const dim3 g = d.launch.grid;
  const std::uint64_t count = std::uint64_t{g.x} * g.y * g.z;
  d.block_order.resize(count);
  for (std::uint64_t i = 0; i < count; ++i) d.block_order[i] = d.options.order == Order::reverse ? count - 1 - i : i;
  if (d.options.order != Order::random) return;
  for (std::uint64_t i = count; i > 1; --i) std::swap(d.block_order[i - 1], d.block_order[next_random(d) % i]);
}

std::size_t resident_blocks(const Device& d) {
  if (d.launch.kind == GridKind::cooperative) return d.block_order.size();
  if (kTsan || d.options.order != Order::random) return 1;
  return std::min<std::size_t>(kRandomResident, d.block_order.size());
}

// After the launch. Threads of a launch that failed stand where they stood; nothing on their stacks is unwound.
void forget_threads(Device& d) {
  d.current = d.finished = nullptr;
  d.ready.clear();
  for (const std::unique_ptr<Block>& slot : d.slots) {
    for (Thread& t : slot->threads) {
      if (t.fiber) tsan_release_as(*t.fiber, &d.end_token);
      drop_fiber(d, t);
    }
    slot->threads.clear();
    slot->size = slot->live = 0;
  }
}

void run_launch(Device& d) {
  d.scheduler = adopt_os_thread();
  d.fibers.start_launch();
  d.random = (d.options.seed * 0x9E3779B97F4A7C15ull) | 1;
  order_blocks(d);
  d.next_block = d.arrived_at_grid = 0;
  d.grid_threads = d.block_order.size() * d.launch.block.x * d.launch.block.y * d.launch.block.z;
  blockDim = d.launch.block;
  gridDim = d.launch.grid;
  tsan_release(&d.start_token);
  while (d.slots.size() < resident_blocks(d)) d.slots.push_back(std::make_unique<Block>());
  // Started last, run first.
  for (std::size_t i = resident_blocks(d); i-- > 0;) start_block(d, *d.slots[i]);
  run_blocks(d);
  forget_threads(d);
  tsan_acquire(&d.end_token);
  for (void* pool : d.arena_pools) munmap(pool, kArenaPool);
  d.arena_pools.clear();
}

}  // namespace

Device::Device() : fibers(thread_main) {}

void wait_in(State state) {
  Device& d = device();
  d.current->state = state;
  go(d.current, pick(d), Departure::comes_back);
}

void blame(const std::string& message) {
  Device& d = device();
  const Thread& t = *d.current;
  d.error = "block " + place(t.block->index) + " thread " + place(t.index) + ": " + message;
}

void abandon() {
  go(device().current, nullptr, Departure::forever);
  std::abort();
}

std::string place(uint3 p) {
  return "(" + std::to_string(p.x) + "," + std::to_string(p.y) + "," + std::to_string(p.z) + ")";
}

std::string place(CodeLocation at) { return std::string(at.file) + ":" + std::to_string(at.line); }

bool same_text(const char* a, const char* b) { return a == b || std::strcmp(a, b) == 0; }

bool same_place(const Thread& a, const Thread& b) {
  return a.at.line == b.at.line && same_text(a.at.file, b.at.file) && same_text(a.operation, b.operation);
}

// --------------------------------------------------------------------------------------------------------- options --
Options options() { return device().options; }

void set_options(const Options& options) { device().options = options; }

Options parse_options(const std::string& text) {
  Options parsed;
  std::string order = text;
  const auto ends_with = [&](const std::string& word) {
    const bool found = order.size() > word.size() && order.compare(order.size() - word.size(), word.size(), word) == 0;
    if (found) order.resize(order.size() - word.size());
    return found;
  };
  parsed.queued = ends_with(",queued");
  if (ends_with(",large")) parsed.fill = Fill::large;
  bool known = order == "forward";
  if (order == "reverse") {
    parsed.order = Order::reverse;
    known = true;
  }
  if (order.compare(0, 7, "random:") == 0) {
    char* end = nullptr;
    parsed.order = Order::random;
    parsed.seed = std::strtoull(order.c_str() + 7, &end, 10);
    known = order.size() > 7 && *end == '\0';
  }
  if (!known) {
    throw UsageError("order of GPU threads is '" + text +
                     "', expected forward, reverse or random:SEED, with or without ',large' and ',queued' after it");
  }
  return parsed;
}

void fill_unwritten(void* memory, std::size_t bytes) {
  std::memset(memory, static_cast<int>(device().options.fill), bytes);
}

// ---------------------------------------------------------------------------------------- the door of simt.h --
namespace {

std::atomic<std::int64_t>& given() {
  static std::atomic<std::int64_t> works{0};
  return works;
}

}  // namespace

std::int64_t works_given() { return given(); }
void count_work() { ++given(); }

void run_grid(const GridLaunch& launch) {
  if (own_launch.unchecked) {
    own_launch.error = "the launch before this one was not followed by check_launch";
    return;
  }
  own_launch.unchecked = true;
  Device& d = device();
  const std::lock_guard<std::mutex> lock(d.one_launch);
  d.error = find_broken_limit(launch);
  if (d.error.empty()) {
    d.launch = launch;
    run_launch(d);
  }
  own_launch.error = std::exchange(d.error, {});
}

std::string take_launch_error() {
  own_launch.unchecked = false;
  return std::exchange(own_launch.error, {});
}

void wait_for_grid_ahead() { device().current->waited = true; }

void* shared_variable(const void* key, std::size_t bytes, std::size_t alignment, CodeLocation at) {
  Block& block = *device().current->block;
  for (const SharedVariable& v : block.variables) {
    if (v.key == key) return v.memory;
  }
  block.static_bytes += bytes;
  const std::size_t all_bytes = block.static_bytes + device().launch.shared_bytes;
  if (block.static_bytes > kStaticSharedBytes) {
    blame(place(at) + ": static shared memory of " + std::to_string(block.static_bytes) + " bytes, limit " +
          std::to_string(kStaticSharedBytes));
    abandon();
  }
  if (all_bytes > kSharedBytes) {
    blame(place(at) + ": shared memory of " + std::to_string(all_bytes) + " bytes in all, limit " +
          std::to_string(kSharedBytes));
    abandon();
  }
  if (block.variables.size() == kMostVariables) {
    blame(place(at) + ": too many shared variables");
    abandon();
  }
  block.variables.push_back({key, take_from_arena(block, bytes, std::max<std::size_t>(alignment, 16))});
  return block.variables.back().memory;
}

void* dynamic_shared(CodeLocation at) {
  const Block& block = *device().current->block;
  if (!block.dynamic) {
    blame(place(at) + ": dynamic shared memory in a launch without any");
    abandon();
  }
  return block.dynamic;
}

}  // namespace genexx::simt
