// SPDX-License-Identifier: Apache-2.0
#include "kernels/gate.h"

#include "kernels/discriminative_loss.h"
#include "tests/oracle/discriminative_loss_oracle.h"
#include "tests/oracle/gate_oracle.h"
#include "tests/support/golden.h"
#include "tests/support/op_test.h"
#include "tests/support/replicas.h"

using namespace genexx;
using namespace genexx::test;

namespace {

struct Case {
  std::int64_t n, g;
  std::vector<double> logits, x, dy, dgate;
  Shape shape() const { return {1, n, g}; }
};

Case random_case(std::int64_t n, std::int64_t g, double x_mean = 0) {
  return {n,
          g,
          random_values(n * g, 1, -3, 3),
          random_values(n * g, 2, x_mean - 1, x_mean + 1),
          random_values(n * g, 3),
          random_values(n * g, 4)};
}

struct Gradients {
  std::vector<double> dlogits, dx;
};

// Which gradients reach the op.
struct Reaching {
  bool dy = true, dgate = true;
};

Gradients complex_gradients(const Case& c, const Reaching& reaching) {
  const std::vector<Complex> logits(c.logits.begin(), c.logits.end()), x(c.x.begin(), c.x.end());
  const auto loss = [&](const std::vector<Complex>& zl, const std::vector<Complex>& zx) {
    const oracle::Gated<Complex> out = oracle::gate(zl, zx);
    return (reaching.dy ? weighted_sum(c.dy, out.y) : Complex(0)) +
           (reaching.dgate ? weighted_sum(c.dgate, out.gate) : Complex(0));
  };
  return {complex_step([&](const std::vector<Complex>& z) { return loss(z, x); }, c.logits),
          complex_step([&](const std::vector<Complex>& z) { return loss(logits, z); }, c.x)};
}

template <class T>
Gradients run_backward(Context& ctx, const Case& c, const Reaching& reaching, Fill fill) {
  const DType t = DTypeOf<T>::value;
  const DeviceArray gate(ctx, c.shape(), cast<T>(oracle::gate(c.logits, c.x).gate)), x(ctx, c.shape(), cast<T>(c.x));
  const DeviceArray dy(ctx, c.shape(), cast<T>(c.dy)), dgate(ctx, c.shape(), cast<T>(c.dgate));
  const DeviceArray dlogits(ctx, c.shape(), t, fill), dx(ctx, c.shape(), t, fill);
  gate::BackwardArgs args = {.gate = gate, .x = x, .dlogits = dlogits, .dx = dx};
  if (reaching.dy) args.dy = dy;
  if (reaching.dgate) args.dgate = dgate;
  gate::backward(ctx, args);
  return {dlogits.values(), dx.values()};
}

}  // namespace

TEST_CASE("gate: literals") {
  on_every_device([](Context& ctx) {
    const DeviceArray logits(ctx, {1, 1, 3}, std::vector<double>{0, 3, -2}),
        x(ctx, {1, 1, 3}, std::vector<double>{6, -2, 1});
    const DeviceArray gate(ctx, {1, 1, 3}, DType::f64), y(ctx, {1, 1, 3}, DType::f64);
    const DeviceArray half(ctx, {1, 1, 1}, std::vector<double>{0.25}), at(ctx, {1, 1, 1}, std::vector<double>{8.0});
    const DeviceArray dy(ctx, {1, 1, 1}, std::vector<double>{2.0}), dgate(ctx, {1, 1, 1}, std::vector<double>{-1.0});
    const DeviceArray dlogits(ctx, {1, 1, 1}, DType::f64), dx(ctx, {1, 1, 1}, DType::f64);

    gate::forward(ctx, {.logits = logits, .x = x, .gate = gate, .y = y});
    gate::backward(ctx, {.gate = half, .x = at, .dy = dy, .dgate = dgate, .dlogits = dlogits, .dx = dx});

    expect_close(gate.values(), {0.5, 0.95257412682243336, 0.11920292202211755}, {.k = 2});
    expect_close(y.values(), {3, -1.9051482536448667, 0.11920292202211755}, {.k = 4});
    expect_close(dlogits.values(), {2.8125}, {});  // (2 * 8 - 1) * 0.25 * 0.75
    expect_close(dx.values(), {0.5}, {});
  });
}

TEST_CASE("gate: forward agrees with the oracle around the vector width and for large means") {
  on_every_device([](Context& ctx) {
    for (const std::int64_t g : {1, 31, 32, 33, 257}) {
      CAPTURE(g);
      const Case c = random_case(3, g, g == 33 ? 1e4 : 0);
      const oracle::Gated<double> expected = oracle::gate(c.logits, c.x);
      for_float_types([&](auto zero) {
        using T = decltype(zero);
        const DType t = DTypeOf<T>::value;
        const DeviceArray logits(ctx, c.shape(), cast<T>(c.logits)), x(ctx, c.shape(), cast<T>(c.x));
        const DeviceArray gate(ctx, c.shape(), t), y(ctx, c.shape(), t, Fill::huge);

        gate::forward(ctx, {.logits = logits, .x = x, .gate = gate, .y = y});

        expect_close(gate.values(), expected.gate, {.k = 4, .dtype = t, .scale = 0.05});
        expect_close(y.values(), expected.y, {.k = 6, .dtype = t, .scale = 0.05});
      });
    }
  });
}

TEST_CASE("gate: more elements than one range and one grid agree with the oracle element by element") {
  on_every_device([](Context& ctx) {
    const Case c = random_case(301, 1000);  // over 1056 blocks of 256 threads, 19 ranges
    const oracle::Gated<double> expected = oracle::gate(c.logits, c.x);
    Gradients want;
    for (std::size_t i = 0; i < c.x.size(); ++i) {
      const double a = expected.gate[i];
      want.dlogits.push_back((c.dy[i] * c.x[i] + c.dgate[i]) * a * (1 - a));
      want.dx.push_back(c.dy[i] * a);
    }
    const DeviceArray logits(ctx, c.shape(), cast<float>(c.logits)), x(ctx, c.shape(), cast<float>(c.x));
    const DeviceArray gate(ctx, c.shape(), DType::f32), y(ctx, c.shape(), DType::f32);

    gate::forward(ctx, {.logits = logits, .x = x, .gate = gate, .y = y});
    const Gradients got = run_backward<float>(ctx, c, {}, Fill::nan);

    expect_close(gate.values(), expected.gate, {.k = 8, .dtype = DType::f32});
    expect_close(y.values(), expected.y, {.k = 8, .dtype = DType::f32});
    expect_close(got.dlogits, want.dlogits, {.k = 8, .dtype = DType::f32});
    expect_close(got.dx, want.dx, {.k = 8, .dtype = DType::f32});
  });
}

TEST_CASE("gate: backward matches complex step, whichever gradients reach it") {
  on_every_device([](Context& ctx) {
    const Case c = random_case(5, 9);
    for (const Reaching& reaching : {Reaching{true, true}, Reaching{true, false}, Reaching{false, true}}) {
      CAPTURE(reaching.dy);
      CAPTURE(reaching.dgate);
      const Gradients expected = complex_gradients(c, reaching);

      const Gradients f64 = run_backward<double>(ctx, c, reaching, Fill::nan);
      const Gradients f32 = run_backward<float>(ctx, c, reaching, Fill::huge);

      expect_close(f64.dlogits, expected.dlogits, {.k = 8});
      expect_close(f64.dx, expected.dx, {.k = 8});
      expect_close(f32.dlogits, expected.dlogits, {.k = 8, .dtype = DType::f32});
      expect_close(f32.dx, expected.dx, {.k = 8, .dtype = DType::f32});
    }
  });
}

TEST_CASE("gate: nothing reaching it gives gradients of zero") {
  on_every_device([](Context& ctx) {
    const Gradients got = run_backward<double>(ctx, random_case(2, 5), {false, false}, Fill::nan);

    expect_close(got.dlogits, std::vector<double>(10, 0.0), {});
    expect_close(got.dx, std::vector<double>(10, 0.0), {});
  });
}

TEST_CASE("gate: no rows are no work") {
  on_every_device(
      [](Context& ctx) { CHECK(run_backward<float>(ctx, random_case(0, 4), {}, Fill::nan).dlogits.empty()); });
}

TEST_CASE("gate: in place gives the bits of out of place") {
  on_every_device([](Context& ctx) {
    const Case c = random_case(40, 500);
    const Gradients apart = run_backward<float>(ctx, c, {}, Fill::nan);
    const DeviceArray both(ctx, c.shape(), cast<float>(c.logits)), logits(ctx, c.shape(), cast<float>(c.logits));
    const DeviceArray x(ctx, c.shape(), cast<float>(c.x)), y(ctx, c.shape(), DType::f32);
    const DeviceArray separate(ctx, c.shape(), DType::f32), separate_y(ctx, c.shape(), DType::f32);
    const DeviceArray gate(ctx, c.shape(), cast<float>(oracle::gate(c.logits, c.x).gate)),
        dx(ctx, c.shape(), DType::f32);
    const DeviceArray dy(ctx, c.shape(), cast<float>(c.dy)), dgate(ctx, c.shape(), cast<float>(c.dgate));
    const DeviceArray over_dy(ctx, c.shape(), cast<float>(c.dy)), over_dgate(ctx, c.shape(), cast<float>(c.dgate));

    gate::forward(ctx, {.logits = both, .x = x, .gate = both, .y = y});
    gate::forward(ctx, {.logits = logits, .x = x, .gate = separate, .y = separate_y});
    gate::backward(ctx, {.gate = gate, .x = x, .dy = over_dy, .dgate = dgate, .dlogits = over_dy, .dx = dx});
    gate::backward(ctx, {.gate = gate, .x = x, .dy = dy, .dgate = over_dgate, .dlogits = over_dgate});

    expect_equal_bits(both.download<float>(), separate.download<float>());
    expect_equal_bits(y.download<float>(), separate_y.download<float>());
    expect_equal_bits(over_dy.values(), apart.dlogits);
    expect_equal_bits(dx.values(), apart.dx);
    expect_equal_bits(over_dgate.values(), apart.dlogits);
  });
}

TEST_CASE("gate: accumulating adds to both gradients") {
  on_every_device([](Context& ctx) {
    const Case c = random_case(3, 33);
    const Gradients fresh = run_backward<double>(ctx, c, {}, Fill::nan);
    const std::vector<double> before = random_values(99, 5), before_x = random_values(99, 6);
    const DeviceArray gate(ctx, c.shape(), oracle::gate(c.logits, c.x).gate), x(ctx, c.shape(), c.x);
    const DeviceArray dy(ctx, c.shape(), c.dy), dgate(ctx, c.shape(), c.dgate);
    const DeviceArray dlogits(ctx, c.shape(), before), dx(ctx, c.shape(), before_x);

    gate::backward(
        ctx,
        {.gate = gate, .x = x, .dy = dy, .dgate = dgate, .dlogits = dlogits, .dx = dx, .mode = WriteMode::accumulate});

    expect_close(dlogits.values(), added(before, fresh.dlogits), {.k = 4});
    expect_close(dx.values(), added(before_x, fresh.dx), {.k = 4});
  });
}

TEST_CASE("gate: replicas give the bits of calls of their own, also with shared rows") {
  on_every_device([](Context& ctx) {
    const std::int64_t r = 3, n = 50, g = 400;
    const std::vector<float> logits = cast<float>(random_values(r * n * g, 1, -3, 3)),
                             x = cast<float>(random_values(n * g, 2));
    const std::vector<float> gradient = cast<float>(random_values(r * n * g, 3));
    const auto run = [&](std::int64_t replicas, const std::vector<float>& l, const std::vector<float>& d) {
      const Shape shape = {replicas, n, g};
      const DeviceArray in(ctx, shape, l), rows(ctx, {1, n, g}, x), dy(ctx, shape, d);
      const DeviceArray gate(ctx, shape, DType::f32), y(ctx, shape, DType::f32), dlogits(ctx, shape, DType::f32);
      const DeviceArray dx(ctx, shape, DType::f32);
      gate::forward(ctx, {.logits = in, .x = rows, .gate = gate, .y = y});
      gate::backward(ctx, {.gate = gate, .x = rows, .dy = dy, .dlogits = dlogits, .dx = dx});
      return std::vector{gate.download<float>(), y.download<float>(), dlogits.download<float>(), dx.download<float>()};
    };

    const auto joint = run(r, logits, gradient);

    for (std::int64_t k = 0; k < r; ++k) {
      const auto alone = run(1, replica_part(logits, k, r), replica_part(gradient, k, r));
      for (std::size_t i = 0; i < joint.size(); ++i) expect_equal_bits(alone[i], replica_part(joint[i], k, r));
    }
  });
}

TEST_CASE("gate: agrees with PyTorch") {
  on_every_device([](Context& ctx) {
    for (const GoldenCase& g : golden_cases("gate")) {
      CAPTURE(g.name());
      const Case c = {g.size("n"), g.size("g"), g["logits"], g["x"], g["dy"], g["dgate"]};
      const DeviceArray logits(ctx, c.shape(), c.logits), x(ctx, c.shape(), c.x);
      const DeviceArray gate(ctx, c.shape(), DType::f64), y(ctx, c.shape(), DType::f64);

      gate::forward(ctx, {.logits = logits, .x = x, .gate = gate, .y = y});
      const Gradients got = run_backward<double>(ctx, c, {}, Fill::nan);

      expect_close(gate.values(), g["gate"], {.k = 4});
      expect_close(y.values(), g["y"], {.k = 4});
      expect_close(got.dlogits, g["dlogits"], {.k = 4});
      expect_close(got.dx, g["dx"], {.k = 4});
    }
  });
}

TEST_CASE("gate: a pulled gate's loss and gradient match complex step, with and without a mask") {
  on_every_device([](Context& ctx) {
    for (const std::int64_t g : {1, 5, 33, 257})
      for (const bool masked : {false, true}) {
        CAPTURE(g);
        CAPTURE(masked);
        const Case c = random_case(5, g);
        const std::vector<double> index = random_values(g, 8, 0, 1);
        std::vector<double> mask(static_cast<std::size_t>(g), 1);
        for (std::size_t j = 1; masked && j < mask.size(); j += 2) mask[j] = 0;
        double live = 0;
        for (const double m : mask) live += m;
        const double weight = 3;
        const std::vector<Complex> x(c.x.begin(), c.x.end());
        const auto total = [&](const std::vector<Complex>& z) {
          const oracle::Gated<Complex> out = oracle::gate(z, x);
          return weighted_sum(c.dy, out.y) + weighted_sum(c.dgate, out.gate) +
                 weight * oracle::discriminative_loss(c.n, out.gate, index, mask);
        };
        const std::vector<double> gates = oracle::gate(c.logits, c.x).gate;
        const DeviceArray gate(ctx, c.shape(), gates), in(ctx, c.shape(), c.x), dy(ctx, c.shape(), c.dy),
            dgate(ctx, c.shape(), c.dgate), dlogits(ctx, c.shape(), DType::f64), target(ctx, {1, g}, index),
            live_mask(ctx, {1, g}, mask), mask_sum(ctx, {1}, std::vector<double>{live}),
            scale(ctx, {1}, std::vector<double>{weight}), loss(ctx, {1}, DType::f64), logits(ctx, c.shape(), c.logits),
            made(ctx, c.shape(), DType::f64), y(ctx, c.shape(), DType::f64);
        gate::BackwardArgs args;
        args.gate = gate;
        args.x = in;
        args.dy = dy;
        args.dgate = dgate;
        args.dlogits = dlogits;
        args.pull.index = target;
        if (masked) args.pull.mask = live_mask;
        if (masked) args.pull.mask_sum = mask_sum;
        args.pull.scale = scale;
        args.pull.loss = loss;

        gate::forward(ctx, {.logits = logits, .x = in, .gate = made, .y = y, .pull = args.pull});
        gate::backward(ctx, args);

        expect_close(made.values(), gates, {.k = 4, .scale = 0.05});
        expect_close(y.values(), oracle::gate(c.logits, c.x).y, {.k = 6, .scale = 0.05});
        expect_close(loss.values(), {oracle::discriminative_loss(c.n, gates, index, mask)}, {.k = 16});
        expect_close(dlogits.values(), complex_step(total, c.logits), {.k = 32});
      }
  });
}

TEST_CASE("gate: the pull gives the gradient of the loss taken apart, for replicas together and alone") {
  on_every_device([](Context& ctx) {
    const std::int64_t n = 37, g = 300;
    struct Inputs {
      std::vector<float> logits, x, dy, index;
      std::vector<double> scale;
    };
    struct Outputs {
      std::vector<float> y, dlogits;
      std::vector<double> loss;
    };
    const auto run = [&](std::int64_t r, const Inputs& in, bool together) {
      const Shape shape = {r, n, g};
      const DeviceArray logits(ctx, shape, in.logits), x(ctx, shape, in.x), dy(ctx, shape, in.dy),
          index(ctx, {r, g}, in.index), scale(ctx, {r}, in.scale), loss(ctx, {r}, DType::f64);
      const DeviceArray gate(ctx, shape, DType::f32), y(ctx, shape, DType::f32), dgate(ctx, shape, DType::f32),
          dlogits(ctx, shape, DType::f32);
      gate::Pull pull;
      if (together) pull = {.index = index, .scale = scale, .loss = loss};
      gate::forward(ctx, {.logits = logits, .x = x, .gate = gate, .y = y, .pull = pull});
      gate::BackwardArgs back;
      back.gate = gate;
      back.x = x;
      back.dy = dy;
      back.dlogits = dlogits;
      back.pull = pull;
      if (!together) {
        discriminative_loss::run(ctx, {.gate = gate, .index = index, .scale = scale, .loss = loss, .dgate = dgate});
        back.dgate = dgate;
      }
      gate::backward(ctx, back);
      return Outputs{y.download<float>(), dlogits.download<float>(), loss.values()};
    };
    const std::int64_t r = 3;
    const Inputs all = {cast<float>(random_values(r * n * g, 1, -3, 3)),
                        cast<float>(random_values(r * n * g, 2)),
                        cast<float>(random_values(r * n * g, 3)),
                        cast<float>(random_values(r * g, 4, 0, 1)),
                        {1, 2, 7}};

    const Outputs joint = run(r, all, true), apart = run(r, all, false);

    expect_equal_bits(joint.y, apart.y);
    expect_equal_bits(joint.dlogits, apart.dlogits);
    expect_close(joint.loss, apart.loss, {.k = 64});
    for (std::int64_t k = 0; k < r; ++k) {
      const Outputs alone = run(1,
                                {replica_part(all.logits, k, r), replica_part(all.x, k, r), replica_part(all.dy, k, r),
                                 replica_part(all.index, k, r), replica_part(all.scale, k, r)},
                                true);
      expect_equal_bits(alone.dlogits, replica_part(joint.dlogits, k, r));
      expect_equal_bits(alone.loss, replica_part(joint.loss, k, r));
    }
  });
}

TEST_CASE("gate: a pull of no rows has a loss of zero, and is refused without what it needs") {
  on_every_device([](Context& ctx) {
    const Shape shape = {1, 0, 3};
    const std::vector<float> nothing;
    const DeviceArray logits(ctx, shape, nothing), x(ctx, shape, nothing), gate(ctx, shape, DType::f32),
        y(ctx, shape, DType::f32), index(ctx, {1, 3}, std::vector<float>(3)),
        mask(ctx, {1, 3}, std::vector<float>(3, 1)), loss(ctx, {1}, DType::f64);
    gate::ForwardArgs args = {.logits = logits, .x = x, .gate = gate, .y = y, .pull = {}};
    args.pull.index = index;
    CHECK_THROWS_WITH_AS(gate::forward(ctx, args), doctest::Contains("pull.loss is absent"), ShapeError);
    args.pull.loss = loss;
    gate::forward(ctx, args);
    CHECK(loss.values()[0] == 0);
    args.pull.mask = mask;
    CHECK_THROWS_WITH_AS(gate::forward(ctx, args), doctest::Contains("pull.mask_sum is absent"), ShapeError);
  });
}

TEST_CASE("gate: names the wrong argument") {
  CpuContext ctx;
  const DeviceArray a(ctx, {2, 3, 4}, DType::f32), b(ctx, {2, 3, 4}, DType::f32), c(ctx, {2, 3, 4}, DType::f32);
  const DeviceArray small(ctx, {2, 3, 3}, DType::f32), wide(ctx, {2, 3, 4}, DType::f64), d(ctx, {2, 3, 4}, DType::f32);

  CHECK_THROWS_WITH_AS(gate::forward(ctx, {.logits = a, .x = small, .gate = b, .y = c}),
                       doctest::Contains("x is [2, 3, 3], expected [2, 3, 4]"), ShapeError);
  CHECK_THROWS_WITH_AS(gate::forward(ctx, {.logits = wide, .x = a, .gate = b, .y = c}),
                       doctest::Contains("logits is f64, expected f32"), ShapeError);
  CHECK_THROWS_WITH_AS(gate::forward(ctx, {.logits = a, .x = b, .gate = c, .y = c}),
                       doctest::Contains("y overlaps gate"), ShapeError);
  CHECK_THROWS_WITH_AS(gate::backward(ctx, {.gate = a, .x = b, .dy = c, .dlogits = c, .mode = WriteMode::accumulate}),
                       doctest::Contains("dlogits overlaps dy"), ShapeError);
  CHECK_THROWS_WITH_AS(gate::backward(ctx, {.gate = a, .x = b, .dy = c, .dlogits = d, .dx = c}),
                       doctest::Contains("dx overlaps dy"), ShapeError);
}
