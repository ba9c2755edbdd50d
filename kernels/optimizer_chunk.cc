// SPDX-License-Identifier: Apache-2.0
#include "kernels/optimizer_chunk.h"

#include <algorithm>

namespace genexx {

std::vector<OptimizerChunk> optimizer_chunks(const std::vector<ParameterSegment>& segments, std::int64_t replicas) {
  std::vector<OptimizerChunk> chunks;
  for (const ParameterSegment& s : segments)
    for (std::int64_t r = 0; r < replicas; ++r)
      for (std::int64_t at = 0; at < s.size; at += kOptimizerChunk) {
        OptimizerChunk chunk;
        chunk.offset = s.offset + r * s.size + at;
        chunk.size = static_cast<std::int32_t>(std::min(kOptimizerChunk, s.size - at));
        chunk.replica = static_cast<std::int32_t>(r);
        chunk.lr_scale = s.lr_scale;
        chunk.weight_decay_scale = s.weight_decay_scale;
        chunk.first = at;
        chunk.parameter = s.parameter;
        if (s.plane > 0) {
          chunk.high = 2 * s.offset + r * s.size + at;
          chunk.low = chunk.high + s.plane;
        }
        chunks.push_back(chunk);
      }
  return chunks;
}

}  // namespace genexx
