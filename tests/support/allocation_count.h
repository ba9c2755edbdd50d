// SPDX-License-Identifier: Apache-2.0
// How often a piece of work asks the system for memory.
#pragma once

#include <cstdint>
#include <optional>

namespace genexx::test {

// Counts calls of malloc and its relatives by any thread of this process, from its start on or from the last restart.
// Everything comes down to them: operator new, std::aligned_alloc, and so Buffer and ScratchFrame of a CPU context. One
// at a time.
class AllocationCount {
 public:
  AllocationCount() { restart(); }
  ~AllocationCount();
  AllocationCount(const AllocationCount&) = delete;
  AllocationCount& operator=(const AllocationCount&) = delete;

  void restart();
  // nullopt in sanitizer builds, which replace malloc themselves.
  std::optional<std::int64_t> calls() const;
};

}  // namespace genexx::test
