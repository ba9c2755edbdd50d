// SPDX-License-Identifier: Apache-2.0
#include "kernels/gemm.h"

#include <cmath>
#include <tuple>

#include "kernels/number_formats.h"
#include "tests/oracle/gemm_oracle.h"
#include "tests/oracle/operand_forms_oracle.h"
#include "tests/support/golden.h"
#include "tests/support/op_test.h"

using namespace genexx;
using namespace genexx::test;
using gemm::Transpose;

namespace {

struct Case {
  std::int64_t m, n, k;
  Transpose ta = Transpose::no, tb = Transpose::no;
};

Shape shape_a(const Case& c, std::int64_t r) {
  return c.ta == Transpose::yes ? Shape{r, c.k, c.m} : Shape{r, c.m, c.k};
}
Shape shape_b(const Case& c, std::int64_t r) {
  return c.tb == Transpose::yes ? Shape{r, c.n, c.k} : Shape{r, c.k, c.n};
}

std::vector<double> expected(const Case& c, const double* a, const double* b) {
  return oracle::matrix_product<double>(
      c.m, c.n, c.k,
      [&](std::int64_t i, std::int64_t p) { return c.ta == Transpose::yes ? a[p * c.m + i] : a[i * c.k + p]; },
      [&](std::int64_t p, std::int64_t j) { return c.tb == Transpose::yes ? b[j * c.k + p] : b[p * c.n + j]; });
}

template <class T>
void check_case(Context& ctx, const Case& c) {
  CAPTURE(c.m);
  CAPTURE(c.n);
  CAPTURE(c.k);
  const std::vector<double> a = random_values(c.m * c.k, 1), b = random_values(c.k * c.n, 2);
  const std::vector<double> bias = random_values(c.n, 3), before = random_values(c.m * c.n, 4);
  const DeviceArray da(ctx, shape_a(c, 1), cast<T>(a)), db(ctx, shape_b(c, 1), cast<T>(b));
  const DeviceArray dbias(ctx, {1, c.n}, cast<T>(bias));
  const DeviceArray fresh(ctx, {1, c.m, c.n}, DTypeOf<T>::value), added(ctx, {1, c.m, c.n}, cast<T>(before));
  const gemm::Args args = {.a = da, .b = db, .c = fresh, .bias = dbias, .transpose_a = c.ta, .transpose_b = c.tb};
  gemm::Args more = args;
  more.c = added;
  more.bias = {};
  more.mode = WriteMode::accumulate;

  gemm::run(ctx, args);
  gemm::run(ctx, more);

  std::vector<double> plain = expected(c, a.data(), b.data()), sum = plain;
  for (std::size_t i = 0; i < plain.size(); ++i) {
    plain[i] += bias[i % static_cast<std::size_t>(c.n)];
    sum[i] += before[i];
  }
  // Rounding of a sum of k terms of size <= 1: at most k eps, in practice sqrt(k).
  const Tolerance tolerance = {.k = 2.0 + static_cast<double>(c.k), .dtype = DTypeOf<T>::value};
  expect_close(fresh.values(), plain, tolerance);
  expect_close(added.values(), sum, tolerance);
}

}  // namespace

TEST_CASE("gemm: literals") {
  on_every_device([](Context& ctx) {
    const DeviceArray a(ctx, {1, 2, 3}, std::vector<double>{1, 2, 3, 4, 5, 6});
    const DeviceArray b(ctx, {1, 3, 2}, std::vector<double>{7, 8, 9, 10, 11, 12});
    const DeviceArray bias(ctx, {1, 2}, std::vector<double>{0.5, -0.25});
    const DeviceArray c(ctx, {1, 2, 2}, DType::f64);

    gemm::run(ctx, {.a = a, .b = b, .c = c, .bias = bias});

    expect_close(c.values(), {58.5, 63.75, 139.5, 153.75}, {});
  });
}

TEST_CASE("gemm: every transpose, sizes around the block edges") {
  on_every_device([](Context& ctx) {
    for (const auto& [m, n, k] : std::vector<std::tuple<int, int, int>>{{1, 1, 1},
                                                                        {1, 33, 2},
                                                                        {31, 1, 33},
                                                                        {33, 65, 31},
                                                                        {5, 257, 3},
                                                                        {257, 5, 129},
                                                                        {29, 130, 300},
                                                                        {170, 520, 7}}) {
      for (const Transpose ta : {Transpose::no, Transpose::yes})
        for (const Transpose tb : {Transpose::no, Transpose::yes}) {
          check_case<float>(ctx, {m, n, k, ta, tb});
          check_case<double>(ctx, {m, n, k, ta, tb});
        }
    }
  });
}

TEST_CASE("gemm: every number of last rows, whole and part panels of columns") {
  on_every_device([](Context& ctx) {
    for (int m = 1; m < 30; ++m)
      for (const int n : {32, 35}) check_case<float>(ctx, {m, n, 9});
  });
}

// Of operands of size 1 with full mantissas.
double relative_error(const std::vector<double>& actual, const std::vector<double>& exact) {
  double difference = 0, size = 0;
  for (std::size_t i = 0; i < exact.size(); ++i) {
    difference += (actual[i] - exact[i]) * (actual[i] - exact[i]);
    size += exact[i] * exact[i];
  }
  return std::sqrt(difference / size);
}

std::vector<double> rounded(std::vector<double> values, int digits) {
  for (double& v : values) v = oracle::nearest(static_cast<double>(static_cast<float>(v)), digits);
  return values;
}

TEST_CASE("gemm: tf32 and bf16 are exact products of rounded operands, summed in f32") {
  on_every_device([](Context& ctx) {
    for (const Case& c :
         {Case{33, 65, 31}, Case{5, 9, 943, Transpose::no, Transpose::yes},
          Case{257, 5, 129, Transpose::yes, Transpose::no}, Case{6, 10, 7, Transpose::yes, Transpose::yes}}) {
      CAPTURE(c.k);
      const std::vector<double> a = random_values(c.m * c.k, 1), b = random_values(c.k * c.n, 2);
      const DeviceArray da(ctx, shape_a(c, 1), cast<float>(a)), db(ctx, shape_b(c, 1), cast<float>(b));
      for (const auto& [precision, digits] : {std::pair<Precision, int>{Precision::tf32, 11}, {Precision::bf16, 8}}) {
        const DeviceArray product(ctx, {1, c.m, c.n}, DType::f32);

        gemm::run(ctx,
                  {.a = da, .b = db, .c = product, .transpose_a = c.ta, .transpose_b = c.tb, .precision = precision});

        const std::vector<double> want = expected(c, rounded(a, digits).data(), rounded(b, digits).data());
        expect_close(product.values(), want, {.k = 2.0 + static_cast<double>(c.k), .dtype = DType::f32});
        CHECK(relative_error(product.values(), expected(c, a.data(), b.data())) > std::ldexp(0.1, -digits));
      }
    }
  });
}

TEST_CASE("gemm: 3xTF32 keeps what tf32 loses, adds to what is there, and adds the bias once") {
  on_every_device([](Context& ctx) {
    for (const Case& c : {Case{33, 65, 31}, Case{5, 9, 943, Transpose::no, Transpose::yes},
                          Case{257, 5, 129, Transpose::yes, Transpose::no}}) {
      CAPTURE(c.k);
      const std::vector<double> a = random_values(c.m * c.k, 1), b = random_values(c.k * c.n, 2);
      const std::vector<double> bias = random_values(c.n, 3), before = random_values(c.m * c.n, 4);
      const DeviceArray da(ctx, shape_a(c, 1), cast<float>(a)), db(ctx, shape_b(c, 1), cast<float>(b));
      const DeviceArray dbias(ctx, {1, c.n}, cast<float>(bias)), sum(ctx, {1, c.m, c.n}, cast<float>(before));
      const DeviceArray fresh(ctx, {1, c.m, c.n}, DType::f32);
      gemm::Args args = {.a = da,
                         .b = db,
                         .c = fresh,
                         .bias = dbias,
                         .transpose_a = c.ta,
                         .transpose_b = c.tb,
                         .precision = Precision::tf32x3};

      gemm::run(ctx, args);
      args.c = sum;
      args.mode = WriteMode::accumulate;
      gemm::run(ctx, args);

      std::vector<double> want = expected(c, a.data(), b.data());
      for (std::size_t i = 0; i < want.size(); ++i) want[i] += bias[i % static_cast<std::size_t>(c.n)];
      const Tolerance tolerance = {.k = 4.0 + static_cast<double>(c.k), .dtype = DType::f32};
      expect_close(fresh.values(), want, tolerance);
      CHECK(relative_error(fresh.values(), want) < 1e-6);
      for (std::size_t i = 0; i < want.size(); ++i) want[i] += before[i];
      expect_close(sum.values(), want, tolerance);
    }
  });
}

TEST_CASE("gemm: in every precision replicas give the bits of runs of their own, and a shared operand serves all") {
  on_every_device([](Context& ctx) {
    const std::int64_t r = 3, m = 17, n = 40, k = 71;
    const std::vector<float> a = cast<float>(random_values(m * k, 1)), b = cast<float>(random_values(r * n * k, 2));
    const DeviceArray da(ctx, {1, m, k}, a), db(ctx, {r, n, k}, b);
    for (const Precision precision : {Precision::tf32x3, Precision::tf32, Precision::bf16}) {
      CAPTURE(std::string(name_of(precision)));
      const DeviceArray joint(ctx, {r, m, n}, DType::f32);
      gemm::run(ctx, {.a = da, .b = db, .c = joint, .transpose_b = Transpose::yes, .precision = precision});
      const std::vector<float> all = joint.download<float>();
      for (std::int64_t i = 0; i < r; ++i) {
        CAPTURE(i);
        const DeviceArray one_b(ctx, {1, n, k}, std::vector<float>(b.begin() + i * n * k, b.begin() + (i + 1) * n * k));
        const DeviceArray one(ctx, {1, m, n}, DType::f32);

        gemm::run(ctx, {.a = da, .b = one_b, .c = one, .transpose_b = Transpose::yes, .precision = precision});

        expect_equal_bits(one.download<float>(),
                          std::vector<float>(all.begin() + i * m * n, all.begin() + (i + 1) * m * n));
      }
    }
  });
}

TEST_CASE("gemm: an operand in bf16 gives the bits of the f32 numbers it was rounded from") {
  on_every_device([](Context& ctx) {
    const std::int64_t m = 9, n = 13, k = 21;
    const std::vector<float> a = cast<float>(random_values(m * k, 1)), b = cast<float>(random_values(n * k, 2));
    std::vector<Bfloat16> narrow;
    for (const float x : b) narrow.push_back(round_to_bf16(x));
    const DeviceArray da(ctx, {1, m, k}, a), db(ctx, {1, n, k}, b), dn(ctx, {1, n, k}, narrow);
    const DeviceArray from_wide(ctx, {1, m, n}, DType::f32), from_narrow(ctx, {1, m, n}, DType::f32);
    gemm::Args args = {.a = da, .b = db, .c = from_wide, .transpose_b = Transpose::yes, .precision = Precision::bf16};

    gemm::run(ctx, args);
    args.b = dn;
    args.c = from_narrow;
    gemm::run(ctx, args);

    expect_equal_bits(from_wide.download<float>(), from_narrow.download<float>());
    args.precision = Precision::tf32;
    CHECK_THROWS_WITH_AS(gemm::run(ctx, args), doctest::Contains("b is bf16, expected f32"), ShapeError);
  });
}

TEST_CASE("gemm: f64 is never rounded") {
  on_every_device([](Context& ctx) {
    const Case c = {5, 9, 33};
    const std::vector<double> a = random_values(c.m * c.k, 1), b = random_values(c.k * c.n, 2);
    const DeviceArray da(ctx, shape_a(c, 1), a), db(ctx, shape_b(c, 1), b), product(ctx, {1, c.m, c.n}, DType::f64);

    gemm::run(ctx, {.a = da, .b = db, .c = product, .precision = Precision::bf16});

    expect_close(product.values(), expected(c, a.data(), b.data()), {.k = 35});
  });
}

TEST_CASE("gemm: replicas give the bits of runs of their own, and a shared operand serves all") {
  on_every_device([](Context& ctx) {
    const std::int64_t r = 3, m = 17, n = 40, k = 70;
    const std::vector<float> a = cast<float>(random_values(m * k, 1)), b = cast<float>(random_values(r * n * k, 2));
    const DeviceArray da(ctx, {1, m, k}, a), db(ctx, {r, n, k}, b), joint(ctx, {r, m, n}, DType::f32);

    gemm::run(ctx, {.a = da, .b = db, .c = joint, .transpose_b = Transpose::yes});

    const std::vector<float> all = joint.download<float>();
    for (std::int64_t i = 0; i < r; ++i) {
      CAPTURE(i);
      const DeviceArray one_b(ctx, {1, n, k}, std::vector<float>(b.begin() + i * n * k, b.begin() + (i + 1) * n * k));
      const DeviceArray one(ctx, {1, m, n}, DType::f32);
      gemm::run(ctx, {.a = da, .b = one_b, .c = one, .transpose_b = Transpose::yes});
      expect_equal_bits(one.download<float>(),
                        std::vector<float>(all.begin() + i * m * n, all.begin() + (i + 1) * m * n));
    }
  });
}

TEST_CASE("gemm: bits do not depend on threads, with a small and with a large second matrix") {
  for (const auto& [m, n, k] :
       std::vector<std::tuple<std::int64_t, std::int64_t, std::int64_t>>{{300, 700, 500}, {250, 1100, 1000}}) {
    const std::vector<float> a = cast<float>(random_values(m * k, 1)), b = cast<float>(random_values(k * n, 2));
    std::vector<float> first;
    for (const int threads : {1, 2, 3, 5}) {
      CAPTURE(threads);
      ThreadPool pool(threads);
      CpuContext ctx(&pool);
      const DeviceArray da(ctx, {1, m, k}, a), db(ctx, {1, k, n}, b), c(ctx, {1, m, n}, DType::f32);

      gemm::run(ctx, {.a = da, .b = db, .c = c});

      if (first.empty()) first = c.download<float>();
      expect_equal_bits(c.download<float>(), first);
    }
  }
}

TEST_CASE("gemm: agrees with torch.baddbmm") {
  on_every_device([](Context& ctx) {
    for (const GoldenCase& g : golden_cases("gemm")) {
      CAPTURE(g.name());
      const Case c = {g.size("m"), g.size("n"), g.size("k"), g.size("flip_a") ? Transpose::yes : Transpose::no,
                      g.size("flip_b") ? Transpose::yes : Transpose::no};
      const std::int64_t r = g.size("r");
      const DeviceArray a(ctx, shape_a(c, r), g["a"]), b(ctx, shape_b(c, r), g["b"]), bias(ctx, {r, c.n}, g["bias"]);
      const DeviceArray product(ctx, {r, c.m, c.n}, DType::f64);

      gemm::run(ctx, {.a = a, .b = b, .c = product, .bias = bias, .transpose_a = c.ta, .transpose_b = c.tb});

      expect_close(product.values(), g["c"], {.k = 8});
    }
  });
}

TEST_CASE("gemm: names the wrong argument") {
  CpuContext ctx;
  const DeviceArray a(ctx, {1, 2, 3}, DType::f32), b(ctx, {1, 4, 5}, DType::f32), c(ctx, {1, 2, 5}, DType::f32);

  CHECK_THROWS_WITH_AS(gemm::run(ctx, {.a = a, .b = b, .c = c}),
                       doctest::Contains("b is [1, 4, 5], expected [1, 3, 5]"), ShapeError);
  CHECK_THROWS_WITH_AS(gemm::run(ctx, {.a = c, .b = b, .c = c}), doctest::Contains("expected"), ShapeError);
}
