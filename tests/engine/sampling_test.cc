// SPDX-License-Identifier: Apache-2.0
#include "engine/sampling.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include <doctest/doctest.h>

using namespace genexx;

namespace {

std::vector<std::int64_t> whole_epoch(std::uint64_t seed, std::int64_t epoch, std::int64_t count) {
  const EpochShuffle s = epoch_shuffle(seed, epoch, count);
  std::vector<std::int64_t> order;
  for (std::int64_t i = 0; i < count; ++i) order.push_back(shuffled_index(s, i));
  return order;
}

// How far a chi-square statistic lies from its mean, in its standard deviations.
double chi_square_z(const std::vector<double>& counts, const std::vector<double>& expected, double degrees) {
  double chi = 0;
  for (std::size_t i = 0; i < counts.size(); ++i)
    chi += (counts[i] - expected[i]) * (counts[i] - expected[i]) / expected[i];
  return (chi - degrees) / std::sqrt(2 * degrees);
}

}  // namespace

TEST_CASE("sampling: an epoch visits each element once") {
  for (const std::int64_t count : {1, 2, 3, 5, 31, 32, 33, 63, 64, 65, 257, 1000, 4097}) {
    for (const std::int64_t epoch : {0, 1, 7}) {
      CAPTURE(count);
      CAPTURE(epoch);

      std::vector<int> visits(static_cast<std::size_t>(count));
      for (const std::int64_t element : whole_epoch(11, epoch, count)) {
        REQUIRE(element >= 0);
        REQUIRE(element < count);
        ++visits[static_cast<std::size_t>(element)];
      }

      CHECK(visits == std::vector<int>(static_cast<std::size_t>(count), 1));
    }
  }
}

TEST_CASE("sampling: seed and epoch change the order, and the same key repeats it") {
  const std::vector<std::int64_t> order = whole_epoch(5, 3, 100);

  CHECK(order == whole_epoch(5, 3, 100));
  CHECK(order != whole_epoch(5, 4, 100));
  CHECK(order != whole_epoch(6, 3, 100));
  CHECK(order != whole_epoch(5, 3 + (std::int64_t{1} << 32), 100));
  CHECK(order != whole_epoch(5 + (std::uint64_t{1} << 32), 3, 100));
}

// Computed by a separate writing of the definition in Python.
TEST_CASE("sampling: the order is fixed for ever") {
  CHECK(whole_epoch(42, 0, 10) == std::vector<std::int64_t>{8, 6, 5, 7, 9, 4, 2, 3, 1, 0});
}

TEST_CASE("sampling: a shuffle of 2^40 elements stays in range and has an inverse on the elements tried") {
  const std::int64_t count = (std::int64_t{1} << 40) - 12345;
  const EpochShuffle s = epoch_shuffle(9, 2, count);

  std::vector<std::int64_t> seen;
  for (std::int64_t i = 0; i < 1000; ++i) seen.push_back(shuffled_index(s, i * (count / 1000)));

  std::sort(seen.begin(), seen.end());
  CHECK(seen.front() >= 0);
  CHECK(seen.back() < count);
  CHECK(std::adjacent_find(seen.begin(), seen.end()) == seen.end());
}

TEST_CASE("sampling: every order of five elements is equally likely over epochs") {
  const int epochs = 24000;
  std::vector<double> counts(5 * 5 * 5 * 5 * 5);
  for (int epoch = 0; epoch < epochs; ++epoch) {
    std::int64_t code = 0;
    for (const std::int64_t element : whole_epoch(3, epoch, 5)) code = code * 5 + element;
    ++counts[static_cast<std::size_t>(code)];
  }
  std::vector<double> orders;
  for (const double c : counts)
    if (c > 0) orders.push_back(c);

  REQUIRE(orders.size() == 120);
  CHECK(std::fabs(chi_square_z(orders, std::vector<double>(120, epochs / 120.0), 119)) < 4);
}

TEST_CASE("sampling: every element is equally likely at every place, and after every other") {
  for (const std::int64_t n : {10, 33, 100}) {
    CAPTURE(n);
    const int epochs = 4000;
    const std::size_t m = static_cast<std::size_t>(n);
    std::vector<double> at_place(m * m), steps((m - 1) * (m - 1));
    for (int epoch = 0; epoch < epochs; ++epoch) {
      const std::vector<std::int64_t> order = whole_epoch(8, epoch, n);
      for (std::size_t i = 0; i < m; ++i) {
        ++at_place[i * m + static_cast<std::size_t>(order[i])];
        if (i > 0) ++steps[(i - 1) * (m - 1) + static_cast<std::size_t>((order[i] - order[i - 1] + n) % n) - 1];
      }
    }
    const double places = static_cast<double>(n);

    CHECK(std::fabs(chi_square_z(at_place, std::vector<double>(at_place.size(), epochs / places),
                                 (places - 1) * (places - 1))) < 4);
    CHECK(std::fabs(chi_square_z(steps, std::vector<double>(steps.size(), epochs / (places - 1)),
                                 (places - 1) * (places - 2))) < 4);
  }
}

TEST_CASE("sampling: scaled_index is the high word of a 128-bit product") {
  CHECK(scaled_index(0, 0, 7) == 0);
  CHECK(scaled_index(0xFFFFFFFFu, 0xFFFFFFFFu, 7) == 6);
  CHECK(scaled_index(0x80000000u, 0, 10) == 5);
  CHECK(scaled_index(0x7FFFFFFFu, 0xFFFFFFFFu, 10) == 4);
  // 0xDEADBEEFCAFEBABE * 1000000000001 >> 64, by exact integer arithmetic
  CHECK(scaled_index(0xDEADBEEFu, 0xCAFEBABEu, 1000000000001) == 869838651222);
  CHECK(scaled_index(0xFFFFFFFFu, 0xFFFFFFFFu, std::int64_t{1} << 40) == (std::int64_t{1} << 40) - 1);
}

TEST_CASE("sampling: a column gives itself with its probability, else its alias") {
  // Column 1 never gives itself, so that 0 comes with 3/4 and 1 not at all of the two's share.
  const std::vector<float> probability = {1.0f, 0.0f, 0.5f, 1.0f};
  const std::vector<std::int32_t> alias = {0, 0, 3, 3};
  const int draws = 40000;
  std::vector<double> counts(4);
  for (int i = 0; i < draws; ++i)
    ++counts[static_cast<std::size_t>(weighted_index(17, 5, i, 4, probability.data(), alias.data()))];

  CHECK(counts[1] == 0);
  const std::vector<double> kept = {counts[0], counts[2], counts[3]};
  CHECK(std::fabs(chi_square_z(kept, {draws * 0.5, draws * 0.125, draws * 0.375}, 2)) < 4);
}
