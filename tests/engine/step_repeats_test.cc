// SPDX-License-Identifier: Apache-2.0
#include "engine/step_repeats.h"

#include <vector>

#include <doctest/doctest.h>

#include "engine/context.h"

using namespace genexx;

TEST_CASE("step_repeats: loops need 12.4 of both runtime and driver") {
  CHECK(step_repeats(13000, 13000) == StepRepeats::loop);
  CHECK(step_repeats(12040, 13000) == StepRepeats::loop);
  CHECK(step_repeats(12030, 13000) == StepRepeats::unrolled);
  CHECK(step_repeats(13000, 12030) == StepRepeats::unrolled);
}

TEST_CASE("step_repeats: what is refused becomes simpler, down to one launch a step") {
  CHECK(simpler(StepRepeats::loop) == StepRepeats::unrolled);
  CHECK(simpler(StepRepeats::unrolled) == StepRepeats::single);
  CHECK(simpler(StepRepeats::single) == StepRepeats::single);
}

TEST_CASE("step_repeats: an unrolled graph has at most 4096 nodes, and one step at least") {
  CHECK(unrolled_steps(20) == 204);
  CHECK(unrolled_steps(4096) == 1);
  CHECK(unrolled_steps(4097) == 1);
  CHECK(unrolled_steps(1) == 4096);
  CHECK(unrolled_steps(0) == 4096);
}

TEST_CASE("step_repeats: the CPU replays a step as often as asked, and not at all for none") {
  CpuContext ctx;
  std::vector<int> calls;
  const auto graph = ctx.capture([&] { calls.push_back(static_cast<int>(calls.size())); });

  graph->replay(3);
  graph->replay(0);
  graph->replay();

  CHECK(calls == std::vector<int>{0, 1, 2, 3});
}
