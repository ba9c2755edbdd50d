// SPDX-License-Identifier: Apache-2.0
#include "engine/thread_pool.h"

#include <atomic>
#include <cassert>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

namespace genexx {

struct ThreadPool::State {
  std::vector<std::thread> workers;
  std::vector<std::thread::id> ids;  // ids[0] is the caller of the current run
  std::mutex mutex;
  std::condition_variable wake, finished;
  const TaskRef* task = nullptr;
  std::int64_t count = 0;
  std::atomic<std::int64_t> next{0};
  std::int64_t generation = 0;
  int busy = 0;
  bool stopping = false;
  std::exception_ptr error;

  // Takes tasks until none is left.
  void drain(const TaskRef& work, std::int64_t tasks) {
    for (;;) {
      const std::int64_t index = next.fetch_add(1, std::memory_order_relaxed);
      if (index >= tasks) return;
      try {
        work(index);
      } catch (...) {
        const std::lock_guard lock(mutex);
        if (!error) error = std::current_exception();
      }
    }
  }

  void serve() {
    std::int64_t seen = 0;
    for (;;) {
      const TaskRef* work = nullptr;
      std::int64_t tasks = 0;
      {
        std::unique_lock lock(mutex);
        wake.wait(lock, [&] { return stopping || generation != seen; });
        if (stopping) return;
        seen = generation;
        work = task;
        tasks = count;
      }
      drain(*work, tasks);
      const std::lock_guard lock(mutex);
      if (--busy == 0) finished.notify_one();
    }
  }
};

ThreadPool::ThreadPool(int threads) : state_(std::make_unique<State>()) {
  assert(threads >= 1);
  state_->ids.resize(static_cast<std::size_t>(threads));
  for (int i = 1; i < threads; ++i) {
    state_->workers.emplace_back([s = state_.get()] { s->serve(); });
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
    s.count = count;
    s.next.store(0, std::memory_order_relaxed);
    s.busy = static_cast<int>(s.workers.size());
    s.error = nullptr;
    ++s.generation;
  }
  s.wake.notify_all();
  s.drain(task, count);
  std::unique_lock lock(s.mutex);
  s.finished.wait(lock, [&] { return s.busy == 0; });
  if (s.error) std::rethrow_exception(s.error);
}

}  // namespace genexx
