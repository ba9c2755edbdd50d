// SPDX-License-Identifier: Apache-2.0
#include "kernels/operand_forms.h"

#include "kernels/number_formats.h"
#include "tests/oracle/operand_forms_oracle.h"
#include "tests/support/op_test.h"

using namespace genexx;
using namespace genexx::test;

namespace {

std::vector<double> rounded_rows(const std::vector<float>& x, std::int64_t columns, std::int64_t pitch, int digits) {
  std::vector<double> all;
  for (std::size_t row = 0; row * static_cast<std::size_t>(columns) < x.size(); ++row)
    for (std::int64_t j = 0; j < pitch; ++j)
      all.push_back(j < columns ? oracle::nearest(
                                      x[row * static_cast<std::size_t>(columns) + static_cast<std::size_t>(j)], digits)
                                : 0.0);
  return all;
}

std::vector<double> widened(const DeviceArray& narrow) {
  std::vector<double> all;
  for (const Bfloat16 v : narrow.download<Bfloat16>()) all.push_back(to_float(v));
  return all;
}

}  // namespace

TEST_CASE("operand_forms: literals, and zeros behind the end of a row") {
  on_every_device([](Context& ctx) {
    const DeviceArray x(ctx, {1, 2, 3}, std::vector<float>{1, -1.00390625f, 3, 1.01171875f, 0, -7.5f});
    const DeviceArray high(ctx, {1, 2, 8}, DType::bf16);

    operand_forms::run(ctx, {.x = x, .high = high});

    const std::vector<double> want = {1, -1, 3, 0, 0, 0, 0, 0, 1.015625, 0, -7.5, 0, 0, 0, 0, 0};
    CHECK(widened(high) == want);
  });
}

TEST_CASE("operand_forms: agrees with the oracle in every form, for rows of every length around the unit") {
  on_every_device([](Context& ctx) {
    for (const std::int64_t columns : {1, 3, 4, 7, 8, 9, 31, 32, 33, 257, 943}) {
      CAPTURE(columns);
      const std::int64_t r = 2, n = 5, wide = operand_forms::pitch(columns, DType::f32),
                         narrow = operand_forms::pitch(columns, DType::bf16);
      const std::vector<float> values = cast<float>(random_values(r * n * columns, 3, -100, 100));
      const DeviceArray x(ctx, {r, n, columns}, values), bf16(ctx, {r, n, narrow}, DType::bf16);
      const DeviceArray tf32(ctx, {r, n, wide}, DType::f32, Fill::huge);
      const DeviceArray high(ctx, {r, n, wide}, DType::f32), low(ctx, {r, n, wide}, DType::f32);

      operand_forms::run(ctx, {.x = x, .high = bf16});
      operand_forms::run(ctx, {.x = x, .high = tf32});
      operand_forms::run(ctx, {.x = x, .high = high, .low = low});

      CHECK(widened(bf16) == rounded_rows(values, columns, narrow, 8));
      const std::vector<double> nearest = rounded_rows(values, columns, wide, 11);
      CHECK(tf32.values() == nearest);
      CHECK(high.values() == nearest);
      std::vector<float> rest;
      for (std::size_t i = 0; i < values.size(); ++i)
        rest.push_back(values[i] - static_cast<float>(oracle::nearest(values[i], 11)));
      CHECK(low.values() == rounded_rows(rest, columns, wide, 11));
    }
  });
}

TEST_CASE("operand_forms: rows that do not begin at a multiple of 16 bytes") {
  on_every_device([](Context& ctx) {
    const std::vector<float> values = cast<float>(random_values(41, 3));
    const DeviceArray all(ctx, {41}, values), high(ctx, {1, 5, 8}, DType::bf16);
    const ConstTensor x(all.tensor().as<float>() + 1, DType::f32, {1, 5, 8});

    operand_forms::run(ctx, {.x = x, .high = high});

    CHECK(widened(high) == rounded_rows(std::vector<float>(values.begin() + 1, values.end()), 8, 8, 8));
  });
}

TEST_CASE("operand_forms: names the wrong argument") {
  CpuContext ctx;
  const DeviceArray x(ctx, {1, 2, 3}, DType::f32), tight(ctx, {1, 2, 3}, DType::bf16), high(ctx, {1, 2, 4}, DType::f32);
  const DeviceArray narrow(ctx, {1, 2, 8}, DType::bf16), wide(ctx, {1, 2, 4}, DType::f64);

  CHECK_THROWS_WITH_AS(operand_forms::run(ctx, {.x = x, .high = tight}),
                       doctest::Contains("high is [1, 2, 3], expected [1, 2, 8]"), ShapeError);
  CHECK_THROWS_WITH_AS(operand_forms::run(ctx, {.x = x, .high = wide}), doctest::Contains("high is f64, expected f32"),
                       ShapeError);
  CHECK_THROWS_WITH_AS(operand_forms::run(ctx, {.x = x, .high = narrow, .low = high}),
                       doctest::Contains("high is bf16, expected f32"), ShapeError);
  CHECK_THROWS_WITH_AS(operand_forms::run(ctx, {.x = x, .high = high, .low = high}), doctest::Contains("low overlaps"),
                       ShapeError);
}
