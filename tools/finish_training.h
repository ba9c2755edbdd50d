// SPDX-License-Identifier: Apache-2.0
// The end of a classifier's training, the same for every verb that trains one: trained, judged, written.
#pragma once

#include <cstdint>
#include <optional>

#include <nlohmann/json.hpp>

#include "engine/context.h"
#include "models/classification.h"
#include "models/model.h"
#include "tools/train_outputs.h"
#include "tools/training_run.h"

namespace genexx::tools {

// What tells a run from others; a checkpoint of another identity is refused.
nlohmann::json identity_of(const TrainOptions& options, const nlohmann::json& config, const Context& ctx);

// Says what is going to be done. Returns the most memory it will take on this rank; throws DeviceError where that is
// not there for all ranks of the machine.
std::int64_t announce(const TrainingPlan& plan, const ReadingOptions& reading, const Communicator& ranks,
                      Console& console);

struct TrainedAndJudged {
  TrainedReplicas trained;
  Judged judged;
};
// Trains to the end (throws as run_training), then judges every part on the rank that writes; sets `seconds.train` and
// `seconds.test`.
TrainedAndJudged train_and_judge(Context& ctx, const TrainingPlan& plan, const TrainingRecords& records,
                                 StageSeconds& seconds);

// All replicas of a plan with one split, as one calibrated model.
Model model_of(const TrainingPlan& plan, const TrainedAndJudged& outcome, double unknown_error_rate);

// Writes the model, where there is one, the tables, the report and metrics.json, and says how good it is.
void finish_training(RunDirectory& out, Console& console, const FinishedRun& run, std::optional<Model> model,
                     const nlohmann::json& metrics);

}  // namespace genexx::tools
