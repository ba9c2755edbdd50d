// SPDX-License-Identifier: Apache-2.0
// How optimizers see parameters: a flat array cut into chunks, each of one replica of one parameter, so that one launch
// updates everything and each chunk knows its replica's rate. A parameter may lie split: instead of its f32 elements
// two planes of 16 bits each in the same bytes, first the bf16 of all elements, then what is missing (split_exactly of
// kernels/number_formats.h), so that products read the first plane as it is and the optimizer knows every bit.
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
  std::int64_t plane = 0;         // elements of a plane, at least those of all replicas; 0: not split
  std::int32_t parameter = 0;     // tells the random numbers of parameters apart
};

// A run of elements of one replica; lies in device memory as it is here.
struct OptimizerChunk {
  std::int64_t offset = 0;
  std::int32_t size = 0;
  std::int32_t replica = 0;
  double lr_scale = 1;
  double weight_decay_scale = 1;
  std::int64_t first = 0;               // place of the first element in its replica's parameter; 8 divides it
  std::int64_t high = kWhole, low = 0;  // of the first element's halves, in 16 bits from the first weight's beginning
  std::int32_t parameter = 0;

  static constexpr std::int64_t kWhole = -1;  // as `high`: the weights are not split
};

constexpr std::int64_t kOptimizerChunk = 4096;

// The chunks of `segments` for r replicas, in order. Upload them once; they are the `chunks` of the optimizers'
// arguments.
std::vector<OptimizerChunk> optimizer_chunks(const std::vector<ParameterSegment>& segments, std::int64_t replicas);

}  // namespace genexx
