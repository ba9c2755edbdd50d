// SPDX-License-Identifier: Apache-2.0
// When the first training step of a process was done: how long a user waits for the training itself to begin.
#pragma once

#include <atomic>
#include <mutex>
#include <thread>

#include "tools/process_status.h"

namespace genexx::tools {

class FirstStep {
 public:
  // Called before every step, by the thread that will do it: whoever calls first has done one when calling again.
  void before_step() {
    if (done_.load(std::memory_order_relaxed)) return;
    const std::lock_guard lock(mutex_);
    if (first_ == std::thread::id()) {
      first_ = std::this_thread::get_id();
    } else if (first_ == std::this_thread::get_id() && !done_) {
      seconds_ = seconds_since_start();
      done_ = true;
    }
  }

  // From the start of the process; 0 where there was none. Not while steps are being done.
  double seconds() const { return seconds_; }

 private:
  std::mutex mutex_;
  std::thread::id first_;
  std::atomic<bool> done_{false};
  double seconds_ = 0;
};

}  // namespace genexx::tools
