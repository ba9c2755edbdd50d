// SPDX-License-Identifier: Apache-2.0
#include "engine/precision.h"

#include <doctest/doctest.h>

#include "engine/error.h"

using namespace genexx;

TEST_CASE("precision: every class is read by its name") {
  for (const Precision p : {Precision::fp32, Precision::tf32x3, Precision::tf32, Precision::bf16})
    CHECK(parse_precision(name_of(p)) == p);
  CHECK(parse_precision("3xtf32") == Precision::tf32x3);
}

TEST_CASE("precision: another name is refused with the names there are") {
  CHECK_THROWS_WITH_AS(parse_precision("fp16"),
                       doctest::Contains("--precision is 'fp16', expected fp32, 3xtf32, tf32 or bf16"), UsageError);
}
