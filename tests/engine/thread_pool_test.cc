// SPDX-License-Identifier: Apache-2.0
#include "engine/thread_pool.h"

#include <atomic>
#include <chrono>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

using genexx::ThreadPool;

TEST_CASE("thread pool: every task runs once, for any number of tasks and threads") {
  for (const int threads : {1, 2, 3, 7}) {
    ThreadPool pool(threads);
    for (const std::int64_t count : {0, 1, 2, 3, 6, 7, 8, 100, 1001}) {
      CAPTURE(threads);
      CAPTURE(count);
      std::vector<std::atomic<int>> runs(static_cast<std::size_t>(count));
      auto task = [&](std::int64_t i) { ++runs[static_cast<std::size_t>(i)]; };

      pool.run(count, task);

      for (const std::atomic<int>& r : runs) CHECK(r == 1);
    }
  }
}

TEST_CASE("thread pool: thousands of short runs after each other, with sleeps between, lose no task") {
  ThreadPool pool(3);
  std::int64_t total = 0;
  for (int run = 0; run < 5000; ++run) {
    if (run % 500 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));  // the workers fall asleep
    std::vector<std::int64_t> squares(5);
    auto task = [&](std::int64_t i) { squares[static_cast<std::size_t>(i)] = i * i; };
    pool.run(5, task);
    for (const std::int64_t s : squares) total += s;
  }
  CHECK(total == 5000 * 30);
}

TEST_CASE("thread pool: threads have numbers below their count, and the caller helps with all shares") {
  ThreadPool pool(4);
  std::atomic<int> wrong{0}, done{0};
  pool.run_on(200, [&](int thread, std::int64_t) {
    if (thread < 0 || thread >= 4) ++wrong;
    ++done;
  });
  CHECK(wrong == 0);
  CHECK(done == 200);
}

TEST_CASE("thread pool: an exception reaches the caller and the pool goes on working") {
  ThreadPool pool(2);
  auto bad = [](std::int64_t i) {
    if (i == 3) throw std::runtime_error("task 3");
  };
  CHECK_THROWS_WITH_AS(pool.run(8, bad), "task 3", std::runtime_error);

  std::atomic<int> done{0};
  auto good = [&](std::int64_t) { ++done; };
  pool.run(8, good);
  CHECK(done == 8);
}
