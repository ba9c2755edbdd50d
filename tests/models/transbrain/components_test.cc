// SPDX-License-Identifier: Apache-2.0
#include "models/transbrain/components.h"

#include <cmath>

#include <doctest/doctest.h>

#include "engine/error.h"
#include "models/random_stream.h"
#include "tests/support/data.h"
#include "tests/support/python.h"
#include "tests/support/text_file.h"

#include <fmt/format.h>

using namespace genexx;
using namespace genexx::test;
using namespace genexx::transbrain;

namespace {

RegionTable random_table(const char* prefix, std::int64_t regions, std::int64_t width, std::uint64_t seed) {
  RegionTable t;
  t.width = width;
  for (std::int64_t i = 0; i < regions; ++i) {
    RandomStream random(seed, 5, i);
    t.regions.push_back(fmt::format("{}{}", prefix, i));
    for (std::int64_t j = 0; j < width; ++j) t.values.push_back(j % 7 == 3 ? 0.0 : std::fmax(0.0, random.normal()));
  }
  return t;
}

std::string listed(const std::vector<double>& values) {
  std::string text;
  for (const double x : values) text += fmt::format("{}{:.17g}", text.empty() ? "" : ", ", x);
  return "[" + text + "]";
}

// The steps of the publication's notebook, written with NumPy on all units at once.
constexpr const char* kReference = R"(
import json, sys
import numpy as np
data = json.load(open(sys.argv[1]))
def z(x, axis):
    sd = x.std(axis=axis, keepdims=True)
    return (x - x.mean(axis=axis, keepdims=True)) / np.where(sd == 0, 1, sd)
hs, ms = [], []
for h, m in zip(data['human'], data['mouse']):
    h, m = np.array(h).reshape(9, -1), np.array(m).reshape(5, -1)
    keep = (h.std(axis=0) > 0) & (m.std(axis=0) > 0)
    hs.append(z(z(h[:, keep], 1), 0)); ms.append(z(z(m[:, keep], 1), 0))
h, m = np.hstack(hs), np.hstack(ms)
u, s, vt = np.linalg.svd(h, full_matrices=False)
ratio = s ** 2 / (s ** 2).sum()
k = data['count']
np.testing.assert_allclose(ratio[:k], data['ratio'], rtol=1e-9)
for scores, got in ((h @ vt[:k].T, data['h']), (m @ vt[:k].T, data['m'])):
    got = np.array(got).reshape(-1, k)
    want = z(scores, 0)
    sign = np.sign((h @ vt[:k].T)[np.abs(h @ vt[:k].T).argmax(axis=0), range(k)])
    np.testing.assert_allclose(got, want * sign, atol=1e-8)
)";

}  // namespace

TEST_CASE("components: two models give what NumPy gives on their units side by side") {
  ComponentAnalysis analysis;
  std::string human, mouse;
  for (const std::uint64_t model : {1u, 2u}) {
    const RegionTable h = random_table("h", 9, 20, model), m = random_table("m", 5, 20, model + 10);
    analysis.add(h, m);
    human += (human.empty() ? "" : ", ") + listed(h.values);
    mouse += (mouse.empty() ? "" : ", ") + listed(m.values);
  }

  const Components got = analysis.components(4);

  REQUIRE(got.count == 4);
  TemporaryDirectory folder;
  write_text(folder.file("case.json"),
             fmt::format(R"({{"count": 4, "human": [{}], "mouse": [{}], "ratio": {}, "h": {}, "m": {}}})", human, mouse,
                         listed(got.variance_ratio), listed(got.human.values), listed(got.mouse.values)));
  const PythonRun run = run_python("numpy", kReference, folder.file("case.json"));
  if (run.ran) CHECK_MESSAGE(run.status == 0, run.output);
}

TEST_CASE("components: no more than there are, and none where nothing varies") {
  ComponentAnalysis analysis;
  analysis.add(random_table("h", 4, 10, 1), random_table("m", 3, 10, 2));
  ComponentAnalysis constant;
  constant.add({{"a", "b"}, 2, {1, 1, 1, 1}}, {{"x", "y"}, 2, {0, 0, 0, 0}});

  CHECK(analysis.components(10).count == 3);
  CHECK(constant.components(10).count == 0);
}

TEST_CASE("components: regions of later models are matched by name, others are refused") {
  const RegionTable h = random_table("h", 4, 10, 1), m = random_table("m", 3, 10, 2);
  RegionTable turned = h;
  std::swap(turned.regions[0], turned.regions[3]);
  for (std::int64_t j = 0; j < 10; ++j) std::swap(turned.values[j], turned.values[30 + j]);
  ComponentAnalysis once, twice;
  once.add(h, m);
  once.add(h, m);
  twice.add(h, m);
  twice.add(turned, m);

  CHECK(once.components(3).human.values == twice.components(3).human.values);
  CHECK(contains(message_of<RefusedError>([&] { once.add(random_table("g", 4, 10, 1), m); }), "lacks 'h0'"));
}
