// SPDX-License-Identifier: Apache-2.0
#include "engine/comm/rank_watch.h"

#include <sys/socket.h>
#include <unistd.h>

#include <cstring>
#include <future>
#include <thread>

#include "engine/comm/watch_socket.h"
#include "tests/support/op_test.h"

using namespace genexx;
using namespace std::chrono_literals;

namespace {

using Reach = RankWatch::Door::Reach;

RankWatchOptions quick() { return {.heartbeat = 20ms, .silence = 400ms, .connecting = 5000ms}; }

// The watches of `size` ranks.
struct Ranks {
  explicit Ranks(int size, const RankWatchOptions& options = quick()) : door(Reach::this_machine) {
    std::vector<std::future<std::unique_ptr<RankWatch>>> others;
    for (int r = 1; r < size; ++r)
      others.push_back(
          std::async(std::launch::async, [&, r] { return std::make_unique<RankWatch>(door.address(), r, options); }));
    watches.push_back(std::make_unique<RankWatch>(door, size, options));
    for (auto& other : others) watches.push_back(other.get());
  }
  RankWatch& operator[](int rank) { return *watches[static_cast<std::size_t>(rank)]; }

  RankWatch::Door door;
  std::vector<std::unique_ptr<RankWatch>> watches;
};

// Waits for it; none after five seconds.
std::optional<RankNotice> notice_of(const RankWatch& watch) {
  for (int i = 0; i < 500; ++i) {
    if (const auto notice = watch.notice()) return notice;
    std::this_thread::sleep_for(10ms);
  }
  return std::nullopt;
}

void expect_lost(const RankWatch& watch, int rank, const char* how) {
  const auto notice = notice_of(watch);
  REQUIRE(notice);
  CHECK(notice->kind == RankNotice::Kind::lost);
  CHECK(notice->rank == rank);
  CHECK(notice->text == how);
}

constexpr const char* kEnded = "its process ended, or its machine";

}  // namespace

TEST_CASE("rank_watch: ranks that live and end in order are no trouble") {
  Ranks ranks(3);

  std::this_thread::sleep_for(600ms);  // longer than the silence allowed
  ranks.watches.pop_back();
  std::this_thread::sleep_for(100ms);

  CHECK_FALSE(ranks[0].notice());
  CHECK_FALSE(ranks[1].notice());
}

TEST_CASE("rank_watch: a connection that ends without a goodbye is a lost rank, known to all") {
  RankWatch::Door door(Reach::this_machine);
  auto other = std::async(std::launch::async, [&] { return std::make_unique<RankWatch>(door.address(), 1, quick()); });
  auto dying = std::async(std::launch::async, [&] { return watch_socket::connected(door.address(), 2, 5000ms); });
  RankWatch root(door, 3, quick());
  const std::unique_ptr<RankWatch> survivor = other.get();

  close(dying.get());

  expect_lost(root, 2, kEnded);
  expect_lost(*survivor, 2, kEnded);
}

TEST_CASE("rank_watch: a rank that says nothing any more is lost after the silence allowed") {
  RankWatch::Door door(Reach::this_machine);
  auto silent = std::async(std::launch::async, [&] { return watch_socket::connected(door.address(), 1, 5000ms); });
  RankWatchOptions options = quick();
  options.silence = 1000ms;
  RankWatch root(door, 2, options);

  expect_lost(root, 1, "nothing was heard of it for 1 seconds");

  close(silent.get());
}

TEST_CASE("rank_watch: the loss of rank 0 is seen by the others") {
  RankWatch::Door door(Reach::this_machine);
  auto other = std::async(std::launch::async, [&] { return std::make_unique<RankWatch>(door.address(), 1, quick()); });
  auto root = std::make_unique<RankWatch>(door, 2, quick());
  const std::unique_ptr<RankWatch> survivor = other.get();

  (void)root->fail(ExitCode::device, "no memory", RankWatch::Ending::abrupt, 0ms);
  root.reset();

  const auto notice = notice_of(*survivor);
  REQUIRE(notice);
  CHECK(notice->kind == RankNotice::Kind::failed);
  CHECK(notice->rank == 0);
  CHECK(notice->code == ExitCode::device);
  CHECK(notice->text == "no memory");
}

TEST_CASE("rank_watch: ranks that all fail in order know it, and what rank 0 said") {
  Ranks ranks(3);
  const auto fail = [&](int rank, const char* text, RankWatch::Ending ending) {
    return std::async(std::launch::async, [&ranks, rank, text, ending] {
      return ranks[rank].fail(ExitCode::stopped, text, ending, 5000ms);
    });
  };

  auto first = fail(1, "stopped", RankWatch::Ending::orderly), second = fail(2, "stopped", RankWatch::Ending::orderly);
  const RankWatch::Farewell root = fail(0, "stopped by SIGTERM", RankWatch::Ending::orderly).get();
  const RankWatch::Farewell one = first.get(), two = second.get();

  CHECK(root.all_orderly);
  CHECK(one.all_orderly);
  CHECK(two.all_orderly);
  REQUIRE(one.of_root);
  CHECK(one.of_root->text == "stopped by SIGTERM");
  CHECK_FALSE(root.of_root);
}

TEST_CASE("rank_watch: one rank that fails with something under way makes the end abrupt for all") {
  Ranks ranks(3);
  const auto fail = [&](int rank, RankWatch::Ending ending) {
    return std::async(std::launch::async,
                      [&ranks, rank, ending] { return ranks[rank].fail(ExitCode::runtime, "x", ending, 5000ms); });
  };

  auto first = fail(1, RankWatch::Ending::orderly), second = fail(2, RankWatch::Ending::abrupt);
  auto root = fail(0, RankWatch::Ending::orderly);

  CHECK_FALSE(root.get().all_orderly);
  CHECK_FALSE(first.get().all_orderly);
  CHECK_FALSE(second.get().all_orderly);
}

TEST_CASE("rank_watch: a stranger who does not know the word is sent away") {
  RankWatch::Door door(Reach::this_machine);
  std::string guessed = door.address();
  guessed[0] = guessed[0] == '0' ? '1' : '0';
  const int stranger = watch_socket::connected(guessed, 1, 5000ms);
  auto other = std::async(std::launch::async, [&] { return std::make_unique<RankWatch>(door.address(), 1, quick()); });

  RankWatch root(door, 2, quick());
  char none = 0;

  CHECK(recv(stranger, &none, 1, 0) <= 0);  // closed
  CHECK_FALSE(root.notice());
  close(stranger);
}

TEST_CASE("rank_watch: a rank that does not come is named") {
  RankWatch::Door door(Reach::this_machine);
  RankWatchOptions options = quick();
  options.connecting = 100ms;

  CHECK_THROWS_WITH_AS(RankWatch(door, 2, options), doctest::Contains("rank 1 has not connected to rank 0"),
                       RuntimeError);
}
