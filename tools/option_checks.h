// SPDX-License-Identifier: Apache-2.0
// Checks of option values that CLI11 has none for, or whose messages it words badly.
#pragma once

#include <CLI/CLI.hpp>

namespace genexx::tools {

// Digits alone, below 2^64: CLI11 itself lets a minus sign wrap around.
CLI::Validator whole_number();
// A whole number from 1.
CLI::Validator positive_count();
// Seconds: a finite number from 0.
CLI::Validator duration();

}  // namespace genexx::tools
