// SPDX-License-Identifier: Apache-2.0
#include "tests/support/skip.h"

#include <cstdio>
#include <cstdlib>

#include <doctest/doctest.h>

namespace genexx::test {

void skip_test(const std::string& reason, const std::string& required_by) {
  const char* required = required_by.empty() ? nullptr : std::getenv(required_by.c_str());
  if (required && std::string(required) == "1") {
    FAIL_CHECK(reason << ", and " << required_by << "=1");
    return;
  }
  const doctest::TestCaseData* running = doctest::getContextOptions()->currentTest;
  std::fprintf(stderr, "SKIPPED [%s] %s\n", running ? running->m_name : "", reason.c_str());
}

}  // namespace genexx::test
