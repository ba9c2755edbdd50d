// SPDX-License-Identifier: Apache-2.0
// "1 cell", "2 cells": how warnings count.
#pragma once

#include <cstdint>
#include <string>

namespace genexx {

inline std::string counted(std::int64_t n, const char* what) {
  return std::to_string(n) + " " + what + (n == 1 ? "" : "s");
}

}  // namespace genexx
