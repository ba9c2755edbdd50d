// SPDX-License-Identifier: Apache-2.0
#include "kernels/optimizer_chunk.h"

#include <algorithm>

namespace genexx {

std::vector<OptimizerChunk> optimizer_chunks(const std::vector<ParameterSegment>& segments, std::int64_t replicas) {
  std::vector<OptimizerChunk> chunks;
  for (const ParameterSegment& s : segments)
    for (std::int64_t r = 0; r < replicas; ++r)
      for (std::int64_t at = 0; at < s.size; at += kOptimizerChunk)
        chunks.push_back({s.offset + r * s.size + at, static_cast<std::int32_t>(std::min(kOptimizerChunk, s.size - at)),
                          static_cast<std::int32_t>(r), s.lr_scale, s.weight_decay_scale});
  return chunks;
}

}  // namespace genexx
