// SPDX-License-Identifier: Apache-2.0
#include "models/mlp/network.h"

namespace genexx::mlp {
namespace {

Node activated(Network& n, Node x, const std::string& activation) {
  if (activation == "tanh") return n.tanh(x);
  return activation == "sigmoid" ? n.sigmoid(x) : n.relu(x);
}

// Convolutions with batch norm, activation and pooling each; x itself where there is none.
Node convolved(Network& n, Node x, const Config& config) {
  for (std::size_t k = 0; k < config.conv_channels.size(); ++k) {
    const std::string name = "convolution." + std::to_string(k);
    x = n.conv1d(name, x,
                 {.filters = config.conv_channels[k],
                  .kernel = of_layer(config.conv_width, k),
                  .stride = of_layer(config.conv_stride, k),
                  .ends = config.conv_ends == "zeros" ? Convolution::Ends::zeros : Convolution::Ends::inside});
    if (config.batch_norm) x = n.batch_norm(name + ".norm", x);
    x = activated(n, x, config.activation);
    const std::int64_t pool = of_layer(config.conv_pool, k);
    if (pool > 1) x = config.conv_pooling == "max" ? n.max_pool(x, pool) : n.average_pool(x, pool);
  }
  return x;
}

}  // namespace

Network make_network(std::int64_t genes, std::int64_t classes, const Config& config) {
  Network n;
  Node x = convolved(n, n.input("genes", genes), config);
  for (std::size_t k = 0; k < config.widths.size(); ++k) {
    const std::string name = "hidden." + std::to_string(k);
    x = n.linear(name, x, config.widths[k]);
    if (config.batch_norm) x = n.batch_norm(name + ".norm", x);
    x = activated(n, x, config.activation);
    if (config.dropout > 0) x = n.dropout(x, config.dropout);
  }
  n.linear("output", x, classes);
  return n;
}

LossSpec classification(const Network& network) {
  LossSpec spec = {.kind = LossKind::cross_entropy, .name = "classification"};
  spec.node = network.find("output");
  return spec;
}

}  // namespace genexx::mlp
