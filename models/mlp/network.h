// SPDX-License-Identifier: Apache-2.0
// Where asked for, convolutions along the genes, each [convolution, batch norm, activation, pooling]; then
// hidden layers of [linear, batch norm, activation, dropout], then a linear output: logits.
// Source of the default: the fly-brain report, batch norm on every layer but the output, ReLU, dropout.
#pragma once

#include "models/loss.h"
#include "models/mlp/config.h"
#include "models/network.h"

namespace genexx::mlp {

// Nodes: genes; convolution.K, convolution.K.norm and what acts on them; hidden.K, hidden.K.norm and what acts on them;
// output. `config` is resolved.
Network make_network(std::int64_t genes, std::int64_t classes, const Config& config);

// Softmax cross-entropy of the output.
LossSpec classification(const Network& network);

}  // namespace genexx::mlp
