// SPDX-License-Identifier: Apache-2.0
// A loop over independent pieces of work on a few threads.
#pragma once

#include <cstdint>
#include <functional>

namespace genexx {

// Calls work(i) for every i in [0, n), each once, in any order, on at most `threads` threads (0: one for each
// processor), the calling one included. Returns when all are done. The first exception stops the loop and is thrown to
// the caller.
void parallel_for(std::int64_t n, int threads, const std::function<void(std::int64_t)>& work);

}  // namespace genexx
