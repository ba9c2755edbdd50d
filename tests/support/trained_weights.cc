// SPDX-License-Identifier: Apache-2.0
#include "tests/support/trained_weights.h"

#include <doctest/doctest.h>
#include <algorithm>

namespace genexx::test {

void expect_same_replica(const std::vector<NamedTensor>& joint, std::size_t k, const std::vector<NamedTensor>& alone) {
  REQUIRE(joint.size() == alone.size());
  for (std::size_t i = 0; i < joint.size(); ++i) {
    CAPTURE(joint[i].name);
    const std::size_t bytes = alone[i].bytes.size();
    CHECK(std::equal(alone[i].bytes.begin(), alone[i].bytes.end(),
                     joint[i].bytes.begin() + static_cast<std::ptrdiff_t>(k * bytes)));
  }
}

}  // namespace genexx::test
