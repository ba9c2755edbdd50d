// SPDX-License-Identifier: Apache-2.0
#include "kernels/optimizer_adam.h"

#include "tests/oracle/optimizer_adam_oracle.h"
#include "tests/support/chunks.h"
#include "tests/support/golden.h"
#include "tests/support/op_test.h"

using namespace genexx;
using namespace genexx::test;
using optimizer_adam::Decay;

namespace {

// Two parameters of `first` and `second` elements for r replicas, with a gap that belongs to nobody.
struct Layout {
  std::int64_t first, second, replicas;
  std::int64_t gap = 5;
  std::int64_t total() const { return replicas * (first + second) + gap; }
  std::vector<ParameterSegment> segments() const {
    return {{0, first, 1.0, 1.0}, {replicas * first + gap, second, 3.0, 0.5}};
  }
};

DeviceArray upload_chunks(Context& ctx, const Layout& l) { return chunk_table(ctx, l.segments(), l.replicas); }

struct Outcome {
  std::vector<double> w, m, v;
};

template <class T>
Outcome run(Context& ctx, const Layout& l, Decay decay, const std::vector<double>& lr,
            const std::vector<std::int32_t>& active) {
  const std::int64_t p = l.total();
  const DeviceArray w(ctx, {p}, cast<T>(random_values(p, 1))), m(ctx, {p}, cast<T>(random_values(p, 2)));
  const DeviceArray v(ctx, {p}, cast<T>(random_values(p, 3, 0.0, 1.0))), g(ctx, {p}, cast<T>(random_values(p, 4)));
  const DeviceArray chunks = upload_chunks(ctx, l);
  const DeviceArray rate(ctx, {l.replicas}, lr), decays(ctx, {l.replicas}, std::vector<double>(lr.size(), 0.02));
  const DeviceArray step(ctx, {l.replicas}, std::vector<std::int64_t>(lr.size(), 6)), on(ctx, {l.replicas}, active);
  optimizer_adam::run(ctx, {.weight = w,
                            .m = m,
                            .v = v,
                            .gradient = g,
                            .chunks = chunks,
                            .lr = rate,
                            .weight_decay = decays,
                            .step = step,
                            .active = on,
                            .decay = decay});
  return {w.values(), m.values(), v.values()};
}

Outcome expected(const Layout& l, Decay decay, const std::vector<double>& lr, const std::vector<std::int32_t>& active) {
  const std::int64_t p = l.total();
  Outcome o = {random_values(p, 1), random_values(p, 2), random_values(p, 3, 0.0, 1.0)};
  const std::vector<double> g = random_values(p, 4);
  for (const ParameterSegment& s : l.segments())
    for (std::int64_t r = 0; r < l.replicas; ++r) {
      const auto replica = static_cast<std::size_t>(r);
      if (!active[replica]) continue;
      oracle::AdamRates rates;
      rates.lr = lr[replica] * s.lr_scale;
      (decay == Decay::coupled ? rates.coupled : rates.decoupled) = 0.02 * s.weight_decay_scale;
      for (std::int64_t i = 0; i < s.size; ++i) {
        const auto at = static_cast<std::size_t>(s.offset + r * s.size + i);
        const oracle::AdamState next = oracle::adam({o.w[at], o.m[at], o.v[at]}, g[at], rates, 7);
        o.w[at] = next.w;
        o.m[at] = next.m;
        o.v[at] = next.v;
      }
    }
  return o;
}

}  // namespace

TEST_CASE("optimizer_adam: the first step moves each weight by the learning rate against its gradient's sign") {
  on_every_device([](Context& ctx) {
    const DeviceArray w(ctx, {2}, std::vector<double>{1.0, 2.0}), g(ctx, {2}, std::vector<double>{0.5, -8.0});
    const DeviceArray m(ctx, {2}, std::vector<double>{0, 0}), v(ctx, {2}, std::vector<double>{0, 0});
    const DeviceArray chunks = upload_chunks(ctx, {.first = 1, .second = 0, .replicas = 2, .gap = 0});
    const DeviceArray lr(ctx, {2}, std::vector<double>{0.1, 0.01}), step(ctx, {2}, std::vector<std::int64_t>{0, 0});

    optimizer_adam::run(ctx, {.weight = w, .m = m, .v = v, .gradient = g, .chunks = chunks, .lr = lr, .step = step});

    expect_close(w.values(), {0.900000002, 2.01 - 1.25e-11}, {.k = 8});
    expect_close(m.values(), {0.05, -0.8}, {.k = 2});
    expect_close(v.values(), {0.00025, 0.064}, {.k = 2});
  });
}

TEST_CASE("optimizer_adam: agrees with the oracle, with both kinds of decay, scales, gaps and a replica left alone") {
  on_every_device([](Context& ctx) {
    for (const Layout& l : {Layout{1, 33, 3}, Layout{257, 31, 2}, Layout{4097, 32, 2}}) {
      CAPTURE(l.first);
      std::vector<double> lr;
      std::vector<std::int32_t> active;
      for (std::int64_t r = 0; r < l.replicas; ++r) {
        lr.push_back(0.01 * static_cast<double>(r + 1));
        active.push_back(r == 1 ? 0 : 1);
      }
      for (const Decay decay : {Decay::coupled, Decay::decoupled}) {
        const Outcome want = expected(l, decay, lr, active);
        const Outcome wide = run<double>(ctx, l, decay, lr, active), narrow = run<float>(ctx, l, decay, lr, active);
        // A dozen roundings of numbers of size 1; the quotient m / sqrt(v) is at most 1e3 here and is scaled by lr <=
        // 0.09.
        expect_close(wide.w, want.w, {.k = 64});
        expect_close(wide.m, want.m, {.k = 4});
        expect_close(wide.v, want.v, {.k = 4});
        expect_close(narrow.w, want.w, {.k = 64, .dtype = DType::f32});
        expect_close(narrow.m, want.m, {.k = 4, .dtype = DType::f32});
        expect_close(narrow.v, want.v, {.k = 4, .dtype = DType::f32});
      }
    }
  });
}

TEST_CASE("optimizer_adam: ten steps agree with torch.optim.Adam and AdamW") {
  on_every_device([](Context& ctx) {
    for (const GoldenCase& g : golden_cases("optimizer_adam")) {
      CAPTURE(g.name());
      const auto p = static_cast<std::int64_t>(g["weight"].size());
      const std::vector<double> zeros(g["weight"].size(), 0.0), &gradients = g["gradients"];
      const DeviceArray w(ctx, {p}, g["weight"]), m(ctx, {p}, zeros), v(ctx, {p}, zeros), lr(ctx, {1}, g["lr"]);
      const DeviceArray decay(ctx, {1}, g["decay"]), chunks = chunk_table(ctx, {{0, p, 1, 1}}, 1);
      for (std::int64_t i = 0; i < 10; ++i) {
        const DeviceArray gradient(ctx, {p},
                                   std::vector<double>(gradients.begin() + i * p, gradients.begin() + (i + 1) * p));
        const DeviceArray step(ctx, {1}, std::vector<std::int64_t>{i});
        optimizer_adam::run(ctx, {.weight = w,
                                  .m = m,
                                  .v = v,
                                  .gradient = gradient,
                                  .chunks = chunks,
                                  .lr = lr,
                                  .weight_decay = decay,
                                  .step = step,
                                  .decay = g.name() == "adamw" ? Decay::decoupled : Decay::coupled});
        CHECK(step.download<std::int64_t>()[0] == i);
      }

      expect_close(w.values(), g["after"], {.k = 160});
      expect_close(m.values(), g["m"], {.k = 160});
      expect_close(v.values(), g["v"], {.k = 160});
    }
  });
}

TEST_CASE("optimizer_adam: the first step in f32 keeps the small share of the second moment") {
  on_every_device([](Context& ctx) {
    const DeviceArray w(ctx, {1}, std::vector<float>{0}), m(ctx, {1}, std::vector<float>{0}),
        v(ctx, {1}, std::vector<float>{0});
    const DeviceArray g(ctx, {1}, std::vector<float>{2}), lr(ctx, {1}, std::vector<double>{1});
    const DeviceArray step(ctx, {1}, std::vector<std::int64_t>{0}), chunks = chunk_table(ctx, {{0, 1, 1, 1}}, 1);

    optimizer_adam::run(
        ctx, {.weight = w, .m = m, .v = v, .gradient = g, .chunks = chunks, .lr = lr, .step = step, .eps = 0});

    expect_close(v.values(), {0.004}, {.k = 2, .dtype = DType::f32, .scale = 0});
    expect_close(w.values(), {-1}, {.k = 8, .dtype = DType::f32});
  });
}

TEST_CASE("optimizer_adam: joint replicas have the bits of steps of their own") {
  const Layout joint = {4097, 32, 3}, single = {4097, 32, 1};
  on_every_device([&](Context& ctx) {
    const std::int64_t p = joint.total();
    const std::vector<float> w = cast<float>(random_values(p, 1)), g = cast<float>(random_values(p, 2));
    const std::vector<double> rates = {0.01, 0.1, 0.003};
    const std::vector<std::int64_t> steps = {0, 5, 100};
    const auto run_flat = [&](const Layout& l, const std::vector<float>& weights, const std::vector<float>& gradient,
                              const std::vector<double>& lr_values, const std::vector<std::int64_t>& step_values) {
      const std::vector<float> second(weights.size(), 0.5f);
      const DeviceArray weight(ctx, {l.total()}, weights), m(ctx, {l.total()}, gradient), v(ctx, {l.total()}, second);
      const DeviceArray in(ctx, {l.total()}, gradient), lr(ctx, {l.replicas}, lr_values),
          step(ctx, {l.replicas}, step_values);
      const DeviceArray chunks = upload_chunks(ctx, l);
      optimizer_adam::run(ctx,
                          {.weight = weight, .m = m, .v = v, .gradient = in, .chunks = chunks, .lr = lr, .step = step});
      return weight.download<float>();
    };
    // Replica k of the flat array as the flat array of one replica.
    const auto own = [&](const std::vector<float>& all, std::int64_t k) {
      const auto at = all.begin();
      std::vector<float> one(at + k * joint.first, at + (k + 1) * joint.first);
      one.insert(one.end(), static_cast<std::size_t>(joint.gap), 0.0f);
      const std::int64_t second = joint.segments()[1].offset + k * joint.second;
      one.insert(one.end(), at + second, at + second + joint.second);
      return one;
    };

    const std::vector<float> together = run_flat(joint, w, g, rates, steps);

    for (std::int64_t k = 0; k < 3; ++k) {
      const auto i = static_cast<std::size_t>(k);
      expect_equal_bits(run_flat(single, own(w, k), own(g, k), {rates[i]}, {steps[i]}), own(together, k));
    }
  });
}

TEST_CASE("optimizer_adam: names the wrong argument") {
  CpuContext ctx;
  const DeviceArray w(ctx, {4}, DType::f32), g(ctx, {5}, DType::f32), m(ctx, {4}, DType::f32), v(ctx, {4}, DType::f32);
  const DeviceArray chunks(ctx, {32}, DType::u8), lr(ctx, {1}, DType::f64), step(ctx, {2}, DType::i64);

  CHECK_THROWS_WITH_AS(
      optimizer_adam::run(ctx, {.weight = w, .m = m, .v = v, .gradient = g, .chunks = chunks, .lr = lr, .step = step}),
      doctest::Contains("gradient is [5], expected [4]"), ShapeError);
  CHECK_THROWS_WITH_AS(
      optimizer_adam::run(ctx, {.weight = w, .m = m, .v = v, .gradient = m, .chunks = chunks, .lr = lr, .step = step}),
      doctest::Contains("step is [2], expected [1]"), ShapeError);
  CHECK_THROWS_WITH_AS(
      optimizer_adam::run(ctx, {.weight = w, .m = w, .v = v, .gradient = m, .chunks = chunks, .lr = lr, .step = step}),
      doctest::Contains("weight overlaps m"), ShapeError);
}
