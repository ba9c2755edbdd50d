// SPDX-License-Identifier: Apache-2.0
// Memory for one network, r replicas and up to `max_rows` rows, and the walk over its nodes. Everything is allocated at
// construction; a step allocates nothing.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "engine/context.h"
#include "engine/named_tensor.h"
#include "engine/tensor.h"
#include "kernels/gate.h"
#include "kernels/sparse_linear.h"
#include "models/flat_layout.h"
#include "models/fusion.h"
#include "models/network.h"

namespace genexx {

class Layer;

enum class Mode { training, inference };  // dropout acts in training only; batch norm has its own rule for each

// Whether backward leads on to the input itself: what explains an output.
enum class InputGradient { no, yes };

// How the batch arrives: as numbers written to input(rows), or as rows of the data set that its readers take from
// there.
enum class InputForm { dense, stored };

// Whether everything that reads the input of a network can take it as stored rows.
bool takes_stored_rows(const Network& network);

// Whether nodes are computed together (models/fusion.h), or each by itself.
enum class Fusion { none, chains };

struct SessionOptions {
  std::int64_t replicas = 1;
  std::int64_t max_rows = 256;
  DType dtype = DType::f32;
  Mode use = Mode::training;  // inference: no gradients of parameters are kept
  InputGradient input_gradient = InputGradient::no;
  InputForm input_form = InputForm::dense;  // stored: only where takes_stored_rows(), without an input gradient
  Fusion fusion = Fusion::chains;
  std::vector<int> read;  // nodes that are read from outside, beside the last one and those that end a chain
};

class Session {
 public:
  // Binds `network` (copied) to `ctx`, which must outlive the session. Throws DeviceError when memory is short.
  Session(Context& ctx, const Network& network, const SessionOptions& options);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  Context& context() const { return ctx_; }
  const Network& network() const { return network_; }
  const SessionOptions& options() const { return options_; }

  // ---- a step: write input(rows), forward, gradients of the losses, backward ----
  Tensor input(std::int64_t rows) const { return value(0, 0, rows); }
  // Instead of it with InputForm::stored. What the tensors point to must last until backward is done.
  void set_stored_input(const sparse_linear::Input& input) { stored_input_ = input; }
  // Null with InputForm::dense.
  const sparse_linear::Input* stored_input() const {
    return options_.input_form == InputForm::stored ? &stored_input_ : nullptr;
  }
  // The discriminative loss of a gate's second output, taken along by the next forward pass in training and the
  // backward pass after it.
  void set_pull(int node, const gate::Pull& pull) { pulls_[static_cast<std::size_t>(node)] = pull; }
  const gate::Pull& pull(int node) const { return pulls_[static_cast<std::size_t>(node)]; }
  // Computes the nodes that `wanted` depends on (all nodes for an empty list). Throws UsageError for a wanted node
  // whose value is lost inside a chain because it is none of SessionOptions::read.
  void forward(std::int64_t rows, Mode mode, const std::vector<int>& wanted = {});
  // Forgets which gradients were written; then losses write theirs where claim_gradient says, then backward walks back.
  // `mode` is that of the forward pass and of SessionOptions::use.
  void begin_backward();
  void backward(std::int64_t rows, Mode mode);

  // Output `output` of node `node`: [r, rows, width]. A dropout node in inference is its input, gradient included. The
  // nodes of a chain share one memory, which holds what the last of them gives.
  Tensor value(int node, int output, std::int64_t rows) const;
  Tensor gradient(int node, int output, std::int64_t rows) const;
  // What node's layer keeps between forward and backward: [r, Layer::memory] elements, flat.
  Tensor memory(int node) const;
  // How the last forward was run.
  Mode mode() const { return last_mode_; }
  // How the next contribution to that gradient must be written; marks it as written.
  WriteMode claim_gradient(int node, int output);
  bool has_gradient(int node, int output) const;
  int outputs(int node) const { return static_cast<int>(slots_[static_cast<std::size_t>(node)].size()); }
  // Whether the last forward computed this node.
  bool computed(int node) const { return needed_[static_cast<std::size_t>(node)] != 0; }
  // Whether gradients of parameters are taken.
  bool learns() const { return options_.use == Mode::training; }
  // Whether the gradient of this node is needed at all (something that wants one lies before it: a parameter, where the
  // session learns, or the input).
  bool wants_gradient(int node) const { return wants_gradient_[static_cast<std::size_t>(node)] != 0; }

  // ---- parameters: one flat array, parameter after parameter, each [r, ...] ----
  // Where the context's precision is bf16 and elements are f32, matrices of linear layers lie split
  // (models/split_weights.h): parameter() is then their plane of bf16, and the flat array holds both planes.
  Tensor parameter(std::size_t index) const;
  Tensor parameter_gradient(std::size_t index) const { return view(gradients_, index); }
  std::size_t parameter_index(int node, int which) const;
  std::int64_t parameter_offset(std::size_t index) const { return layout_.offsets[index]; }
  // Elements of a plane of a parameter that lies split, else 0.
  std::int64_t parameter_plane(std::size_t index) const { return planes_[index]; }
  std::int64_t flat_size() const { return layout_.size; }
  Tensor flat_weights() const { return {weights_.data(), options_.dtype, {layout_.size}}; }
  Tensor flat_gradients() const { return {gradients_.data(), options_.dtype, {layout_.size}}; }

  // `flat`, the flat array of the weights or a copy of it on the device, as one host tensor without split parameters;
  // and back. Both synchronize. Throws InputError as set_flat_tensor does.
  NamedTensor saved_weights(const std::string& name, const Tensor& flat) const;
  void restore_weights(const std::vector<NamedTensor>& all, const std::string& name, const Tensor& flat) const;
  // Copies one replica's weights from one flat array of the device to another.
  void copy_replica(std::int64_t replica, void* to, const void* from) const;

  // Copies weights of all replicas in or out; names, shapes [r, ...] and dtype must agree. Throws InputError.
  void set_weights(const std::vector<NamedTensor>& weights);
  std::vector<NamedTensor> weights() const;

  // ---- what changes from step to step lives on the device ----
  Tensor seed() const { return {seed_.data(), DType::i64, {options_.replicas}}; }
  Tensor step() const { return {step_.data(), DType::i64, {options_.replicas}}; }
  Tensor dropout_rate(int node) const;
  // Mode::inference sets every rate to zero, so that training goes on without dropout; Mode::training sets them back.
  void set_dropout(Mode mode);
  // The rate of every dropout node of each replica instead of the network's own; NaN: the network's own.
  void set_dropout_rates(std::vector<double> rates);
  void set_seeds(const std::vector<std::int64_t>& seeds);
  void set_step(std::int64_t step);
  std::int64_t read_step() const;

  // Bytes of device memory this session holds.
  std::int64_t bytes() const { return bytes_; }

 private:
  struct Slot {  // one output of one node
    Buffer value, gradient;
    std::int64_t width = 0;
    bool written = false;
  };
  Buffer allocate(std::int64_t bytes);
  Tensor view(const Buffer& flat, std::size_t index) const;
  void find_homes();
  bool runs(std::size_t node, Mode mode) const;
  bool is_shown(int node) const;
  int holder(int node) const;
  std::size_t gradient_home(int node) const;
  const Slot& slot(int node, int output) const;
  void mark_needed(const std::vector<int>& wanted);

  Context& ctx_;
  Network network_;
  SessionOptions options_;
  std::vector<Chain> chains_;
  std::vector<int> value_home_, gradient_home_;  // by node: the node in whose memory it lies
  std::vector<std::unique_ptr<Layer>> layers_;   // null inside a chain, where the layer of its last node works
  std::vector<std::vector<Slot>> slots_;
  std::vector<char> wants_gradient_, needed_;
  std::vector<Buffer> memory_;
  std::vector<gate::Pull> pulls_;  // by node
  Buffer weights_, gradients_, seed_, step_, rates_;
  FlatLayout layout_;
  std::vector<std::int64_t> planes_;  // of each parameter, as parameter_plane
  std::int64_t bytes_ = 0;
  Mode last_mode_ = Mode::training;
  std::vector<double> own_rates_;  // [r] or empty
  sparse_linear::Input stored_input_;
};

}  // namespace genexx
