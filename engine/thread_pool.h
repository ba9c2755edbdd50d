// SPDX-License-Identifier: Apache-2.0
// A fixed set of worker threads that share out numbered tasks. Which thread runs a task never changes a result, because
// tasks are cut by shape alone and write to separate places.
#pragma once

#include <cstdint>
#include <exception>
#include <memory>
#include <type_traits>

namespace genexx {

// A reference to a callable, for calls that must not allocate. Valid while the callable lives.
class TaskRef {
 public:
  template <class F, class = std::enable_if_t<!std::is_same_v<std::decay_t<F>, TaskRef>>>
  TaskRef(F& f)  // NOLINT: meant to be implicit
      : object_(&f), call_([](const void* o, std::int64_t i) { (*static_cast<F*>(const_cast<void*>(o)))(i); }) {}
  void operator()(std::int64_t index) const { call_(object_, index); }

 private:
  const void* object_;
  void (*call_)(const void*, std::int64_t);
};

class ThreadPool {
 public:
  // `threads` >= 1 counts the calling thread: a pool of one starts none and runs everything in place.
  explicit ThreadPool(int threads);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int threads() const;

  // Runs task(0) ... task(count - 1) and returns when all are done; the first exception thrown is thrown again here.
  // Does not allocate. One caller at a time; a task must not call run of the same pool.
  void run(std::int64_t count, TaskRef task);

  // Like run, but also tells each task which thread it is on, in [0, threads()): task_on(thread, index).
  template <class F>
  void run_on(std::int64_t count, F&& task_on) {
    const auto with_thread = [&](std::int64_t index) { task_on(current_thread(), index); };
    run(count, with_thread);
  }

 private:
  int current_thread() const;
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace genexx
