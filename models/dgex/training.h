// SPDX-License-Identifier: Apache-2.0
// D-GEX as the trainer takes it: network, parts of the data, rates, and which weights are kept.
// Source: Chen et al., Bioinformatics 2016, section 2.4, and the published scripts.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "models/dgex/config.h"
#include "models/network.h"
#include "models/trainer.h"

namespace genexx::dgex {

// Profiles [begin, begin + count) of the training set's cells. Names: train, validation, test, 1000G, GTEx.
struct Part {
  std::string name;
  std::int64_t begin = 0, count = 0;
};

// The part of that name, or nullptr.
const Part* find_part(const std::vector<Part>& parts, const std::string& name);

// landmarks -> hidden (tanh), `layers` times -> targets, linear; dropout before every layer but the first. Weights
// uniform +-sqrt(6 / (in + out)), of the output layer +-1e-4; biases zero.
Network make_network(std::int64_t landmarks, std::int64_t targets, const Config& config);

// The monitors, in this order where the parts have profiles: test, 1000G, GTEx, train (so many profiles of it, drawn by
// `seed`). The validation profiles are each replica's own.
std::vector<Monitor> make_monitors(const std::vector<Part>& parts, const Config& config, std::uint64_t seed);
// Place of a monitor, -1 where there is none of that name.
std::int64_t monitor_index(const std::vector<Monitor>& monitors, const std::string& name);

// Replica k learns from seed + k.
std::vector<ReplicaTask> make_tasks(const std::vector<Part>& parts, std::int64_t replicas, std::uint64_t seed);

// Rules kept: 0 by validation, 1 by 1000G where it is there.
TrainerConfig make_trainer_config(const Network& network, const std::vector<Monitor>& monitors, const Config& config);

}  // namespace genexx::dgex
