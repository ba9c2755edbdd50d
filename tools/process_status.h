// SPDX-License-Identifier: Apache-2.0
// What Linux knows of this process: how long it runs, how much memory it had.
#pragma once

#include <cstdint>

namespace genexx::tools {

// Seconds since the system started this process, loading of libraries included; known to a hundredth.
double seconds_since_start();

// Bytes of resident memory now.
std::int64_t resident_memory();

// Bytes of resident memory at the highest, so far. Not ru_maxrss of getrusage, which also counts the program that
// started this one, as it was between fork and exec.
std::int64_t peak_memory();

// The most that will have been resident once `more` bytes are taken beside those of now.
std::int64_t peak_memory_with(std::int64_t more);

}  // namespace genexx::tools
