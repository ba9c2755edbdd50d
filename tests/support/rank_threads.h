// SPDX-License-Identifier: Apache-2.0
// Ranks as threads of one process: what several processes do, tested without a launcher.
#pragma once

#include <functional>

#include "engine/communicator.h"

namespace genexx::test {

// Calls body(ranks) on `size` threads, each a rank, and returns when all have. Where one throws, the others' waits end
// with RankError, and its error is thrown here.
void on_ranks(int size, const std::function<void(Communicator&)>& body);

}  // namespace genexx::test
