// SPDX-License-Identifier: Apache-2.0
// The table of optimizer chunks in device memory, for tests of optimizers.
#pragma once

#include <cstdint>
#include <vector>

#include "kernels/optimizer_chunk.h"
#include "tests/support/op_test.h"

namespace genexx::test {

inline DeviceArray chunk_table(Context& ctx, const std::vector<ParameterSegment>& segments, std::int64_t replicas) {
  const std::vector<OptimizerChunk> chunks = optimizer_chunks(segments, replicas);
  std::vector<std::uint8_t> bytes(chunks.size() * sizeof(OptimizerChunk));
  __builtin_memcpy(bytes.data(), chunks.data(), bytes.size());
  return DeviceArray(ctx, {static_cast<std::int64_t>(bytes.size())}, bytes);
}

}  // namespace genexx::test
