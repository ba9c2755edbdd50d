// SPDX-License-Identifier: Apache-2.0
#include "engine/context.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <string>

#include "engine/error.h"

namespace genexx {
namespace {

constexpr std::int64_t kAlignment = 256;
constexpr std::int64_t kSmallestBlock = std::int64_t{1} << 20;

// Large arrays lie in huge pages: walking down the columns of a matrix touches a small page with every row, more than
// the processor remembers the places of. Rounding up costs at most a third.
constexpr std::int64_t kHugePage = std::int64_t{1} << 21, kLeastHuge = kHugePage * 3 / 4;

std::int64_t round_up(std::int64_t bytes) { return (bytes + kAlignment - 1) / kAlignment * kAlignment; }

class CpuStepGraph final : public StepGraph {
 public:
  explicit CpuStepGraph(std::function<void()> step) : step_(std::move(step)) {}
  void replay(std::int64_t times) override {
    for (; times > 0; --times) step_();
  }

 private:
  std::function<void()> step_;
};

}  // namespace

void Context::release_scratch() noexcept {
  for (const ScratchBlock& block : scratch_) release(block.begin);
  scratch_.clear();
}

ScratchFrame::ScratchFrame(Context& ctx) : ctx_(ctx), blocks_before_(0), used_before_(0) {
  // The current block is the last one with anything in it.
  for (std::size_t i = 0; i < ctx.scratch_.size(); ++i)
    if (ctx.scratch_[i].used > 0) blocks_before_ = i;
  if (!ctx.scratch_.empty()) used_before_ = ctx.scratch_[blocks_before_].used;
}

ScratchFrame::~ScratchFrame() {
  for (std::size_t i = blocks_before_; i < ctx_.scratch_.size(); ++i)
    ctx_.scratch_[i].used = i == blocks_before_ ? used_before_ : 0;
}

void* ScratchFrame::take_bytes(std::int64_t bytes) {
  const std::int64_t need = std::max(round_up(bytes), kAlignment);
  for (std::size_t i = blocks_before_; i < ctx_.scratch_.size(); ++i) {
    Context::ScratchBlock& block = ctx_.scratch_[i];
    if (block.used + need > block.capacity) continue;
    void* memory = block.begin + block.used;
    block.used += need;
    return memory;
  }
  Context::ScratchBlock block;
  block.capacity = std::max(need, kSmallestBlock);
  ctx_.scratch_.reserve(ctx_.scratch_.size() + 1);
  block.begin = static_cast<char*>(ctx_.allocate(block.capacity));
  block.used = need;
  ctx_.scratch_.push_back(block);
  return block.begin;
}

void* CpuContext::allocate(std::int64_t bytes) {
  void* memory = nullptr;
  if (bytes >= kLeastHuge) {
    const auto whole = static_cast<std::size_t>((bytes + kHugePage - 1) / kHugePage * kHugePage);
    memory = std::aligned_alloc(kHugePage, whole);
    if (memory) madvise(memory, whole, MADV_HUGEPAGE);  // a wish; without it the memory serves as well, if slower
  } else if (bytes >= 0) {
    memory = std::aligned_alloc(kAlignment, static_cast<std::size_t>(std::max(round_up(bytes), kAlignment)));
  }
  if (!memory)
    throw DeviceError("out of memory: " + std::to_string(bytes) +
                      " bytes of host memory were asked for; use fewer replicas, a smaller batch or fewer genes");
  return memory;
}

void CpuContext::release(void* memory) noexcept { std::free(memory); }

void CpuContext::copy_to_device(void* device, const void* host, std::int64_t bytes) {
  if (bytes > 0) std::memcpy(device, host, static_cast<std::size_t>(bytes));
}

void CpuContext::copy_to_host(void* host, const void* device, std::int64_t bytes) {
  if (bytes > 0) std::memcpy(host, device, static_cast<std::size_t>(bytes));
}

void CpuContext::copy_within(void* to, const void* from, std::int64_t bytes) {
  if (bytes > 0) std::memcpy(to, from, static_cast<std::size_t>(bytes));
}

void CpuContext::fill_bytes(void* device, int value, std::int64_t bytes) {
  if (bytes > 0) std::memset(device, value, static_cast<std::size_t>(bytes));
}

std::unique_ptr<StepGraph> CpuContext::capture(std::function<void()> step) {
  return std::make_unique<CpuStepGraph>(std::move(step));
}

}  // namespace genexx
