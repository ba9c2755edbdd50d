// SPDX-License-Identifier: Apache-2.0
// What ends a chain of nodes, as the ops take it.
#pragma once

#include "kernels/activation_dropout.h"
#include "models/fusion.h"
#include "models/session.h"

namespace genexx {

// Activation and dropout of `chain` as the session runs now: outside training there is no dropout.
activation_dropout::Finish finish_of(const Session& s, const Chain& chain);

// The bias gradient of the chain's source where the chain's layer is to write it: of a linear layer that learns.
Tensor bias_gradient_of(const Session& s, const Chain& chain);

}  // namespace genexx
