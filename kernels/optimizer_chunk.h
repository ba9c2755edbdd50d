// SPDX-License-Identifier: Apache-2.0
// How optimizers see parameters: a flat array cut into chunks, each of one replica of one parameter, so that one launch
// updates everything and each chunk knows its replica's rate.
#pragma once

#include <cstdint>
#include <vector>

namespace genexx {

// One parameter in the flat array: r blocks of `size` elements from `offset` on.
struct ParameterSegment {
  std::int64_t offset = 0;
  std::int64_t size = 0;          // of one replica
  double lr_scale = 1;            // factor on the replica's learning rate
  double weight_decay_scale = 1;  // factor on the replica's weight decay
};

// A run of elements of one replica; lies in device memory as it is here.
struct OptimizerChunk {
  std::int64_t offset = 0;
  std::int32_t size = 0;
  std::int32_t replica = 0;
  double lr_scale = 1;
  double weight_decay_scale = 1;
};

constexpr std::int64_t kOptimizerChunk = 4096;

// The chunks of `segments` for r replicas, in order. Upload them once; they are the `chunks` of the optimizers'
// arguments.
std::vector<OptimizerChunk> optimizer_chunks(const std::vector<ParameterSegment>& segments, std::int64_t replicas);

}  // namespace genexx
