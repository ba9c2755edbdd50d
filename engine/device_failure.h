// SPDX-License-Identifier: Apache-2.0
// What a failed call of the CUDA runtime means to a person.
#pragma once

#include <cstdint>
#include <string>

#include "engine/context.h"

namespace genexx {

// As the runtime tells it; `name` is that of the status, such as "cudaErrorNoDevice".
struct DeviceFailure {
  std::string call, name, text;
};

// "cudaMemcpyAsync failed: an illegal memory access was encountered (cudaErrorIllegalAddress); " and what to do: the
// driver is too old, no device is there or visible, the device is another program's, the program has no code for it,
// its memory is full, it was lost, or a kernel of ours went wrong.
std::string to_string(const DeviceFailure& failure);

// "out of memory on cuda:0: 4096 bytes were asked for, 100 of 2000 are free; " and what to do.
std::string out_of_memory(int ordinal, std::int64_t bytes, const DeviceMemory& memory);

}  // namespace genexx
