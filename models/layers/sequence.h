// SPDX-License-Identifier: Apache-2.0
// Values of a node as the sequence they are.
#pragma once

#include <algorithm>

#include "engine/tensor.h"
#include "models/network.h"

namespace genexx {

// [r, rows, width] as [r, rows, positions, channels]; what is no sequence has one channel.
inline Tensor as_sequence(const Tensor& t, const NodeSpec& spec) {
  return {t.data, t.dtype, {t.shape[0], t.shape[1], spec.positions(), std::max<std::int64_t>(1, spec.channels)}};
}

}  // namespace genexx
