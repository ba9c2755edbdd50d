// SPDX-License-Identifier: Apache-2.0
#include "kernels/optimizer_sgd.h"

#include "tests/oracle/optimizer_sgd_oracle.h"
#include "tests/support/chunks.h"
#include "tests/support/golden.h"
#include "tests/support/op_test.h"

using namespace genexx;
using namespace genexx::test;
using oracle::SgdState;
using oracle::SgdStep;

namespace {

// The state after one step of one replica whose parameters are all in one segment.
template <class T>
SgdState run(Context& ctx, const SgdState& s, const std::vector<double>& gradient, const SgdStep& a) {
  const auto p = static_cast<std::int64_t>(gradient.size());
  const DeviceArray weight(ctx, {p}, cast<T>(s.weight)), velocity(ctx, {p}, cast<T>(s.velocity));
  const DeviceArray g(ctx, {p}, cast<T>(gradient)), lr(ctx, {1}, std::vector<double>{a.lr});
  const DeviceArray decay(ctx, {1}, std::vector<double>{a.decay}), chunks = chunk_table(ctx, {{0, p, 1, 1}}, 1);
  optimizer_sgd::run(ctx, {.weight = weight,
                           .velocity = velocity,
                           .gradient = g,
                           .chunks = chunks,
                           .lr = lr,
                           .weight_decay = decay,
                           .momentum = a.momentum});
  return {weight.values(), velocity.values()};
}

std::vector<double> part(const std::vector<double>& all, std::int64_t begin, std::int64_t count) {
  return std::vector<double>(all.begin() + begin, all.begin() + begin + count);
}

}  // namespace

TEST_CASE("optimizer_sgd: literals") {
  on_every_device([](Context& ctx) {
    const SgdState got = run<double>(ctx, {{1, -2}, {0.5, 0}}, {4, 2}, {.lr = 0.25, .decay = 0.5, .momentum = 0.5});

    expect_close(got.velocity, {0.25 - 1.125, -0.25}, {});  // gradients with decay: 4.5 and 1
    expect_close(got.weight, {1 - 0.875, -2.25}, {});
  });
}

TEST_CASE("optimizer_sgd: agrees with the oracle around the vector width") {
  on_every_device([](Context& ctx) {
    const SgdStep a = {.lr = 0.1, .decay = 0.01, .momentum = 0.8};
    for (const std::int64_t p : {1, 31, 32, 33, 257, 4097}) {
      CAPTURE(p);
      const SgdState before = {random_values(p, 1), random_values(p, 2)};
      const std::vector<double> gradient = random_values(p, 3);
      SgdState want = before;
      oracle::sgd(want, gradient, a);

      const SgdState f64 = run<double>(ctx, before, gradient, a), f32 = run<float>(ctx, before, gradient, a);

      expect_close(f64.weight, want.weight, {.k = 4});
      expect_close(f64.velocity, want.velocity, {.k = 4});
      expect_close(f32.weight, want.weight, {.k = 4, .dtype = DType::f32});
      expect_close(f32.velocity, want.velocity, {.k = 4, .dtype = DType::f32});
    }
  });
}

TEST_CASE("optimizer_sgd: ten steps at a constant rate agree with torch.optim.SGD") {
  on_every_device([](Context& ctx) {
    for (const GoldenCase& g : golden_cases("optimizer_sgd")) {
      const auto p = static_cast<std::int64_t>(g["weight"].size());
      SgdState s = {g["weight"], std::vector<double>(g["weight"].size(), 0.0)};
      const SgdStep a = {.lr = g.number("lr"), .decay = g.number("decay"), .momentum = g.number("momentum")};
      for (std::int64_t i = 0; i < 10; ++i) s = run<double>(ctx, s, part(g["gradients"], i * p, p), a);
      std::vector<double> velocity = g["buffer"];
      for (double& u : velocity) u *= -a.lr;

      expect_close(s.weight, g["after"], {.k = 40});
      expect_close(s.velocity, velocity, {.k = 40});
    }
  });
}

TEST_CASE("optimizer_sgd: scales, gaps and rates of each replica; an inactive replica stays; bits as alone") {
  on_every_device([](Context& ctx) {
    const std::int64_t r = 3, first = 4100, second = 17, gap = 3, p = r * (first + second) + gap;
    const std::vector<double> w = random_values(p, 1), u = random_values(p, 2), g = random_values(p, 3),
                              rates = {0.01, 0.1, 0.003};
    const std::vector<ParameterSegment> segments = {{0, first, 1, 1}, {r * first + gap, second, 0.5, 0}};
    const DeviceArray weight(ctx, {p}, cast<float>(w)), velocity(ctx, {p}, cast<float>(u)),
        gradient(ctx, {p}, cast<float>(g));
    const DeviceArray lr(ctx, {r}, rates), decay(ctx, {r}, rates), active(ctx, {r}, std::vector<std::int32_t>{1, 0, 5});
    const DeviceArray chunks = chunk_table(ctx, segments, r);

    optimizer_sgd::run(ctx, {.weight = weight,
                             .velocity = velocity,
                             .gradient = gradient,
                             .chunks = chunks,
                             .lr = lr,
                             .weight_decay = decay,
                             .active = active,
                             .momentum = 0.5});

    SgdState want = {w, u};
    for (const ParameterSegment& s : segments)
      for (const std::int64_t k : {0, 2}) {
        const std::int64_t at = s.offset + k * s.size;
        const double rate = rates[static_cast<std::size_t>(k)];
        const SgdState alone =
            run<float>(ctx, {part(w, at, s.size), part(u, at, s.size)}, part(g, at, s.size),
                       {.lr = rate * s.lr_scale, .decay = rate * s.weight_decay_scale, .momentum = 0.5});
        std::copy(alone.weight.begin(), alone.weight.end(), want.weight.begin() + at);
        std::copy(alone.velocity.begin(), alone.velocity.end(), want.velocity.begin() + at);
      }
    expect_equal_bits(weight.values(), want.weight);
    expect_equal_bits(velocity.values(), want.velocity);
  });
}

TEST_CASE("optimizer_sgd: names the wrong argument") {
  CpuContext ctx;
  const DeviceArray w(ctx, {4}, DType::f32), u(ctx, {3}, DType::f32), g(ctx, {4}, DType::f32), lr(ctx, {1}, DType::f64);
  const DeviceArray chunks(ctx, {32}, DType::u8), words(ctx, {4}, DType::i64), v(ctx, {4}, DType::f32);
  using optimizer_sgd::run;

  CHECK_THROWS_WITH_AS(run(ctx, {.weight = w, .velocity = u, .gradient = g, .chunks = chunks, .lr = lr}),
                       doctest::Contains("velocity is [3], expected [4]"), ShapeError);
  CHECK_THROWS_WITH_AS(run(ctx, {.weight = w, .velocity = g, .gradient = g, .chunks = chunks, .lr = lr}),
                       doctest::Contains("velocity overlaps gradient"), ShapeError);
  CHECK_THROWS_WITH_AS(run(ctx, {.weight = w, .velocity = v, .gradient = g, .chunks = words, .lr = lr}),
                       doctest::Contains("chunks is i64, expected u8"), ShapeError);
}
