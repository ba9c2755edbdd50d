// SPDX-License-Identifier: Apache-2.0
#include "models/step_pace.h"

#include <doctest/doctest.h>

using namespace genexx;

TEST_CASE("step_pace: begins with eight, never more than are left") {
  const StepPace pace;

  CHECK(pace.next(100) == 8);
  CHECK(pace.next(3) == 3);
}

TEST_CASE("step_pace: goes to what takes half a second, eightfold at most, down to one") {
  StepPace pace;

  pace.took(8, 1e-6);
  CHECK(pace.next(1000) == 64);
  pace.took(64, 0.064);
  CHECK(pace.next(1000) == 500);
  pace.took(500, 1.0);
  CHECK(pace.next(1000) == 250);
  pace.took(250, 1000);
  CHECK(pace.next(1000) == 1);
  pace.took(1, 0);
  CHECK(pace.next(1000) == 8);
}
