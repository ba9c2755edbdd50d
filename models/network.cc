// SPDX-License-Identifier: Apache-2.0
#include "models/network.h"

#include <algorithm>
#include <array>
#include <utility>

#include <nlohmann/json.hpp>

#include "engine/error.h"
#include "kernels/conv1d.h"

namespace genexx {
namespace {

constexpr std::array<std::pair<NodeKind, const char*>, 12> kKindNames = {{{NodeKind::input, "input"},
                                                                          {NodeKind::linear, "linear"},
                                                                          {NodeKind::relu, "relu"},
                                                                          {NodeKind::tanh, "tanh"},
                                                                          {NodeKind::sigmoid, "sigmoid"},
                                                                          {NodeKind::dropout, "dropout"},
                                                                          {NodeKind::row_dropout, "row_dropout"},
                                                                          {NodeKind::batch_norm, "batch_norm"},
                                                                          {NodeKind::gate, "gate"},
                                                                          {NodeKind::conv1d, "conv1d"},
                                                                          {NodeKind::max_pool, "max_pool"},
                                                                          {NodeKind::average_pool, "average_pool"}}};
constexpr std::array<std::pair<Initializer, const char*>, 6> kInitializerNames = {
    {{Initializer::he_normal, "he_normal"},
     {Initializer::glorot_uniform, "glorot_uniform"},
     {Initializer::fan_in_uniform, "fan_in_uniform"},
     {Initializer::small_uniform, "small_uniform"},
     {Initializer::zeros, "zeros"},
     {Initializer::ones, "ones"}}};

template <class E, std::size_t N>
const char* name_in(const std::array<std::pair<E, const char*>, N>& names, E value) {
  for (const auto& [candidate, name] : names)
    if (candidate == value) return name;
  return "?";
}

template <class E, std::size_t N>
E value_in(const std::array<std::pair<E, const char*>, N>& names, const std::string& text, const std::string& field) {
  std::string known;
  for (const auto& [value, name] : names) {
    if (text == name) return value;
    known += (known.empty() ? "" : ", ") + std::string(name);
  }
  throw InputError("network: " + field + " is '" + text + "', expected one of " + known);
}

std::size_t inputs_of(NodeKind kind) {
  if (kind == NodeKind::input) return 0;
  return kind == NodeKind::gate ? 2 : 1;
}

bool has_weights(NodeKind kind) { return kind == NodeKind::linear || kind == NodeKind::conv1d; }

// The widest a node may be.
constexpr std::int64_t kWidest = std::int64_t{1} << 31;

}  // namespace

// What an operation on sequences makes of its input: checked, and the width it must have.
void Network::take_sequence(NodeSpec& spec) const {
  const NodeSpec& from = nodes_[static_cast<std::size_t>(spec.inputs[0])];
  const auto expect = [&](bool holds, const std::string& message) {
    if (!holds) throw UsageError("network: node '" + spec.name + "' " + message);
  };
  const std::int64_t positions = from.positions();
  expect(spec.kernel >= 1 && spec.stride >= 1, "has windows of " + std::to_string(spec.kernel) +
                                                   " positions, one every " + std::to_string(spec.stride) +
                                                   ", expected at least 1 and 1");
  std::int64_t windows = spec.width;
  if (is_pooling(spec.kind)) {
    spec.channels = from.channels;
    expect(spec.channels > 0, "pools '" + from.name + "', which is no sequence; expected a convolution before it");
    windows = positions / spec.kernel;
  } else {
    expect(spec.channels >= 1, "has " + std::to_string(spec.channels) + " filters, expected at least 1");
    expect(spec.padding >= 0 && spec.padding < spec.kernel, "has " + std::to_string(spec.padding) +
                                                                " zeros before the sequence, expected fewer than the " +
                                                                std::to_string(spec.kernel) + " of a window");
    windows /= spec.channels;
    expect(windows * spec.channels == spec.width, "has a width of " + std::to_string(spec.width) + ", expected whole " +
                                                      std::to_string(spec.channels) + " filters");
    expect((windows - 1) * spec.stride - spec.padding < positions,
           "has more windows than the " + std::to_string(positions) + " positions of '" + from.name + "'");
  }
  expect(windows >= 1, "has windows of " + std::to_string(spec.kernel) + " positions, but '" + from.name +
                           "' has only " + std::to_string(positions));
  if (is_pooling(spec.kind)) spec.width = windows * spec.channels;
}

Node Network::append(NodeSpec spec) {
  const int index = static_cast<int>(nodes_.size());
  if (spec.name.empty()) spec.name = std::string(name_in(kKindNames, spec.kind)) + "_" + std::to_string(index);
  for (const NodeSpec& other : nodes_)
    if (other.name == spec.name) throw UsageError("network: two nodes are called '" + spec.name + "'");
  if (spec.kind == NodeKind::conv1d || is_pooling(spec.kind)) {
    take_sequence(spec);
  } else if (spec.kind != NodeKind::input && spec.kind != NodeKind::linear) {
    spec.channels = nodes_[static_cast<std::size_t>(spec.inputs[0])].channels;
  }
  nodes_.push_back(std::move(spec));
  add_parameters(index);
  return {index};
}

Node Network::append_like(NodeKind kind, Node x) {
  NodeSpec spec;
  spec.kind = kind;
  spec.inputs = {x.index};
  spec.width = nodes_[static_cast<std::size_t>(x.index)].width;
  return append(std::move(spec));
}

void Network::add_parameters(int node) {
  const NodeSpec& spec = nodes_[static_cast<std::size_t>(node)];
  if (spec.kind == NodeKind::linear) {
    const std::int64_t in = nodes_[static_cast<std::size_t>(spec.inputs[0])].width;
    parameters_.push_back(
        {spec.name + ".weight", node, {spec.width, in}, spec.width * in, in, spec.width, spec.weight_initializer});
    parameters_.push_back({spec.name + ".bias", node, {spec.width}, spec.width, in, spec.width, spec.bias_initializer});
  }
  if (spec.kind == NodeKind::conv1d) {
    const std::int64_t in = std::max<std::int64_t>(1, nodes_[static_cast<std::size_t>(spec.inputs[0])].channels);
    const std::int64_t fan_in = spec.kernel * in, fan_out = spec.kernel * spec.channels;
    parameters_.push_back({spec.name + ".weight",
                           node,
                           {spec.channels, spec.kernel, in},
                           spec.channels * fan_in,
                           fan_in,
                           fan_out,
                           spec.weight_initializer});
    parameters_.push_back(
        {spec.name + ".bias", node, {spec.channels}, spec.channels, fan_in, fan_out, spec.bias_initializer});
  }
  if (spec.kind == NodeKind::batch_norm) {
    const std::int64_t columns = spec.channels > 0 ? spec.channels : spec.width;
    const auto add = [&](const char* name, Initializer start, ParameterRole role) {
      parameters_.push_back({spec.name + name, node, {columns}, columns, columns, columns, start, role});
    };
    add(".weight", Initializer::ones, ParameterRole::learned);
    add(".bias", Initializer::zeros, ParameterRole::learned);
    add(".running_mean", Initializer::zeros, ParameterRole::statistic);
    add(".running_var", Initializer::ones, ParameterRole::statistic);
  }
}

Node Network::input(const std::string& name, std::int64_t width) {
  NodeSpec spec;
  spec.name = name;
  spec.width = width;
  return append(std::move(spec));
}

Node Network::linear(const std::string& name, Node x, std::int64_t width, Initializer weight, Initializer bias) {
  NodeSpec spec;
  spec.kind = NodeKind::linear;
  spec.name = name;
  spec.inputs = {x.index};
  spec.width = width;
  spec.weight_initializer = weight;
  spec.bias_initializer = bias;
  return append(std::move(spec));
}

Node Network::relu(Node x) { return append_like(NodeKind::relu, x); }
Node Network::tanh(Node x) { return append_like(NodeKind::tanh, x); }
Node Network::sigmoid(Node x) { return append_like(NodeKind::sigmoid, x); }

Node Network::dropout(Node x, double rate) {
  const Node node = append_like(NodeKind::dropout, x);
  nodes_.back().rate = rate;
  return node;
}

Node Network::row_dropout(Node x, double rate) {
  const Node node = append_like(NodeKind::row_dropout, x);
  nodes_.back().rate = rate;
  return node;
}

Node Network::batch_norm(const std::string& name, Node x) {
  NodeSpec spec;
  spec.kind = NodeKind::batch_norm;
  spec.name = name;
  spec.inputs = {x.index};
  spec.width = nodes_[static_cast<std::size_t>(x.index)].width;
  return append(std::move(spec));
}

Node Network::gate(const std::string& name, Node logits, Node x) {
  const Node node = append_like(NodeKind::gate, logits);
  nodes_.back().inputs = {logits.index, x.index};
  nodes_.back().name = name;
  return node;
}

Node Network::conv1d(const std::string& name, Node x, const Convolution& c) {
  const NodeSpec& from = nodes_[static_cast<std::size_t>(x.index)];
  NodeSpec spec;
  spec.kind = NodeKind::conv1d;
  spec.name = name;
  spec.inputs = {x.index};
  spec.channels = c.filters;
  spec.kernel = c.kernel;
  spec.stride = c.stride;
  std::int64_t windows = 0;
  if (c.kernel >= 1 && c.stride >= 1) {
    if (c.ends == Convolution::Ends::zeros) {
      const conv1d::Centred centred = conv1d::windows_centred(from.positions(), c.kernel, c.stride);
      windows = centred.windows;
      spec.padding = centred.padding;
    } else {
      windows = conv1d::windows_inside(from.positions(), c.kernel, c.stride);
    }
  }
  spec.width = windows * c.filters;
  return append(std::move(spec));
}

Node Network::pool(NodeKind kind, Node x, std::int64_t window) {
  NodeSpec spec;
  spec.kind = kind;
  spec.name = std::string(name_in(kKindNames, kind)) + "_" + std::to_string(nodes_.size());
  spec.inputs = {x.index};
  spec.kernel = window;
  return append(std::move(spec));
}

Node Network::max_pool(Node x, std::int64_t window) { return pool(NodeKind::max_pool, x, window); }
Node Network::average_pool(Node x, std::int64_t window) { return pool(NodeKind::average_pool, x, window); }

std::int64_t Network::parameter_count() const {
  std::int64_t count = 0;
  for (const ParameterSpec& p : parameters_) count += p.size;
  return count;
}

std::int64_t Network::input_width() const { return nodes_.front().width; }

int Network::find(const std::string& name) const {
  std::string known;
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    if (nodes_[i].name == name) return static_cast<int>(i);
    known += (i ? ", " : "") + nodes_[i].name;
  }
  throw UsageError("the network has no node '" + name + "'; it has " + known);
}

nlohmann::json Network::to_json() const {
  nlohmann::json list = nlohmann::json::array();
  for (const NodeSpec& n : nodes_) {
    nlohmann::json node = {{"kind", name_in(kKindNames, n.kind)}, {"name", n.name}, {"width", n.width}};
    node["inputs"] = nlohmann::json::array();
    for (const int i : n.inputs) node["inputs"].push_back(nodes_[static_cast<std::size_t>(i)].name);
    if (acts_in_training_only(n.kind)) node["rate"] = n.rate;
    if (n.kind == NodeKind::conv1d || is_pooling(n.kind)) node["kernel"] = n.kernel;
    if (n.kind == NodeKind::conv1d) {
      node["channels"] = n.channels;
      node["stride"] = n.stride;
      node["padding"] = n.padding;
    }
    if (has_weights(n.kind)) {
      node["weight_initializer"] = name_in(kInitializerNames, n.weight_initializer);
      node["bias_initializer"] = name_in(kInitializerNames, n.bias_initializer);
    }
    list.push_back(std::move(node));
  }
  return {{"nodes", std::move(list)}};
}

Network Network::from_json(const nlohmann::json& json) {
  Network network;
  try {
    for (const nlohmann::json& node : json.at("nodes")) {
      NodeSpec spec;
      spec.name = node.at("name").get<std::string>();
      spec.kind = value_in(kKindNames, node.at("kind").get<std::string>(), "kind of node '" + spec.name + "'");
      spec.width = node.at("width").get<std::int64_t>();
      spec.rate = node.value("rate", 0.0);
      if (spec.kind == NodeKind::conv1d || is_pooling(spec.kind)) spec.kernel = node.at("kernel").get<std::int64_t>();
      if (spec.kind == NodeKind::conv1d) {
        spec.channels = node.at("channels").get<std::int64_t>();
        spec.stride = node.at("stride").get<std::int64_t>();
        spec.padding = node.at("padding").get<std::int64_t>();
      }
      if (has_weights(spec.kind)) {
        const std::string where = "initializer of node '" + spec.name + "'";
        spec.weight_initializer = value_in(kInitializerNames, node.value("weight_initializer", "he_normal"), where);
        spec.bias_initializer = value_in(kInitializerNames, node.value("bias_initializer", "fan_in_uniform"), where);
      }
      for (const nlohmann::json& input : node.at("inputs"))
        spec.inputs.push_back(network.find(input.get<std::string>()));
      if (spec.inputs.size() != inputs_of(spec.kind))
        throw InputError("network: node '" + spec.name + "' has " + std::to_string(spec.inputs.size()) +
                         " inputs, expected " + std::to_string(inputs_of(spec.kind)));
      if (spec.width < 1 || spec.width > kWidest)
        throw InputError("network: width of node '" + spec.name + "' is " + std::to_string(spec.width));
      if (spec.kernel > kWidest || spec.stride > kWidest || spec.channels > kWidest)
        throw InputError("network: node '" + spec.name + "' has windows, strides or filters beyond 2^31");
      const std::int64_t stored = spec.width;
      const Node made = network.append(std::move(spec));
      const NodeSpec& node_made = network.nodes_[static_cast<std::size_t>(made.index)];
      if (node_made.width != stored)
        throw InputError("network: width of node '" + node_made.name + "' is " + std::to_string(stored) +
                         ", expected " + std::to_string(node_made.width));
    }
  } catch (const nlohmann::json::exception& e) {
    throw InputError(std::string("network: ") + e.what());
  } catch (const UsageError& e) {
    throw InputError(e.what());
  }
  if (network.nodes_.empty()) throw InputError("network: it has no nodes");
  return network;
}

}  // namespace genexx
