// SPDX-License-Identifier: Apache-2.0
// Narrow forms of weights and moments, of both optimizers.
#include <array>
#include <cmath>

#include "engine/philox.h"
#include "kernels/number_formats.h"
#include "kernels/optimizer_adam.h"
#include "kernels/optimizer_sgd.h"
#include "tests/support/chunks.h"
#include "tests/support/op_test.h"

using namespace genexx;
using namespace genexx::test;

namespace {

enum class Kind { adam, sgd };

// The flat arrays of all parameters, weights in f32 whatever form they had on the device.
struct State {
  std::vector<float> weight, m, v;
};

struct Run {
  Kind kind = Kind::adam;
  std::vector<ParameterSegment> segments;
  std::vector<std::int64_t> seeds = {3};  // one a replica
  DType moments = DType::f32;
  double beta1 = 0.9, beta2 = 0.999;
};

std::int64_t replicas_of(const Run& run) { return static_cast<std::int64_t>(run.seeds.size()); }

// `flat` with the elements of split segments as planes; and back.
std::vector<float> stored(const Run& run, std::vector<float> flat) {
  for (const ParameterSegment& s : run.segments) {
    if (s.plane == 0) continue;
    std::vector<std::uint16_t> planes(static_cast<std::size_t>(2 * s.plane));
    for (std::int64_t i = 0; i < replicas_of(run) * s.size; ++i) {
      const SplitFloat split = split_exactly(flat[static_cast<std::size_t>(s.offset + i)]);
      planes[static_cast<std::size_t>(i)] = split.high.bits;
      planes[static_cast<std::size_t>(s.plane + i)] = static_cast<std::uint16_t>(split.low);
    }
    std::memcpy(flat.data() + s.offset, planes.data(), planes.size() * 2);
  }
  return flat;
}

std::vector<float> joined(const Run& run, std::vector<float> flat) {
  for (const ParameterSegment& s : run.segments) {
    if (s.plane == 0) continue;
    std::vector<std::uint16_t> planes(static_cast<std::size_t>(2 * s.plane));
    std::memcpy(planes.data(), flat.data() + s.offset, planes.size() * 2);
    for (std::int64_t i = 0; i < replicas_of(run) * s.size; ++i)
      flat[static_cast<std::size_t>(s.offset + i)] =
          join({{planes[static_cast<std::size_t>(i)]},
                static_cast<std::int16_t>(planes[static_cast<std::size_t>(s.plane + i)])});
  }
  return flat;
}

std::vector<Bfloat16> narrowed(const std::vector<float>& values) {
  std::vector<Bfloat16> all;
  for (const float x : values) all.push_back(round_to_bf16(x));
  return all;
}

std::vector<float> widened(const std::vector<Bfloat16>& values) {
  std::vector<float> all;
  for (const Bfloat16 x : values) all.push_back(to_float(x));
  return all;
}

// Moments that tests begin with are bf16 numbers, so that nothing is lost.
struct MomentArray {
  DeviceArray array;
  MomentArray(Context& ctx, DType type, const std::vector<float>& values)
      : array(type == DType::bf16 ? DeviceArray(ctx, {size(values)}, narrowed(values))
                                  : DeviceArray(ctx, {size(values)}, values)) {}
  static std::int64_t size(const std::vector<float>& values) { return static_cast<std::int64_t>(values.size()); }
  std::vector<float> values() const {
    return array.tensor().dtype == DType::bf16 ? widened(array.download<Bfloat16>()) : array.download<float>();
  }
};

// `steps` steps with the same gradient, the first of them number `step`.
State after(Context& ctx, const Run& run, const State& before, const std::vector<float>& gradient,
            std::int64_t step = 0, int steps = 1) {
  const auto p = static_cast<std::int64_t>(before.weight.size()), r = replicas_of(run);
  const DeviceArray weight(ctx, {p}, stored(run, before.weight)), g(ctx, {p}, gradient);
  const MomentArray m(ctx, run.moments, before.m), v(ctx, run.moments, before.v);
  const DeviceArray chunks = chunk_table(ctx, run.segments, r), seed(ctx, {r}, run.seeds);
  const DeviceArray lr(ctx, {r}, std::vector<double>(run.seeds.size(), 0.01));
  for (int i = 0; i < steps; ++i) {
    const DeviceArray done(ctx, {r}, std::vector<std::int64_t>(run.seeds.size(), step + i));
    if (run.kind == Kind::adam) {
      optimizer_adam::run(ctx, {.weight = weight,
                                .m = m.array,
                                .v = v.array,
                                .gradient = g,
                                .chunks = chunks,
                                .lr = lr,
                                .step = done,
                                .seed = seed,
                                .beta1 = run.beta1,
                                .beta2 = run.beta2});
    } else {
      optimizer_sgd::run(ctx, {.weight = weight,
                               .velocity = m.array,
                               .gradient = g,
                               .chunks = chunks,
                               .lr = lr,
                               .seed = seed,
                               .step = done,
                               .momentum = run.beta1});
    }
  }
  return {joined(run, weight.download<float>()), m.values(), v.values()};
}

std::vector<float> bf16_values(std::int64_t p, std::uint64_t seed, double low, double high) {
  return widened(narrowed(cast<float>(random_values(p, seed, low, high))));
}

std::vector<float> whole_numbers(std::int64_t p, std::uint64_t seed, std::int32_t limit) {
  std::vector<float> all;
  for (const std::int32_t x : random_labels(p, limit, seed)) all.push_back(static_cast<float>(x - limit / 2));
  return all;
}

// What rounding at random gives, from the generator itself. `place` is that of the element in its replica's parameter.
float rounded(float x, std::int64_t seed, std::int32_t parameter, std::int64_t place, std::int64_t step, int half) {
  const PhiloxCounter c = philox(philox_key(static_cast<std::uint64_t>(seed), 0x6D6F6D65u),
                                 {static_cast<std::uint32_t>(place / 4), static_cast<std::uint32_t>(parameter),
                                  static_cast<std::uint32_t>(step), static_cast<std::uint32_t>(step >> 32)});
  const std::array<std::uint32_t, 4> words = {c.x, c.y, c.z, c.w};
  return to_float(round_stochastically(x, words[static_cast<std::size_t>(place % 4)] >> 16 * half));
}

// Two split parameters and one that is not, with gaps, of three replicas.
Run three_replicas(Kind kind, DType moments) {
  return {.kind = kind,
          .segments = {{0, 33, 1, 1, 128, 0}, {128, 4099, 2, 1, 12352, 1}, {12480, 7, 1, 1, 0, 2}},
          .seeds = {11, 12, -5},
          .moments = moments};
}
constexpr std::int64_t kThreeReplicas = 12480 + 64;

}  // namespace

TEST_CASE("optimizer_storage: split weights take the bits of whole ones, with every form of moments") {
  on_every_device([](Context& ctx) {
    for (const Kind kind : {Kind::adam, Kind::sgd})
      for (const DType moments : {DType::f32, DType::bf16}) {
        CAPTURE(std::string(name_of(moments)));
        const Run split = three_replicas(kind, moments);
        Run whole = split;
        for (ParameterSegment& s : whole.segments) s.plane = 0;
        const State before = {cast<float>(random_values(kThreeReplicas, 1)), bf16_values(kThreeReplicas, 2, -1, 1),
                              bf16_values(kThreeReplicas, 3, 0, 1)};
        const std::vector<float> gradient = cast<float>(random_values(kThreeReplicas, 4));

        const State got = after(ctx, split, before, gradient, 5, 3), want = after(ctx, whole, before, gradient, 5, 3);

        for (const ParameterSegment& s : split.segments) {
          const auto own = [&](const std::vector<float>& all) {
            return std::vector<float>(all.begin() + s.offset, all.begin() + s.offset + 3 * s.size);
          };
          expect_equal_bits(own(got.weight), own(want.weight));
          expect_equal_bits(own(got.m), own(want.m));
          expect_equal_bits(own(got.v), own(want.v));
          CHECK(own(got.weight) != own(before.weight));
        }
      }
  });
}

TEST_CASE("optimizer_storage: moments are rounded by the words of their own place, replica and step") {
  on_every_device([](Context& ctx) {
    for (const Kind kind : {Kind::adam, Kind::sgd}) {
      // Halves and whole numbers: all arithmetic of the moments is exact, on every device.
      Run run = three_replicas(kind, DType::bf16);
      run.beta1 = run.beta2 = 0.5;
      const std::int64_t step = (std::int64_t{3} << 32) + 17;
      State before = {cast<float>(random_values(kThreeReplicas, 1)), whole_numbers(kThreeReplicas, 2, 200),
                      whole_numbers(kThreeReplicas, 3, 200)};
      for (float& v : before.v) v = std::fabs(v);
      const std::vector<float> gradient = whole_numbers(kThreeReplicas, 4, 2001);

      const State got = after(ctx, run, before, gradient, step);

      std::int64_t moved = 0;
      for (const ParameterSegment& s : run.segments)
        for (std::int64_t i = 0; i < 3 * s.size; ++i) {
          const auto at = static_cast<std::size_t>(s.offset + i);
          const std::int64_t seed = run.seeds[static_cast<std::size_t>(i / s.size)];
          const float g = gradient[at];
          if (kind == Kind::sgd) continue;
          const float m = 0.5f * before.m[at] + 0.5f * g, v = 0.5f * before.v[at] + 0.5f * g * g;
          REQUIRE(got.m[at] == rounded(m, seed, s.parameter, i % s.size, step, 0));
          REQUIRE(got.v[at] == rounded(v, seed, s.parameter, i % s.size, step, 1));
          moved += got.v[at] != to_float(round_to_bf16(v));
        }
      if (kind == Kind::adam) CHECK(moved > 1000);  // not what rounding to nearest would give
      Run wide = run;
      wide.moments = DType::f32;
      const State unrounded = after(ctx, wide, before, gradient, step);
      for (const ParameterSegment& s : run.segments)
        for (std::int64_t i = 0; i < 3 * s.size; ++i) {
          const auto at = static_cast<std::size_t>(s.offset + i);
          const std::int64_t seed = run.seeds[static_cast<std::size_t>(i / s.size)];
          REQUIRE(got.weight[at] == unrounded.weight[at]);  // weights move by what is not rounded yet
          REQUIRE(got.m[at] == rounded(unrounded.m[at], seed, s.parameter, i % s.size, step, 0));
        }
    }
  });
}

TEST_CASE("optimizer_storage: replicas of a joint call have the bits of calls of their own") {
  on_every_device([](Context& ctx) {
    for (const Kind kind : {Kind::adam, Kind::sgd}) {
      const std::int64_t size = 4099, plane = 12352;
      const Run joint = {
          .kind = kind, .segments = {{0, size, 1, 1, plane, 4}}, .seeds = {7, 8, 9}, .moments = DType::bf16};
      const State before = {cast<float>(random_values(plane, 1)), bf16_values(plane, 2, -1, 1),
                            bf16_values(plane, 3, 0, 1)};
      const std::vector<float> gradient = cast<float>(random_values(plane, 4));

      const State together = after(ctx, joint, before, gradient, 2, 2);

      for (std::int64_t k = 0; k < 3; ++k) {
        CAPTURE(k);
        const auto own = [&](const std::vector<float>& all) {
          std::vector<float> one(all.begin() + k * size, all.begin() + (k + 1) * size);
          one.resize(4160, 0.0f);
          return one;
        };
        const Run single = {.kind = kind,
                            .segments = {{0, size, 1, 1, 4160, 4}},
                            .seeds = {joint.seeds[static_cast<std::size_t>(k)]},
                            .moments = DType::bf16};
        State alone = after(ctx, single, {own(before.weight), own(before.m), own(before.v)}, own(gradient), 2, 2);
        const auto cut = [&](std::vector<float> all) {
          all.resize(static_cast<std::size_t>(size));
          return all;
        };
        expect_equal_bits(cut(alone.weight), cut(own(together.weight)));
        expect_equal_bits(cut(alone.m), cut(own(together.m)));
        expect_equal_bits(cut(alone.v), cut(own(together.v)));
      }
    }
  });
}

TEST_CASE("optimizer_storage: a second moment in bf16 falls as it should, on average") {
  on_every_device([](Context& ctx) {
    const std::int64_t p = 256;
    const std::vector<float> zeros(static_cast<std::size_t>(p), 0.0f), ones(static_cast<std::size_t>(p), 1.0f);
    const Run run = {.segments = {{0, p, 1, 1, 0, 0}}, .moments = DType::bf16};

    const State got = after(ctx, run, {ones, zeros, ones}, zeros, 0, 200);

    double mean = 0;
    for (const float v : got.v) mean += static_cast<double>(v) / static_cast<double>(p);
    // A step is at most half a unit of 2^-8 off, so that 200 of them spread by 0.028, the mean of 256 by 0.0017.
    CHECK(std::fabs(mean - std::pow(0.999, 200)) < 4 * 0.0017);
  });
}

TEST_CASE("optimizer_storage: names the wrong argument") {
  CpuContext ctx;
  const DeviceArray w(ctx, {4}, DType::f32), g(ctx, {4}, DType::f32), m(ctx, {4}, DType::bf16), v(ctx, {4}, DType::f32);
  const DeviceArray other(ctx, {4}, DType::bf16), wide(ctx, {4}, DType::f64), gradient(ctx, {4}, DType::f64);
  const DeviceArray chunks(ctx, {64}, DType::u8), lr(ctx, {1}, DType::f64), step(ctx, {1}, DType::i64);

  CHECK_THROWS_WITH_AS(
      optimizer_adam::run(ctx, {.weight = w, .m = m, .v = v, .gradient = g, .chunks = chunks, .lr = lr, .step = step}),
      doctest::Contains("v is f32, expected bf16"), ShapeError);
  CHECK_THROWS_WITH_AS(
      optimizer_adam::run(ctx,
                          {.weight = w, .m = m, .v = other, .gradient = g, .chunks = chunks, .lr = lr, .step = step}),
      doctest::Contains("seed is absent"), ShapeError);
  CHECK_THROWS_WITH_AS(
      optimizer_adam::run(
          ctx, {.weight = wide, .m = m, .v = other, .gradient = gradient, .chunks = chunks, .lr = lr, .step = step}),
      doctest::Contains("m is bf16, expected f64"), ShapeError);
  CHECK_THROWS_WITH_AS(
      optimizer_sgd::run(ctx, {.weight = w, .velocity = m, .gradient = g, .chunks = chunks, .lr = lr, .seed = step}),
      doctest::Contains("step is absent"), ShapeError);
}
