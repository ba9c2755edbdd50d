// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstdio>

#include "tests/simt/machine.h"

namespace genexx::simt {
namespace {

void open_block_barrier(Block& block) {
  block.vote = block.collecting;
  block.collecting = {};
  block.arrived = 0;
  ++block.barriers;
  wake(block, 0, block.size, [](const Thread& t) { return t.state == State::at_block_barrier; });
}

std::uint32_t lanes_of(const Block& block, unsigned warp) {
  const unsigned count = block.size - warp * kWarpSize;
  return count >= kWarpSize ? ~0u : (1u << count) - 1;
}

void exchange(Block& block, unsigned warp, std::uint32_t members, const Thread& caller) {
  Thread* lanes = &block.threads[warp * kWarpSize];
  std::uint32_t ballot = 0;
  for (unsigned i = 0; i < kWarpSize; ++i) {
    if ((members >> i & 1) && lanes[i].exchange == Exchange::ballot && lanes[i].predicate) ballot |= 1u << i;
  }
  for (unsigned i = 0; i < kWarpSize; ++i) {
    if (!(members >> i & 1)) continue;
    lanes[i].ballot = ballot;
    if (lanes[i].exchange != Exchange::shuffle) continue;
    if (!(members >> lanes[i].source & 1)) {
      blame(std::string(caller.operation) + " at " + place(caller.at) + ": lane " + std::to_string(i) + " reads lane " +
            std::to_string(lanes[i].source) + ", which does not take part: its value is undefined");
      abandon();
    }
    lanes[i].result = lanes[lanes[i].source].operand;
  }
}

std::string describe_mask(const Thread& t) {
  char mask[16];
  std::snprintf(mask, sizeof mask, "%08x", t.mask);
  return std::string(t.operation) + " at " + place(t.at) + " (mask " + mask + ")";
}

// Completes the operation `caller` waits in, if all lanes of its mask that still live wait there too.
bool try_complete(Block& block, unsigned warp, Thread& caller) {
  Warp& w = block.warps[warp];
  const std::uint32_t members = caller.mask & lanes_of(block, warp) & ~w.exited;
  if ((w.waiting & members) != members) return false;
  Thread* lanes = &block.threads[warp * kWarpSize];
  for (unsigned i = 0; i < kWarpSize; ++i) {
    if (!(members >> i & 1)) continue;
    if (lanes[i].mask != caller.mask || !same_text(lanes[i].operation, caller.operation)) {
      blame(describe_mask(caller) + " meets lane " + std::to_string(i) + " in " + describe_mask(lanes[i]));
      abandon();
    }
  }
  w.waiting &= ~members;
  ++lanes[__builtin_ctz(caller.mask)].led;
  exchange(block, warp, members, caller);
  const unsigned first = warp * kWarpSize;
  wake(block, first, std::min(kWarpSize, block.size - first),
       [&](const Thread& t) { return (members >> (t.rank % kWarpSize) & 1) && t.state == State::in_warp_operation; });
  return true;
}

// Sets the running thread's part up, and waits until the operation is complete.
void take_part(Thread& t, const WarpOperation& operation, Exchange kind) {
  const unsigned warp = t.rank / kWarpSize;
  t.operation = operation.name;
  t.at = operation.at;
  t.mask = operation.mask;
  t.exchange = kind;
  if (!(t.mask >> (t.rank % kWarpSize) & 1)) {
    blame(describe_mask(t) + " does not name the calling lane " + std::to_string(t.rank % kWarpSize));
    abandon();
  }
  t.block->warps[warp].waiting |= 1u << (t.rank % kWarpSize);
  if (!try_complete(*t.block, warp, t)) wait_in(State::in_warp_operation);
}

// Lanes may wait for `t` alone, which has just exited.
void release_warp_mates(Thread& t) {
  const unsigned warp = t.rank / kWarpSize;
  Warp& w = t.block->warps[warp];
  for (std::uint32_t left = w.waiting; left != 0; left &= w.waiting) {
    Thread& waiting = t.block->threads[warp * kWarpSize + static_cast<unsigned>(__builtin_ctz(left))];
    left &= ~waiting.mask;
    if (waiting.mask >> (t.rank % kWarpSize) & 1) try_complete(*t.block, warp, waiting);
  }
}

}  // namespace

void leave_rendezvous(Thread& t) {
  Block& block = *t.block;
  block.warps[t.rank / kWarpSize].exited |= 1u << (t.rank % kWarpSize);
  --block.live;
  release_warp_mates(t);
  // Compute capability 7.0 and later: a barrier waits for the threads that have not exited.
  if (block.live != 0 && block.arrived == block.live) open_block_barrier(block);
}

BlockVote block_barrier(const char* operation, int predicate, CodeLocation at) {
  Thread& t = *device().current;
  Block& block = *t.block;
  t.operation = operation;
  t.at = at;
  if (block.arrived == 0) block.first_at_barrier = &t;
  if (!same_place(t, *block.first_at_barrier)) {
    const Thread& other = *block.first_at_barrier;
    blame(std::string("divergent barrier: ") + operation + " at " + place(at) +
          " while other threads of the block wait in " + other.operation + " at " + place(other.at));
    abandon();
  }
  block.collecting.any |= predicate != 0;
  block.collecting.all &= predicate != 0;
  block.collecting.count += predicate != 0;
  char* token = block.token(block.barriers);
  tsan_release(token);
  if (++block.arrived == block.live) {
    open_block_barrier(block);  // the last one in goes on without a switch
  } else {
    wait_in(State::at_block_barrier);
  }
  tsan_acquire(token);
  return block.vote;
}

void grid_barrier(CodeLocation at) {
  Device& d = device();
  Thread& t = *d.current;
  t.operation = "grid_sync";
  t.at = at;
  if (d.launch.kind != GridKind::cooperative) {
    blame("grid_sync at " + place(at) + " in a launch that is not cooperative");
    abandon();
  }
  char* token = &d.grid_tokens[8 * (d.grid_barriers & 1)];
  tsan_release(token);
  if (++d.arrived_at_grid == d.grid_threads) {
    d.arrived_at_grid = 0;
    ++d.grid_barriers;
    for (const std::unique_ptr<Block>& slot : d.slots) {
      wake(*slot, 0, slot->size, [](const Thread& w) { return w.state == State::at_grid_barrier; });
    }
  } else {
    wait_in(State::at_grid_barrier);
  }
  tsan_acquire(token);
}

void memory_fence() {
  tsan_release(&device().fence_token);
  tsan_acquire(&device().fence_token);
}

unsigned lane() { return device().current->rank % kWarpSize; }

void warp_barrier(const WarpOperation& operation) {
  Thread& t = *device().current;
  // All lanes of one mask agree on its lowest lane, and so on a token.
  const unsigned lowest = operation.mask ? static_cast<unsigned>(__builtin_ctz(operation.mask)) : 0;
  const unsigned leader = t.rank / kWarpSize * kWarpSize + lowest;
  char* token = leader < t.block->size ? t.block->warp_token(t.block->threads[leader]) : nullptr;
  if (token) tsan_release(token);
  take_part(t, operation, Exchange::barrier);
  if (token) tsan_acquire(token);
}

std::uint32_t warp_ballot(const WarpOperation& operation, bool predicate) {
  Thread& t = *device().current;
  t.predicate = predicate;
  take_part(t, operation, Exchange::ballot);
  return t.ballot;
}

ShuffleValue warp_shuffle(const WarpOperation& operation, int source, const ShuffleValue& value) {
  Thread& t = *device().current;
  t.source = source;
  t.operand = value;
  take_part(t, operation, Exchange::shuffle);
  return t.result;
}

}  // namespace genexx::simt
