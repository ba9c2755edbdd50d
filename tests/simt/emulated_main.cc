// SPDX-License-Identifier: Apache-2.0
// The program genexx_emulated_tests. GENEXX_SIMT_ORDER chooses in which order GPU threads run and what unwritten memory
// holds, in the form simt::parse_options reads; without it forward and NaN.
#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

#include <cstdio>
#include <cstdlib>

#include "tests/simt/execution.h"

int main(int argc, char** argv) {
  const char* order = std::getenv("GENEXX_SIMT_ORDER");
  try {
    genexx::simt::set_options(genexx::simt::parse_options(order ? order : "forward"));
  } catch (const genexx::UsageError& error) {
    std::fprintf(stderr, "GENEXX_SIMT_ORDER: %s\n", error.what());
    return static_cast<int>(error.code());
  }
  doctest::Context context(argc, argv);
  return context.run();
}
