// SPDX-License-Identifier: Apache-2.0
#include "engine/communicator.h"

#include <numeric>

#include "tests/support/op_test.h"
#include "tests/support/rank_threads.h"

using namespace genexx;
using namespace genexx::test;

namespace {

std::vector<std::byte> bytes_of(const std::string& text) {
  const auto* begin = reinterpret_cast<const std::byte*>(text.data());
  return {begin, begin + text.size()};
}

std::string text_of(const std::vector<std::byte>& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// What body gives on every rank.
template <class T>
std::vector<T> on_each(int size, const std::function<T(Communicator&)>& body) {
  std::vector<T> all(static_cast<std::size_t>(size));
  on_ranks(size, [&](Communicator& ranks) { all[static_cast<std::size_t>(ranks.rank())] = body(ranks); });
  return all;
}

}  // namespace

TEST_CASE("communicator: shares of ranks follow each other, differ by one at most and leave the last ranks out") {
  const auto share = [](std::int64_t count, int rank, int size) {
    const RankShare s = share_of_rank(count, rank, size);
    return std::pair{s.begin, s.end};
  };

  CHECK(share(10, 0, 4) == std::pair<std::int64_t, std::int64_t>{0, 3});
  CHECK(share(10, 1, 4) == std::pair<std::int64_t, std::int64_t>{3, 6});
  CHECK(share(10, 2, 4) == std::pair<std::int64_t, std::int64_t>{6, 8});
  CHECK(share(10, 3, 4) == std::pair<std::int64_t, std::int64_t>{8, 10});
  CHECK(share(1, 0, 3) == std::pair<std::int64_t, std::int64_t>{0, 1});
  CHECK(share(1, 1, 3) == std::pair<std::int64_t, std::int64_t>{1, 1});
  CHECK(share(1, 2, 3) == std::pair<std::int64_t, std::int64_t>{1, 1});
}

TEST_CASE("communicator: bytes of ranks of different length come to all in order, and to rank 0 alone") {
  const auto mine = [](Communicator& ranks) {
    return bytes_of(std::string(static_cast<std::size_t>(ranks.rank()), 'x'));
  };
  const auto lengths = [](const std::vector<std::vector<std::byte>>& parts) {
    std::string text;
    for (const auto& part : parts) text += std::to_string(part.size()) + " ";
    return text;
  };

  const auto all = on_each<std::string>(4, [&](Communicator& r) { return lengths(r.all_gather_bytes(mine(r))); });
  const auto root = on_each<std::string>(4, [&](Communicator& r) { return lengths(r.gather_bytes(mine(r))); });

  CHECK(all == std::vector<std::string>(4, "0 1 2 3 "));
  CHECK(root == std::vector<std::string>{"0 1 2 3 ", "", "", ""});
}

TEST_CASE("communicator: what rank 0 says comes to all, and so does what any rank saw") {
  const auto text = on_each<std::string>(
      3, [](Communicator& ranks) { return ranks.broadcast_text(ranks.is_root() ? "said by rank 0" : "ignored"); });
  const auto saw = on_each<int>(3, [](Communicator& ranks) { return ranks.any(ranks.rank() == 2) ? 1 : 0; });
  const auto nobody = on_each<int>(3, [](Communicator& ranks) { return ranks.any(false) ? 1 : 0; });

  CHECK(text == std::vector<std::string>(3, "said by rank 0"));
  CHECK(saw == std::vector<int>(3, 1));
  CHECK(nobody == std::vector<int>(3, 0));
}

TEST_CASE("communicator: sums are added in the order of the ranks, the same bits on all") {
  constexpr int kRanks = 4;
  constexpr std::int64_t kCount = 1003;  // no multiple of the ranks
  std::vector<std::vector<float>> given;
  for (int r = 0; r < kRanks; ++r)
    given.push_back(cast<float>(random_values(kCount, 7 + static_cast<std::uint64_t>(r), -1e4, 1e4)));
  std::vector<float> want = given[0], other_order = given[3];
  for (int r = 1; r < kRanks; ++r)
    for (std::size_t i = 0; i < want.size(); ++i) {
      want[i] += given[static_cast<std::size_t>(r)][i];
      other_order[i] += given[static_cast<std::size_t>(3 - r)][i];
    }
  REQUIRE(want != other_order);  // the order can be told

  const auto sums = on_each<std::vector<float>>(kRanks, [&](Communicator& ranks) {
    std::vector<float> values = given[static_cast<std::size_t>(ranks.rank())];
    ranks.all_reduce_sum(values.data(), kCount);
    return values;
  });

  for (const std::vector<float>& got : sums) CHECK(got == want);
}

TEST_CASE("communicator: fewer values than ranks are summed, too") {
  const auto sums = on_each<double>(3, [](Communicator& ranks) {
    double value = 0.25 * (ranks.rank() + 1);
    ranks.all_reduce_sum(&value, 1);
    return value;
  });

  CHECK(sums == std::vector<double>(3, 1.5));
}

TEST_CASE("communicator: one rank is the sum, the share and the answer of its own") {
  SingleRank alone;
  float value = 3;

  alone.all_reduce_sum(&value, 1);

  CHECK(value == 3);
  CHECK(alone.any(true));
  CHECK_FALSE(alone.any(false));
  CHECK(alone.share_of(7).size() == 7);
  CHECK(text_of(alone.all_gather_bytes(bytes_of("own")).at(0)) == "own");
  CHECK(alone.broadcast_text("own") == "own");
  CHECK_THROWS_WITH_AS(alone.receive(1, &value, 4), doctest::Contains("rank 1: there is one rank"), RankError);
}

TEST_CASE("communicator: a rank that fails ends the waits of the others") {
  std::vector<std::string> ends(3);

  CHECK_THROWS_WITH_AS(on_ranks(3,
                                [&](Communicator& ranks) {
                                  if (ranks.rank() == 1) throw UsageError("the mistake of rank 1");
                                  try {
                                    ranks.barrier();
                                  } catch (const RankError& error) {
                                    ends[static_cast<std::size_t>(ranks.rank())] = error.what();
                                    throw;
                                  }
                                }),
                       "the mistake of rank 1", UsageError);

  CHECK(ends == std::vector<std::string>{"another rank failed", "", "another rank failed"});
}
