// SPDX-License-Identifier: Apache-2.0
// Which epoch of each replica validated best, and which replicas have gone too long without a better one.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include <nlohmann/json_fwd.hpp>

namespace genexx {

enum class Objective { minimize, maximize };

struct EarlyStoppingConfig {
  Objective objective = Objective::minimize;
  std::int64_t patience = 0;     // epochs in a row without a better value before a replica stops; 0: never
  double least_improvement = 0;  // a value must be better by more than this
};

class EarlyStopping {
 public:
  // Throws UsageError for a negative patience or improvement.
  EarlyStopping(const EarlyStoppingConfig& config, std::int64_t replicas);

  enum class Verdict { best, not_best };

  // Takes the validation value of the replica's next epoch. NaN and infinities are never best and count as an epoch
  // without a better value. Epochs of a stopped replica may still be observed; it stays stopped and its best stays.
  Verdict observe(std::int64_t replica, double value);

  bool stopped(std::int64_t replica) const;
  bool all_stopped() const;

  // Epoch (from 0) and value of the best so far; absent before the first finite value.
  std::optional<std::int64_t> best_epoch(std::int64_t replica) const;
  std::optional<double> best_value(std::int64_t replica) const;

  // The state as JSON, and back: what follows is the same as without the interruption, bit for bit. `restore` throws
  // InputError where the state is not of this many replicas or not a state at all.
  nlohmann::json state() const;
  void restore(const nlohmann::json& state);

 private:
  struct Replica {
    std::int64_t epochs = 0;  // observed
    std::optional<std::int64_t> best_epoch;
    double best_value = 0;
    bool stopped = false;
  };
  Replica& at(std::int64_t replica);
  const Replica& at(std::int64_t replica) const;

  EarlyStoppingConfig config_;
  std::vector<Replica> replicas_;
};

}  // namespace genexx
