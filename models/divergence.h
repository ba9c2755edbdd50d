// SPDX-License-Identifier: Apache-2.0
// Where numbers stopped being numbers: the first place of a training step that holds NaN or infinity.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "models/session.h"

namespace genexx {

struct Divergence {
  std::int64_t step = 0;           // of the epoch, from 1
  std::int64_t step_of_phase = 0;  // from 1
  std::string place;               // "the output of layer 'encoder.1' holds 3 values of 640 that are not finite"
};

// Weights of one replica that were learned and are not finite, the first of them in words; nothing where all are.
std::optional<std::string> first_lost_weights(const Session& session, std::int64_t replica);

// The same of the outputs that the last forward of `rows` rows gave the nodes from which `wanted` are computed, in
// their order: the input first.
std::optional<std::string> first_lost_output(const Session& session, std::int64_t replica, std::int64_t rows);

}  // namespace genexx
