// SPDX-License-Identifier: Apache-2.0
// From expression profiles of human regions to a run of the trainer: split, scaler and label order of each repeat, and
// the published procedure as a configuration. Source: spec, section 4.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/cell_split.h"
#include "engine/thread_pool.h"
#include "models/trainer.h"
#include "models/transbrain/config.h"

namespace genexx::transbrain {

// What a training file holds, genes in the order of the gene list.
struct RegionProfiles {
  DenseMatrix values;                     // [rows, genes]
  std::vector<std::int32_t> regions;      // [rows] codes by sorted name; -1: the row is left out
  std::vector<std::int32_t> samples;      // [rows] codes of the tissue samples
  std::vector<std::string> region_names;  // of the codes
};

struct PreparedRun {
  TrainingSet set;                // one preparation a repeat: its scaler
  std::vector<CellSplit> splits;  // one a repeat
  std::vector<ReplicaTask> tasks;
  std::vector<std::string> warnings;
};

// Repeat k splits, draws, initialises and, with train.shuffle_labels, permutes its training labels by seed + k. Takes
// the values over. Throws RefusedError with fewer than two regions, or where no row is left to train on; warns of
// regions with a single sample, which have no training rows.
PreparedRun prepare_run(RegionProfiles profiles, const Config& config, std::int64_t repeats, std::uint64_t seed,
                        ThreadPool& pool);

// The rules by which weights are put aside, by their place in the phase's list.
inline constexpr std::size_t kBestValid = 0, kBestRank = 1;

// One phase: cross-entropy, AdamW, the rate falling by epochs, patience on the validation loss, and both rules above;
// an epoch as good as the best so far replaces it. The phase ends with the last weights. The last batch of an epoch is
// dropped where it is short; with fewer rows than a batch they are one batch. `judge` of the trainer's hooks must give
// the mean rank.
TrainerConfig make_trainer_config(const Network& network, const Config& config, const std::vector<ReplicaTask>& tasks);

}  // namespace genexx::transbrain
