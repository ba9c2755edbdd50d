// SPDX-License-Identifier: Apache-2.0
#include "kernels/dropout.h"

#include <cmath>

#include "tests/oracle/dropout_oracle.h"
#include "tests/support/op_test.h"
#include "tests/support/replicas.h"

using namespace genexx;
using namespace genexx::test;
using dropout::Form;
using oracle::DropoutDraw;

namespace {

// One replica unless said otherwise; y is returned.
template <class T>
std::vector<T> apply(Context& ctx, const Shape& shape, const std::vector<T>& x, const std::vector<DropoutDraw>& draws,
                     Fill fill = Fill::nan) {
  std::vector<std::int64_t> seeds, steps;
  std::vector<double> rates;
  for (const DropoutDraw& d : draws) {
    seeds.push_back(d.seed);
    steps.push_back(d.step);
    rates.push_back(d.rate);
  }
  const Shape per = {static_cast<std::int64_t>(draws.size())};
  const DeviceArray in(ctx, shape, x), out(ctx, shape, DTypeOf<T>::value, fill);
  const DeviceArray seed(ctx, per, seeds), step(ctx, per, steps), rate(ctx, per, rates);
  dropout::apply(ctx, {.x = in,
                       .y = out,
                       .seed = seed,
                       .step = step,
                       .rate = rate,
                       .stream = draws[0].stream,
                       .first_row = draws[0].first_row,
                       .form = draws[0].form});
  return out.template download<T>();
}

constexpr DropoutDraw kDraw = {.seed = 42, .step = 7, .first_row = 0, .stream = 3, .form = Form::unit, .rate = 0.4};

}  // namespace

TEST_CASE("dropout: literals from the published Philox answer for key 0 and counter 0") {
  on_every_device([](Context& ctx) {
    // Words 6627e8d5 e169c58d bc57ac4c 9b00dbd8: as fractions 0.399, 0.880, 0.736, 0.605.
    const DropoutDraw draw = {.seed = 0, .step = 0, .first_row = 0, .stream = 0, .form = Form::unit, .rate = 0.7};

    const std::vector<double> y = apply<double>(ctx, {1, 1, 4}, {1, 2, 3, 4}, {draw});

    expect_close(y, {0, 2 / 0.3, 3 / 0.3, 0}, {.k = 4});
  });
}

TEST_CASE("dropout: the mask is the oracle's at every width, for 64-bit seeds and steps") {
  on_every_device([](Context& ctx) {
    for (const std::int64_t c : {1, 3, 4, 31, 32, 33, 63, 64, 65, 257}) {
      CAPTURE(c);
      const std::int64_t n = 5;
      const std::vector<double> x = random_values(n * c, 1, 1, 2);
      for (const Form form : {Form::unit, Form::row}) {
        const DropoutDraw draw = {.seed = -5'000'000'000,
                                  .step = 10'000'000'001,
                                  .first_row = 4'294'967'294,
                                  .stream = 9,
                                  .form = form,
                                  .rate = 0.3};
        const std::vector<double> factor = oracle::dropout_factors(n, c, draw);
        std::vector<double> expected = x;
        for (std::size_t i = 0; i < x.size(); ++i) expected[i] *= factor[i];

        const std::vector<double> f64 = apply<double>(ctx, {1, n, c}, x, {draw}, Fill::huge);
        const std::vector<float> f32 = apply<float>(ctx, {1, n, c}, cast<float>(x), {draw});

        expect_close(f64, expected, {.k = 4});
        expect_close(std::vector<double>(f32.begin(), f32.end()), expected, {.k = 4, .dtype = DType::f32});
        for (std::size_t i = 0; i < x.size(); ++i) CHECK((f32[i] == 0) == (factor[i] == 0));
      }
    }
  });
}

TEST_CASE("dropout: the mask is the oracle's over more rows than one task and one grid") {
  on_every_device([](Context& ctx) {
    const std::int64_t n = 1100, c = 1001;  // 276,100 groups of four, over 1056 blocks of 256 threads
    const std::vector<double> factor = oracle::dropout_factors(n, c, kDraw);

    const std::vector<float> y = apply<float>(ctx, {1, n, c}, std::vector<float>(factor.size(), 1.0f), {kDraw});

    expect_close(std::vector<double>(y.begin(), y.end()), factor, {.k = 2, .dtype = DType::f32});
  });
}

TEST_CASE("dropout: the share kept is 1 - p within four standard deviations") {
  on_every_device([](Context& ctx) {
    for (const double rate : {0.1, 0.5, 0.9}) {
      CAPTURE(rate);
      const std::int64_t n = 200, c = 100;
      DropoutDraw draw = kDraw;
      draw.rate = rate;
      const std::vector<float> y = apply<float>(ctx, {1, n, c}, std::vector<float>(n * c, 1.0f), {draw});
      double kept = 0, sum = 0;
      for (const float v : y) {
        kept += v != 0;
        sum += v;
      }
      const double total = static_cast<double>(n * c), sigma = std::sqrt(total * rate * (1 - rate));
      CHECK(std::fabs(kept - total * (1 - rate)) < 4 * sigma);
      CHECK(std::fabs(sum - total) < 4 * sigma / (1 - rate));  // the scaling keeps the mean
    }
  });
}

TEST_CASE("dropout: rate 0 copies the bits, rate 1 gives zeros even of NaN") {
  on_every_device([](Context& ctx) {
    std::vector<float> x = cast<float>(random_values(3 * 37, 4));
    DropoutDraw none = kDraw, all = kDraw;
    none.rate = 0;
    all.rate = 1;

    for (const Form form : {Form::unit, Form::row}) {
      none.form = all.form = form;
      expect_equal_bits(apply<float>(ctx, {1, 3, 37}, x, {none}), x);
      x[5] = std::nanf("");
      expect_equal_bits(apply<float>(ctx, {1, 3, 37}, x, {all}), std::vector<float>(x.size(), 0.0f));
      x[5] = 1;
    }
  });
}

TEST_CASE("dropout: no rows are no work") {
  on_every_device([](Context& ctx) { CHECK(apply<float>(ctx, {1, 0, 4}, {}, {kDraw}).empty()); });
}

TEST_CASE("dropout: whole rows live or die together") {
  on_every_device([](Context& ctx) {
    DropoutDraw draw = kDraw;
    draw.form = Form::row;
    const std::int64_t n = 64, c = 33;

    const std::vector<float> y = apply<float>(ctx, {1, n, c}, std::vector<float>(n * c, 1.0f), {draw});

    std::int64_t live = 0;
    for (std::int64_t i = 0; i < n; ++i) {
      for (std::int64_t u = 1; u < c; ++u) CHECK(y[i * c + u] == y[i * c]);
      live += y[i * c] != 0;
    }
    CHECK(live > 20);
    CHECK(live < 58);
  });
}

TEST_CASE("dropout: a batch in two parts draws the mask of the whole batch") {
  on_every_device([](Context& ctx) {
    const std::int64_t n = 20, c = 50, cut = 13;
    const std::vector<float> x = cast<float>(random_values(n * c, 1));
    DropoutDraw later = kDraw;
    later.first_row = cut;

    const std::vector<float> whole = apply<float>(ctx, {1, n, c}, x, {kDraw});
    std::vector<float> parts =
        apply<float>(ctx, {1, cut, c}, std::vector<float>(x.begin(), x.begin() + cut * c), {kDraw});
    const std::vector<float> rest =
        apply<float>(ctx, {1, n - cut, c}, std::vector<float>(x.begin() + cut * c, x.end()), {later});
    parts.insert(parts.end(), rest.begin(), rest.end());

    expect_equal_bits(parts, whole);
  });
}

TEST_CASE("dropout: seed, step and stream each draw another mask") {
  on_every_device([](Context& ctx) {
    const std::vector<float> ones(256, 1.0f);
    const std::vector<float> first = apply<float>(ctx, {1, 2, 128}, ones, {kDraw});
    DropoutDraw seed = kDraw, step = kDraw, stream = kDraw;
    seed.seed += 1;
    step.step += 1;
    stream.stream += 1;

    for (const DropoutDraw& other : {seed, step, stream}) CHECK(apply<float>(ctx, {1, 2, 128}, ones, {other}) != first);
    CHECK(std::vector<float>(first.begin(), first.begin() + 128) !=
          std::vector<float>(first.begin() + 128, first.end()));
  });
}

TEST_CASE("dropout: in place gives the bits of out of place, accumulating adds") {
  on_every_device([](Context& ctx) {
    const Shape shape = {1, 4, 77};
    const std::vector<double> x = random_values(4 * 77, 2), before = random_values(4 * 77, 3);
    const std::vector<double> fresh = apply<double>(ctx, shape, x, {kDraw});
    const DeviceArray both(ctx, shape, x), in(ctx, shape, x), sum(ctx, shape, before);
    const DeviceArray seed(ctx, {1}, std::vector<std::int64_t>{42}), step(ctx, {1}, std::vector<std::int64_t>{7});
    const DeviceArray rate(ctx, {1}, std::vector<double>{0.4});

    dropout::apply(ctx, {.x = both, .y = both, .seed = seed, .step = step, .rate = rate, .stream = 3});
    dropout::apply(
        ctx, {.x = in, .y = sum, .seed = seed, .step = step, .rate = rate, .stream = 3, .mode = WriteMode::accumulate});

    expect_equal_bits(both.download<double>(), fresh);
    expect_close(sum.values(), added(before, fresh), {.k = 2});
  });
}

TEST_CASE("dropout: replicas with their own seed, step and rate give the bits of calls of their own") {
  on_every_device([](Context& ctx) {
    const std::int64_t r = 4, n = 3, c = 65;
    const std::vector<float> x = cast<float>(random_values(r * n * c, 1));
    std::vector<DropoutDraw> draws(static_cast<std::size_t>(r), kDraw);
    for (std::size_t k = 0; k < draws.size(); ++k) {
      draws[k].seed += static_cast<std::int64_t>(k);
      draws[k].step += static_cast<std::int64_t>(3 * k);
      draws[k].rate = 0.3 * static_cast<double>(k);
    }

    const std::vector<float> joint = apply<float>(ctx, {r, n, c}, x, draws);

    for (std::int64_t k = 0; k < r; ++k)
      expect_equal_bits(apply<float>(ctx, {1, n, c}, replica_part(x, k, r), {draws[static_cast<std::size_t>(k)]}),
                        replica_part(joint, k, r));
  });
}

TEST_CASE("dropout: names the wrong argument") {
  CpuContext ctx;
  const DeviceArray x(ctx, {2, 3, 4}, DType::f32), other(ctx, {2, 3, 5}, DType::f32);
  const DeviceArray two(ctx, {2}, DType::i64), one(ctx, {1}, DType::i64), rate(ctx, {2}, DType::f64);

  CHECK_THROWS_WITH_AS(dropout::apply(ctx, {.x = x, .y = other, .seed = two, .step = two, .rate = rate}),
                       doctest::Contains("y is [2, 3, 5], expected [2, 3, 4]"), ShapeError);
  CHECK_THROWS_WITH_AS(dropout::apply(ctx, {.x = x, .y = x, .seed = one, .step = two, .rate = rate}),
                       doctest::Contains("seed is [1], expected [2]"), ShapeError);
  CHECK_THROWS_WITH_AS(dropout::apply(ctx, {.x = x, .y = x, .seed = two, .step = two, .rate = two}),
                       doctest::Contains("rate is i64, expected f64"), ShapeError);
  CHECK_THROWS_WITH_AS(
      dropout::apply(ctx, {.x = x, .y = x, .seed = two, .step = two, .rate = rate, .mode = WriteMode::accumulate}),
      doctest::Contains("y overlaps x"), ShapeError);
}
