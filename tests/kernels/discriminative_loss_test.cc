// SPDX-License-Identifier: Apache-2.0
#include "kernels/discriminative_loss.h"

#include <cmath>

#include "tests/oracle/discriminative_loss_oracle.h"
#include "tests/support/golden.h"
#include "tests/support/op_test.h"
#include "tests/support/replicas.h"

using namespace genexx;
using namespace genexx::test;

namespace {

struct Case {
  std::int64_t n, g;
  std::vector<double> gate, index, mask;
  double scale = 1;
};

Case random_case(std::int64_t n, std::int64_t g, double mean = 0.5) {
  Case c = {n,
            g,
            random_values(n * g, 1, mean - 0.5, mean + 0.5),
            random_values(g, 2, mean - 0.5, mean + 0.5),
            std::vector<double>(static_cast<std::size_t>(g), 1.0),
            1.75};
  for (std::int64_t j = 1; j < g; j += 3) c.mask[static_cast<std::size_t>(j)] = 0;
  return c;
}

struct Result {
  double loss;
  std::vector<double> dgate;
};

template <class T>
Result run(Context& ctx, const Case& c, Fill fill = Fill::nan) {
  const Shape shape = {1, c.n, c.g};
  const DeviceArray gate(ctx, shape, cast<T>(c.gate)), index(ctx, {1, c.g}, cast<T>(c.index));
  const DeviceArray mask(ctx, {1, c.g}, cast<T>(c.mask)), scale(ctx, {1}, std::vector<double>{c.scale});
  const DeviceArray loss(ctx, {1}, DType::f64, fill), dgate(ctx, shape, DTypeOf<T>::value, fill);
  discriminative_loss::run(ctx,
                           {.gate = gate, .index = index, .mask = mask, .scale = scale, .loss = loss, .dgate = dgate});
  return {loss.values()[0], dgate.values()};
}

Result expected(const Case& c) {
  Result e = {
      oracle::discriminative_loss(c.n, c.gate, c.index, c.mask),
      complex_step([&](const std::vector<Complex>& z) { return oracle::discriminative_loss(c.n, z, c.index, c.mask); },
                   c.gate)};
  for (double& d : e.dgate) d *= c.scale;
  return e;
}

}  // namespace

TEST_CASE("discriminative_loss: literals") {
  on_every_device([](Context& ctx) {
    const Case c = {2, 3, {0.5, 1, 0.25, 0, 0, 0.75}, {0, 9, 0.5}, {1, 0, 1}, 2};  // 0.25 + 0.0625 + 0 + 0.0625 over 4

    const Result got = run<double>(ctx, c);

    expect_close({got.loss}, {0.09375}, {});
    expect_close(got.dgate, {0.5, 0, -0.25, -0.0, 0, 0.25}, {});
  });
}

TEST_CASE("discriminative_loss: loss and gradient match the oracle and complex step around the vector width") {
  on_every_device([](Context& ctx) {
    for (const auto& size :
         {std::pair{1, 1}, std::pair{3, 31}, std::pair{2, 32}, std::pair{17, 33}, std::pair{2, 257}}) {
      const std::int64_t n = size.first, g = size.second;
      CAPTURE(n);
      CAPTURE(g);
      const Case c = random_case(n, g);
      const Result want = expected(c);

      const Result f64 = run<double>(ctx, c), f32 = run<float>(ctx, c, Fill::huge);

      expect_close({f64.loss}, {want.loss}, {.k = 4.0 + static_cast<double>(n * g)});
      expect_close(f64.dgate, want.dgate, {.k = 8, .scale = 1e-3});
      expect_close({f32.loss}, {want.loss}, {.k = 4, .dtype = DType::f32});
      expect_close(f32.dgate, want.dgate, {.k = 8, .dtype = DType::f32});
    }
  });
}

TEST_CASE("discriminative_loss: many rows with a mean of 1e4 and a constant column") {
  on_every_device([](Context& ctx) {
    Case c = random_case(150, 300, 1e4);
    for (std::int64_t i = 0; i < c.n; ++i) c.gate[static_cast<std::size_t>(i * c.g)] = c.index[0];
    const double want = oracle::discriminative_loss(c.n, c.gate, c.index, c.mask);

    const Result f64 = run<double>(ctx, c), f32 = run<float>(ctx, c);

    expect_close({f64.loss, f32.loss}, {want, want}, {.k = 256});
    CHECK(f64.dgate[static_cast<std::size_t>(7 * c.g)] == 0.0);
  });
}

TEST_CASE("discriminative_loss: more blocks than the second level has threads") {
  on_every_device([](Context& ctx) {
    const Case c = random_case(4200, 3);  // 263 blocks of 16 rows
    const double want = oracle::discriminative_loss(c.n, c.gate, c.index, c.mask);

    expect_close({run<double>(ctx, c).loss, run<float>(ctx, c).loss}, {want, want}, {.k = 4200});
  });
}

TEST_CASE("discriminative_loss: no rows give a loss of zero") {
  on_every_device([](Context& ctx) { CHECK(run<float>(ctx, random_case(0, 3)).loss == 0.0); });
}

TEST_CASE("discriminative_loss: an absent mask is all ones, all masked gives zeros") {
  on_every_device([](Context& ctx) {
    Case c = random_case(3, 7);
    c.mask.assign(7, 1.0);
    c.scale = 1;
    const Result want = run<double>(ctx, c);
    c.mask.assign(7, 0.0);
    const Result zero = run<double>(ctx, c);
    const DeviceArray gate(ctx, {1, 3, 7}, c.gate), index(ctx, {1, 7}, c.index);
    const DeviceArray loss(ctx, {1}, DType::f64), dgate(ctx, {1, 3, 7}, DType::f64);

    discriminative_loss::run(ctx, {.gate = gate, .index = index, .loss = loss, .dgate = dgate});

    expect_close(loss.values(), {want.loss}, {.k = 4});
    expect_close(dgate.values(), want.dgate, {.k = 2, .scale = 1e-3});
    CHECK(zero.loss == 0.0);
    expect_close(zero.dgate, std::vector<double>(21, 0.0), {});
  });
}

TEST_CASE("discriminative_loss: accumulating adds to the gradient alone, NaN reaches the loss") {
  on_every_device([](Context& ctx) {
    Case c = random_case(5, 6);
    const std::vector<double> before = random_values(30, 3);
    const DeviceArray gate(ctx, {1, 5, 6}, c.gate), index(ctx, {1, 6}, c.index), mask(ctx, {1, 6}, c.mask);
    const DeviceArray loss(ctx, {1}, DType::f64), fresh(ctx, {1, 5, 6}, DType::f64), sum(ctx, {1, 5, 6}, before);
    discriminative_loss::Args args = {.gate = gate, .index = index, .mask = mask, .loss = loss, .dgate = fresh};
    discriminative_loss::run(ctx, args);
    args.dgate = sum;
    args.mode = WriteMode::accumulate;

    discriminative_loss::run(ctx, args);
    args.mask = {};
    discriminative_loss::run(ctx, args);  // once more, without the mask
    c.gate[3] = std::nan("");

    std::vector<double> want = added(before, fresh.values());
    for (std::size_t i = 0; i < want.size(); ++i) want[i] += 2.0 / 30 * (c.gate[i] - c.index[i % 6]);
    const std::vector<double> got = sum.values();
    for (std::size_t i = 0; i < want.size(); ++i)
      if (i != 3) expect_close({got[i]}, {want[i]}, {.k = 4});
    CHECK(std::isnan(run<float>(ctx, c).loss));
  });
}

TEST_CASE("discriminative_loss: replicas give the bits of calls of their own, with shared and own index and mask") {
  on_every_device([](Context& ctx) {
    const std::int64_t r = 3, n = 40, g = 600;
    const Case shared = random_case(n, g);
    const std::vector<float> gate = cast<float>(random_values(r * n * g, 4, 0, 1)),
                             own_index = cast<float>(random_values(r * g, 5, 0, 1));
    std::vector<float> own_mask(static_cast<std::size_t>(r * g), 1.0f);
    for (std::size_t j = 0; j < own_mask.size(); j += 7) own_mask[j] = 0;
    const std::vector<double> scales = {1, 0.5, 3};
    const auto run = [&](const std::vector<float>& x, const std::vector<float>& index, const std::vector<float>& mask,
                         const std::vector<double>& scale_values) {
      const auto count = [](std::size_t size, std::int64_t each) { return static_cast<std::int64_t>(size) / each; };
      const std::int64_t replicas = count(x.size(), n * g);
      const DeviceArray a(ctx, {replicas, n, g}, x), i(ctx, {count(index.size(), g), g}, index);
      const DeviceArray m(ctx, {count(mask.size(), g), g}, mask), scale(ctx, {replicas}, scale_values);
      const DeviceArray loss(ctx, {replicas}, DType::f64), da(ctx, {replicas, n, g}, DType::f32);
      discriminative_loss::run(ctx, {.gate = a, .index = i, .mask = m, .scale = scale, .loss = loss, .dgate = da});
      return std::pair{loss.download<double>(), da.download<float>()};
    };
    const std::vector<float> index = cast<float>(shared.index), mask = cast<float>(shared.mask);

    const auto with_shared = run(gate, index, mask, scales), with_own = run(gate, own_index, own_mask, scales);

    for (std::int64_t k = 0; k < r; ++k) {
      const auto x = replica_part(gate, k, r);
      const auto alone_shared = run(x, index, mask, replica_part(scales, k, r));
      const auto alone_own =
          run(x, replica_part(own_index, k, r), replica_part(own_mask, k, r), replica_part(scales, k, r));
      expect_equal_bits(alone_shared.first, replica_part(with_shared.first, k, r));
      expect_equal_bits(alone_shared.second, replica_part(with_shared.second, k, r));
      expect_equal_bits(alone_own.first, replica_part(with_own.first, k, r));
      expect_equal_bits(alone_own.second, replica_part(with_own.second, k, r));
    }
  });
}

TEST_CASE("discriminative_loss: agrees with PyTorch") {
  on_every_device([](Context& ctx) {
    for (const GoldenCase& g : golden_cases("discriminative_loss")) {
      const Case c = {g.size("n"), g.size("g"), g["gate"], g["index"], std::vector<double>(g["index"].size(), 1.0), 1};

      const Result got = run<double>(ctx, c);

      expect_close({got.loss}, {g.number("loss")}, {.k = 16});
      expect_close(got.dgate, g["dgate"], {.k = 4, .scale = 0.01});
    }
  });
}

TEST_CASE("discriminative_loss: names the wrong argument") {
  CpuContext ctx;
  const DeviceArray gate(ctx, {2, 4, 3}, DType::f32), index(ctx, {2, 3}, DType::f32), loss(ctx, {2}, DType::f64);
  const DeviceArray wide(ctx, {2, 4}, DType::f32), mask(ctx, {1, 3}, DType::u8);
  using discriminative_loss::run;

  CHECK_THROWS_WITH_AS(run(ctx, {.gate = gate, .index = wide, .loss = loss}),
                       doctest::Contains("index is [2, 4], expected [2, 3]"), ShapeError);
  CHECK_THROWS_WITH_AS(run(ctx, {.gate = gate, .index = index, .mask = mask, .loss = loss}),
                       doctest::Contains("mask is u8, expected f32"), ShapeError);
  CHECK_THROWS_WITH_AS(run(ctx, {.gate = gate, .index = index, .loss = loss, .dgate = gate}),
                       doctest::Contains("dgate overlaps gate"), ShapeError);
}
