// SPDX-License-Identifier: Apache-2.0
#include "kernels/optimizer_adam.h"

#include "tests/oracle/optimizer_adam_oracle.h"
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

DeviceArray upload_chunks(Context& ctx, const Layout& l) {
  const std::vector<OptimizerChunk> chunks = optimizer_chunks(l.segments(), l.replicas);
  std::vector<std::uint8_t> bytes(chunks.size() * sizeof(OptimizerChunk));
  __builtin_memcpy(bytes.data(), chunks.data(), bytes.size());
  return DeviceArray(ctx, {static_cast<std::int64_t>(bytes.size())}, bytes);
}

struct Outcome {
  std::vector<double> w, m, v;
};

template <class T>
Outcome run(Context& ctx, const Layout& l, Decay decay, const std::vector<double>& lr, const std::vector<std::int32_t>& active) {
  const std::int64_t p = l.total();
  const DeviceArray w(ctx, {p}, cast<T>(random_values(p, 1))), m(ctx, {p}, cast<T>(random_values(p, 2)));
  const DeviceArray v(ctx, {p}, cast<T>(random_values(p, 3, 0.0, 1.0))), g(ctx, {p}, cast<T>(random_values(p, 4)));
  const DeviceArray chunks = upload_chunks(ctx, l);
  const DeviceArray rate(ctx, {l.replicas}, lr), decays(ctx, {l.replicas}, std::vector<double>(lr.size(), 0.02));
  const DeviceArray step(ctx, {l.replicas}, std::vector<std::int64_t>(lr.size(), 6)), on(ctx, {l.replicas}, active);
  optimizer_adam::run(ctx, {.weight = w, .m = m, .v = v, .gradient = g, .chunks = chunks, .lr = rate,
                            .weight_decay = decays, .step = step, .active = on, .decay = decay});
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
        // A dozen roundings of numbers of size 1; the quotient m / sqrt(v) is at most 1e3 here and is scaled by lr <= 0.09.
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

TEST_CASE("optimizer_adam: names the wrong argument") {
  CpuContext ctx;
  const DeviceArray w(ctx, {4}, DType::f32), g(ctx, {5}, DType::f32), m(ctx, {4}, DType::f32), v(ctx, {4}, DType::f32);
  const DeviceArray chunks(ctx, {32}, DType::u8), lr(ctx, {1}, DType::f64), step(ctx, {2}, DType::i64);

  CHECK_THROWS_WITH_AS(optimizer_adam::run(ctx, {.weight = w, .m = m, .v = v, .gradient = g, .chunks = chunks, .lr = lr, .step = step}),
                       doctest::Contains("gradient is [5], expected [4]"), ShapeError);
  CHECK_THROWS_WITH_AS(optimizer_adam::run(ctx, {.weight = w, .m = m, .v = v, .gradient = m, .chunks = chunks, .lr = lr, .step = step}),
                       doctest::Contains("step is [2], expected [1]"), ShapeError);
  CHECK_THROWS_WITH_AS(optimizer_adam::run(ctx, {.weight = w, .m = w, .v = v, .gradient = m, .chunks = chunks, .lr = lr, .step = step}),
                       doctest::Contains("weight overlaps m"), ShapeError);
}
