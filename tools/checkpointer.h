// SPDX-License-Identifier: Apache-2.0
// When a run writes its checkpoint, and when it may stop without losing an epoch.
#pragma once

#include <chrono>
#include <string>

#include <nlohmann/json.hpp>

#include "models/trainer.h"
#include "tools/run_directory.h"

namespace genexx::tools {

// Writes the state after the first epoch, after every later one that leaves the writing under a twentieth of the run's
// time, and after the epoch in which the run was asked to stop. Epochs of a second or more are thus all written;
// shorter ones do not wait for the disk. With several ranks, rank 0 decides and writes.
class Checkpointer {
 public:
  // References must outlive it. `name` is the file's, `identity` what tells the run from others.
  Checkpointer(const RunDirectory& out, std::string name, nlohmann::json identity);

  // The state of an earlier run of the same identity, if there is one.
  std::optional<Trainer::State> load() const;

  void after_epoch(const Trainer& trainer);

  // Whether the run is to stop before its next step: somebody asked, and the file holds the last completed epoch, or
  // there is none yet. Otherwise the epoch is finished and written first. Thread-safe between calls of after_epoch.
  // One rank that is asked is enough.
  bool should_stop() const;

 private:
  bool is_due(bool due) const;
  using Clock = std::chrono::steady_clock;

  const RunDirectory& out_;
  std::string name_;
  nlohmann::json identity_;
  bool written_ = false, current_ = true;
  Clock::duration cost_{};  // of the last writing
  Clock::time_point last_{};
};

}  // namespace genexx::tools
