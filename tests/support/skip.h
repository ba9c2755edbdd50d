// SPDX-License-Identifier: Apache-2.0
// How a test says that it cannot run here: ./check lists and counts these lines.
#pragma once

#include <string>

namespace genexx::test {

// Prints "SKIPPED [test case] reason" on stderr, or fails the running test case with `reason` when the environment
// variable `required_by` (for example GENEXX_REQUIRE_CUDA) is 1. The test then returns early.
void skip_test(const std::string& reason, const std::string& required_by = "");

}  // namespace genexx::test
