// SPDX-License-Identifier: Apache-2.0
// A network as data: a list of nodes, each naming the nodes it reads. It is what a model definition builds, what the
// model file stores and what a Session runs. No tape: the list is walked forward, then in reverse.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

namespace genexx {

// What a node computes. Widths count features of one sample.
enum class NodeKind {
  input,   // the batch
  linear,  // x W^T + b
  relu,
  tanh,
  sigmoid,
  dropout,      // rate; acts in training only
  row_dropout,  // drops whole rows: all of a sample's features, or none; acts in training only
  batch_norm,   // over the rows of the batch, of a sequence also over its positions; running statistics in inference
  gate,         // output 0: x * sigmoid(logits); output 1: sigmoid(logits). Inputs: logits, x
  conv1d,       // along a sequence: kernel, stride, padding
  max_pool,     // of `kernel` neighbouring positions each
  average_pool
};

// Whether a node of this kind pools a sequence.
constexpr bool is_pooling(NodeKind kind) { return kind == NodeKind::max_pool || kind == NodeKind::average_pool; }

// Whether a node of this kind is the identity outside training.
constexpr bool acts_in_training_only(NodeKind kind) {
  return kind == NodeKind::dropout || kind == NodeKind::row_dropout;
}

// How a parameter starts; drawn on the host from the replica's seed.
enum class Initializer {
  he_normal,       // normal, std sqrt(2 / fan_in)
  glorot_uniform,  // uniform +-sqrt(6 / (fan_in + fan_out))
  fan_in_uniform,  // uniform +-1 / sqrt(fan_in)
  small_uniform,   // uniform +-1e-4
  zeros,
  ones
};

struct NodeSpec {
  NodeKind kind = NodeKind::input;
  std::string name;                                            // unique; parameters are NAME.weight, NAME.bias
  std::vector<int> inputs;                                     // indices of earlier nodes
  std::int64_t width = 0;                                      // features of output 0
  double rate = 0;                                             // dropout, row_dropout
  Initializer weight_initializer = Initializer::he_normal;     // linear, conv1d
  Initializer bias_initializer = Initializer::fan_in_uniform;  // linear, conv1d
  // Above 0: output 0 is a sequence, [width / channels, channels], positions first.
  std::int64_t channels = 0;
  std::int64_t kernel = 0;               // conv1d, pooling: positions of a window
  std::int64_t stride = 1, padding = 0;  // conv1d: positions between windows; before the sequence, zeros

  std::int64_t positions() const { return channels > 0 ? width / channels : width; }
};

// One convolution: `filters` of `kernel` positions, a window every `stride` positions. Ends::inside: windows lie in the
// sequence; Ends::zeros: it is continued by zeros on both sides, so that ceil(positions / stride) windows are centred
// on it.
struct Convolution {
  enum class Ends { inside, zeros };
  std::int64_t filters = 1, kernel = 1, stride = 1;
  Ends ends = Ends::zeros;
};

// Who changes a parameter: the optimizer, or the layer itself (running statistics).
enum class ParameterRole { learned, statistic };

// One stored tensor of one replica.
struct ParameterSpec {
  std::string name;
  int node = 0;
  std::vector<std::int64_t> shape;  // without the replica axis
  std::int64_t size = 0;            // product of shape
  std::int64_t fan_in = 0, fan_out = 0;
  Initializer initializer = Initializer::zeros;
  ParameterRole role = ParameterRole::learned;
};

// A handle of the builder.
struct Node {
  int index = -1;
};

class Network {
 public:
  // ---- building; each call appends a node and returns its handle ----
  Node input(const std::string& name, std::int64_t width);
  Node linear(const std::string& name, Node x, std::int64_t width, Initializer weight = Initializer::he_normal,
              Initializer bias = Initializer::fan_in_uniform);
  Node relu(Node x);
  Node tanh(Node x);
  Node sigmoid(Node x);
  Node dropout(Node x, double rate);
  Node row_dropout(Node x, double rate);
  // Parameters NAME.weight, NAME.bias (learned), NAME.running_mean, NAME.running_var (statistics).
  Node batch_norm(const std::string& name, Node x);
  Node gate(const std::string& name, Node logits, Node x);
  // Parameters NAME.weight [filters, kernel, channels of x], NAME.bias. What is no sequence yet is one of single
  // features. Throws UsageError where no window fits.
  Node conv1d(const std::string& name, Node x, const Convolution& convolution);
  // Of a sequence; positions behind the last whole window are left out. Throws UsageError where there is no whole one.
  Node max_pool(Node x, std::int64_t window);
  Node average_pool(Node x, std::int64_t window);

  // ---- reading ----
  const std::vector<NodeSpec>& nodes() const { return nodes_; }
  const std::vector<ParameterSpec>& parameters() const { return parameters_; }
  std::int64_t parameter_count() const;  // elements of one replica, statistics included
  std::int64_t input_width() const;
  std::int64_t output_width() const { return nodes_.back().width; }  // the last node is the output
  // The node called `name`. Throws UsageError listing the names there are.
  int find(const std::string& name) const;

  // The layout stored in model files, and back. from_json throws InputError naming the node and field that is wrong.
  nlohmann::json to_json() const;
  static Network from_json(const nlohmann::json& json);

 private:
  Node append(NodeSpec spec);
  Node append_like(NodeKind kind, Node x);
  Node pool(NodeKind kind, Node x, std::int64_t window);
  void take_sequence(NodeSpec& spec) const;
  void add_parameters(int node);
  std::vector<NodeSpec> nodes_;
  std::vector<ParameterSpec> parameters_;
};

}  // namespace genexx
