// SPDX-License-Identifier: Apache-2.0
#include "tools/checkpointer.h"

#include <utility>

#include "tools/stop_signal.h"

namespace genexx::tools {
namespace {

constexpr int kRunsPerCost = 20;  // training lasts so many times as long as writing its state

}  // namespace

Checkpointer::Checkpointer(const RunDirectory& out, std::string name, nlohmann::json identity)
    : out_(out), name_(std::move(name)), identity_(std::move(identity)) {}

std::optional<Trainer::State> Checkpointer::load() const { return out_.load_checkpoint(name_, identity_); }

void Checkpointer::after_epoch(const Trainer& trainer) {
  const Clock::time_point begin = Clock::now();
  current_ = is_due(!written_ || begin - last_ >= kRunsPerCost * cost_);
  if (!current_) return;
  out_.save_checkpoint(name_, trainer.state(), identity_);
  written_ = true;
  last_ = Clock::now();
  cost_ = last_ - begin;
}

// The same on every rank: rank 0's clock counts, and whoever was asked to stop.
bool Checkpointer::is_due(bool due) const {
  if (!out_.ranks()) return due || stop_requested();
  return out_.ranks()->any(stop_requested() || (due && out_.is_writer()));
}

bool Checkpointer::should_stop() const { return current_ && stop_requested(); }

}  // namespace genexx::tools
