// SPDX-License-Identifier: Apache-2.0
#include "engine/thread_pool.h"

#include <immintrin.h>

#include <atomic>
#include <cassert>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

namespace genexx {

// The next task of the share of one thread, alone on its cache line.
struct alignas(64) Share {
  std::atomic<std::int64_t> next{0};
  std::int64_t end = 0;
};

// Every thread has a share of consecutive tasks, the same in every run of as many tasks, so that what an op wrote is
// still in the cache of the core that reads it in the next op; a thread that is done helps the others.
//
// A run is open from its start until its caller finds no task left. Workers that are awake by then join in; the caller
// waits for those alone, so a worker that the system has not woken yet holds nobody up.
struct ThreadPool::State {
  std::vector<std::thread> workers;
  std::vector<std::thread::id> ids;  // ids[0] is the caller of the current run
  int spins = 0;                     // looks at a changing word before going to sleep
  std::mutex mutex;
  std::condition_variable wake, finished;
  std::vector<Share> shares;                // one a thread
  std::atomic<std::int64_t> generation{0};  // of runs; written under the mutex
  std::atomic<int> inside{0};               // workers in the open run; written under the mutex
  const TaskRef* task = nullptr;
  bool open = false;
  bool stopping = false;
  std::exception_ptr error;

  void share_out(std::int64_t tasks) {
    const auto threads = static_cast<std::int64_t>(shares.size());
    for (std::int64_t t = 0; t < threads; ++t) {
      Share& share = shares[static_cast<std::size_t>(t)];
      share.next.store(tasks * t / threads, std::memory_order_relaxed);
      share.end = tasks * (t + 1) / threads;
    }
  }

  // Takes the tasks of its own share, then of the others, until none is left.
  void drain(const TaskRef& work, std::size_t thread) {
    for (std::size_t i = 0; i < shares.size(); ++i) {
      Share& share = shares[(thread + i) % shares.size()];
      for (;;) {
        const std::int64_t index = share.next.fetch_add(1, std::memory_order_relaxed);
        if (index >= share.end) break;
        attempt(work, index);
      }
    }
  }

  void attempt(const TaskRef& work, std::int64_t index) {
    try {
      work(index);
    } catch (...) {
      const std::lock_guard lock(mutex);
      if (!error) error = std::current_exception();
    }
  }

  // The ops of a step follow each other within microseconds, less than it takes to put a thread to sleep and wake it.
  template <class Done>
  void spin(Done&& done) const {
    for (int i = 0; i < spins && !done(); ++i) _mm_pause();
  }

  void serve(std::size_t thread) {
    std::int64_t seen = 0;
    for (;;) {
      spin([&] { return generation.load(std::memory_order_relaxed) != seen; });
      std::unique_lock lock(mutex);
      wake.wait(lock, [&] { return stopping || generation.load(std::memory_order_relaxed) != seen; });
      if (stopping) return;
      seen = generation.load(std::memory_order_relaxed);
      if (!open) continue;
      const TaskRef* work = task;
      inside.fetch_add(1, std::memory_order_relaxed);
      lock.unlock();
      drain(*work, thread);
      lock.lock();
      if (inside.fetch_sub(1, std::memory_order_relaxed) == 1 && !open) finished.notify_one();
    }
  }
};

ThreadPool::ThreadPool(int threads) : state_(std::make_unique<State>()) {
  assert(threads >= 1);
  state_->ids.resize(static_cast<std::size_t>(threads));
  state_->shares = std::vector<Share>(static_cast<std::size_t>(threads));
  // Waiting awake only helps while every thread has a processor of its own.
  constexpr int kSpins = 6000;  // some 100 microseconds: the small ops of a step run on one thread that long
  state_->spins = static_cast<unsigned>(threads) <= std::thread::hardware_concurrency() ? kSpins : 0;
  for (int i = 1; i < threads; ++i) {
    state_->workers.emplace_back([s = state_.get(), i] { s->serve(static_cast<std::size_t>(i)); });
    state_->ids[static_cast<std::size_t>(i)] = state_->workers.back().get_id();
  }
}

ThreadPool::~ThreadPool() {
  {
    const std::lock_guard lock(state_->mutex);
    state_->stopping = true;
  }
  state_->wake.notify_all();
  for (std::thread& worker : state_->workers) worker.join();
}

int ThreadPool::threads() const { return static_cast<int>(state_->ids.size()); }

int ThreadPool::current_thread() const {
  const std::thread::id me = std::this_thread::get_id();
  for (std::size_t i = 1; i < state_->ids.size(); ++i)
    if (state_->ids[i] == me) return static_cast<int>(i);
  return 0;
}

void ThreadPool::run(std::int64_t count, TaskRef task) {
  State& s = *state_;
  if (s.workers.empty() || count <= 1) {
    for (std::int64_t i = 0; i < count; ++i) task(i);
    return;
  }
  {
    const std::lock_guard lock(s.mutex);
    s.task = &task;
    s.share_out(count);
    s.open = true;
    s.error = nullptr;
    s.generation.fetch_add(1, std::memory_order_relaxed);
  }
  s.wake.notify_all();
  s.drain(task, 0);
  {
    const std::lock_guard lock(s.mutex);
    s.open = false;
  }
  s.spin([&] { return s.inside.load(std::memory_order_relaxed) == 0; });
  std::unique_lock lock(s.mutex);
  s.finished.wait(lock, [&] { return s.inside.load(std::memory_order_relaxed) == 0; });
  if (s.error) std::rethrow_exception(s.error);
}

}  // namespace genexx
