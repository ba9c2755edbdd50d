// SPDX-License-Identifier: Apache-2.0
#include "models/session.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstring>

#include "engine/flat_tensor.h"
#include "models/layers/layer.h"
#include "models/split_weights.h"

namespace genexx {
namespace {

Shape with_replicas(std::int64_t r, const std::vector<std::int64_t>& shape) {
  if (shape.size() == 3) return {r, shape[0], shape[1], shape[2]};
  return shape.size() == 1 ? Shape{r, shape[0]} : Shape{r, shape[0], shape[1]};
}

// The layer of a node, null inside a chain.
std::unique_ptr<Layer> layer_of(const Network& network, const std::vector<Chain>& chains, int node) {
  const Chain* begun = nullptr;
  for (const Chain& chain : chains) {
    if (chain.tail() == node) return make_chain_layer(chain);
    if (chain.has(node)) return nullptr;
    if (chain.source == node) begun = &chain;
  }
  return make_layer(network.nodes()[static_cast<std::size_t>(node)].kind, begun);
}

}  // namespace

bool takes_stored_rows(const Network& network) {
  return std::all_of(network.nodes().begin(), network.nodes().end(), [&](const NodeSpec& node) {
    const bool reads = std::find(node.inputs.begin(), node.inputs.end(), 0) != node.inputs.end();
    return !reads || node.kind == NodeKind::linear;
  });
}

Session::Session(Context& ctx, const Network& network, const SessionOptions& options)
    : ctx_(ctx), network_(network), options_(options) {
  assert(options.input_form == InputForm::dense ||
         (takes_stored_rows(network) && options.input_gradient == InputGradient::no));
  const std::size_t count = network_.nodes().size();
  const std::int64_t element = size_of(options_.dtype);
  layout_ = flat_layout(network_, options_.replicas);
  const bool splits = ctx.precision == Precision::bf16 && options_.dtype == DType::f32;
  assert(!splits || options.input_form == InputForm::dense);
  for (std::size_t i = 0; i < layout_.offsets.size(); ++i)
    planes_.push_back(splits && may_lie_split(network_, i) ? layout_.room(i) : 0);
  weights_ = allocate(layout_.size * element);
  ctx_.fill_bytes(weights_.data(), 0, layout_.size * element);
  if (learns()) {
    gradients_ = allocate(layout_.size * element);
    ctx_.fill_bytes(gradients_.data(), 0, layout_.size * element);
  }
  seed_ = allocate(options_.replicas * 8);
  step_ = allocate(options_.replicas * 8);
  rates_ = allocate(options_.replicas * 8 * static_cast<std::int64_t>(count));

  find_homes();
  wants_gradient_.assign(count, 0);
  pulls_.resize(count);
  slots_.resize(count);
  for (std::size_t i = 0; i < count; ++i) {
    const NodeSpec& spec = network_.nodes()[i];
    layers_.push_back(layer_of(network_, chains_, static_cast<int>(i)));
    if (spec.kind == NodeKind::input && options_.input_gradient == InputGradient::yes) wants_gradient_[i] = 1;
    for (const int input : spec.inputs)
      if (wants_gradient_[static_cast<std::size_t>(input)]) wants_gradient_[i] = 1;
    for (const ParameterSpec& p : network_.parameters())
      if (learns() && p.node == static_cast<int>(i)) wants_gradient_[i] = 1;
    memory_.push_back(allocate(layers_[i] ? options_.replicas * layers_[i]->memory(spec) * element : 0));
    if (acts_in_training_only(spec.kind) && options_.use == Mode::inference) {
      slots_[i].resize(1);
      slots_[i][0].width = spec.width;
      continue;
    }
    const bool has_value = value_home_[i] == static_cast<int>(i) &&
                           (spec.kind != NodeKind::input || options_.input_form == InputForm::dense);
    for (const std::int64_t width : layers_[i] ? layers_[i]->plan(spec) : std::vector<std::int64_t>{spec.width}) {
      Slot s;
      s.width = width;
      const std::int64_t bytes = options_.replicas * options_.max_rows * width * element;
      if (has_value) s.value = allocate(bytes);
      if (wants_gradient_[i] && gradient_home_[i] == static_cast<int>(i)) s.gradient = allocate(bytes);
      slots_[i].push_back(std::move(s));
    }
  }
  set_dropout(Mode::training);
  set_seeds(std::vector<std::int64_t>(static_cast<std::size_t>(options_.replicas), 0));
  set_step(0);
}

// The nodes of a chain lie in the memory of its last one; so does the source, but for a value that batch norm's
// backward reads again.
void Session::find_homes() {
  if (options_.fusion == Fusion::chains)
    chains_ = find_chains(network_, options_.read,
                          options_.use == Mode::training ? DropoutNodes::run : DropoutNodes::skipped);
  for (std::size_t i = 0; i < network_.nodes().size(); ++i) value_home_.push_back(static_cast<int>(i));
  gradient_home_ = value_home_;
  for (const Chain& chain : chains_) {
    for (const int node : {chain.norm, chain.activation, chain.dropout})
      if (node >= 0)
        value_home_[static_cast<std::size_t>(node)] = gradient_home_[static_cast<std::size_t>(node)] = chain.tail();
    gradient_home_[static_cast<std::size_t>(chain.source)] = chain.tail();
    if (chain.norm < 0) value_home_[static_cast<std::size_t>(chain.source)] = chain.tail();
  }
}

Session::~Session() = default;

Buffer Session::allocate(std::int64_t bytes) {
  bytes_ += bytes;
  return Buffer(ctx_, bytes);
}

Tensor Session::view(const Buffer& flat, std::size_t index) const {
  return {flat.as<char>() + layout_.offsets[index] * size_of(options_.dtype), options_.dtype,
          with_replicas(options_.replicas, network_.parameters()[index].shape)};
}

Tensor Session::parameter(std::size_t index) const {
  Tensor t = view(weights_, index);
  if (planes_[index] > 0) t.dtype = DType::bf16;
  return t;
}

// The node whose values `node` has: in inference those of a node that acts in training only are its input's.
int Session::holder(int node) const {
  const auto spec = [&]() -> const NodeSpec& { return network_.nodes()[static_cast<std::size_t>(node)]; };
  while (last_mode_ == Mode::inference && acts_in_training_only(spec().kind)) node = spec().inputs[0];
  return node;
}

std::size_t Session::gradient_home(int node) const {
  return static_cast<std::size_t>(gradient_home_[static_cast<std::size_t>(holder(node))]);
}

// Whether a node's memory holds its own values after a forward pass of the last mode.
bool Session::is_shown(int node) const {
  for (const Chain& chain : chains_) {
    if (node == chain.tail() || (node == chain.source && chain.norm >= 0)) continue;
    if (node == chain.source) return false;
    if (chain.has(node)) return chain.dropout >= 0 && last_mode_ == Mode::inference && node != chain.norm;
  }
  return true;
}

// Whether a node has something to do: outside training dropout has not, unless it ends a chain.
bool Session::runs(std::size_t node, Mode mode) const {
  if (!layers_[node]) return false;
  if (mode == Mode::training || !acts_in_training_only(network_.nodes()[node].kind)) return true;
  return std::any_of(chains_.begin(), chains_.end(),
                     [&](const Chain& chain) { return chain.tail() == static_cast<int>(node); });
}

Tensor Session::value(int node, int output, std::int64_t rows) const {
  assert(rows <= options_.max_rows);
  const auto home = static_cast<std::size_t>(value_home_[static_cast<std::size_t>(holder(node))]);
  const Slot& s = slots_[home][static_cast<std::size_t>(output)];
  return {s.value.data(), options_.dtype, {options_.replicas, rows, s.width}};
}

Tensor Session::gradient(int node, int output, std::int64_t rows) const {
  const Slot& s = slots_[gradient_home(node)][static_cast<std::size_t>(output)];
  return {s.gradient.data(), options_.dtype, {options_.replicas, rows, s.width}};
}

Tensor Session::memory(int node) const {
  const Buffer& memory = memory_[static_cast<std::size_t>(node)];
  return {memory.data(), options_.dtype, {memory.bytes() / size_of(options_.dtype)}};
}

WriteMode Session::claim_gradient(int node, int output) {
  Slot& s = slots_[gradient_home(node)][static_cast<std::size_t>(output)];
  const WriteMode mode = s.written ? WriteMode::accumulate : WriteMode::overwrite;
  s.written = true;
  return mode;
}

bool Session::has_gradient(int node, int output) const {
  return slots_[gradient_home(node)][static_cast<std::size_t>(output)].written;
}

void Session::mark_needed(const std::vector<int>& wanted) {
  needed_.assign(layers_.size(), wanted.empty() ? 1 : 0);
  for (const int node : wanted) {
    if (!is_shown(node))
      throw UsageError("session: the values of '" + network_.nodes()[static_cast<std::size_t>(node)].name +
                       "' are lost in a chain of nodes that run together; name it in SessionOptions::read");
    needed_[static_cast<std::size_t>(value_home_[static_cast<std::size_t>(holder(node))])] = 1;
    needed_[static_cast<std::size_t>(node)] = 1;
  }
  for (std::size_t i = layers_.size(); i-- > 0;)
    if (needed_[i])
      for (const int input : network_.nodes()[i].inputs) needed_[static_cast<std::size_t>(input)] = 1;
}

void Session::forward(std::int64_t rows, Mode mode, const std::vector<int>& wanted) {
  last_mode_ = mode;
  mark_needed(wanted);
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    if (!needed_[i] || !runs(i, mode)) continue;
    layers_[i]->forward(*this, static_cast<int>(i), rows);
  }
}

void Session::begin_backward() {
  for (std::vector<Slot>& outputs : slots_)
    for (Slot& s : outputs) s.written = false;
}

void Session::backward(std::int64_t rows, Mode mode) {
  assert(mode == options_.use);
  last_mode_ = mode;
  for (std::size_t i = layers_.size(); i-- > 0;) {
    if (!runs(i, mode)) continue;
    const std::vector<Slot>& outputs = slots_[static_cast<std::size_t>(gradient_home_[i])];
    const bool any = std::any_of(outputs.begin(), outputs.end(), [](const Slot& s) { return s.written; });
    if (any && wants_gradient_[i]) layers_[i]->backward(*this, static_cast<int>(i), rows);
    pulls_[i] = {};
  }
}

std::size_t Session::parameter_index(int node, int which) const {
  for (std::size_t i = 0; i < network_.parameters().size(); ++i)
    if (network_.parameters()[i].node == node) return i + static_cast<std::size_t>(which);
  assert(false && "the node has no parameters");
  return 0;
}

void Session::set_weights(const std::vector<NamedTensor>& weights) {
  for (std::size_t i = 0; i < network_.parameters().size(); ++i) {
    const ParameterSpec& p = network_.parameters()[i];
    const auto found =
        std::find_if(weights.begin(), weights.end(), [&](const NamedTensor& w) { return w.name == p.name; });
    if (found == weights.end()) throw InputError("weights: '" + p.name + "' is missing");
    std::vector<std::int64_t> want = {options_.replicas};
    want.insert(want.end(), p.shape.begin(), p.shape.end());
    if (found->shape != want || found->dtype != options_.dtype)
      throw InputError("weights: '" + p.name + "' has another shape or element type than the network; expected " +
                       to_string(parameter(i).shape) + " " + name_of(options_.dtype));
    if (planes_[i] == 0) {
      ctx_.copy_to_device(parameter(i).data, found->bytes.data(), static_cast<std::int64_t>(found->bytes.size()));
      continue;
    }
    std::vector<std::byte> planes(static_cast<std::size_t>(4 * planes_[i]));
    split_values(found->bytes.data(), options_.replicas * p.size, planes_[i], planes.data());
    ctx_.copy_to_device(parameter(i).data, planes.data(), static_cast<std::int64_t>(planes.size()));
  }
}

std::vector<NamedTensor> Session::weights() const {
  std::vector<NamedTensor> all;
  for (std::size_t i = 0; i < network_.parameters().size(); ++i) {
    const ParameterSpec& p = network_.parameters()[i];
    NamedTensor t;
    t.name = p.name;
    t.dtype = options_.dtype;
    t.shape = {options_.replicas};
    t.shape.insert(t.shape.end(), p.shape.begin(), p.shape.end());
    t.bytes.resize(static_cast<std::size_t>(options_.replicas * p.size * size_of(options_.dtype)));
    if (planes_[i] == 0) {
      ctx_.copy_to_host(t.bytes.data(), parameter(i).data, static_cast<std::int64_t>(t.bytes.size()));
    } else {
      std::vector<std::byte> planes(static_cast<std::size_t>(4 * planes_[i]));
      ctx_.copy_to_host(planes.data(), parameter(i).data, static_cast<std::int64_t>(planes.size()));
      join_values(planes.data(), options_.replicas * p.size, planes_[i], t.bytes.data());
    }
    all.push_back(std::move(t));
  }
  return all;
}

NamedTensor Session::saved_weights(const std::string& name, const Tensor& flat) const {
  NamedTensor t = flat_tensor(ctx_, name, flat);
  for (std::size_t i = 0; i < planes_.size(); ++i) {
    if (planes_[i] == 0) continue;
    std::byte* const own = t.bytes.data() + 4 * layout_.offsets[i];
    join_values(own, options_.replicas * network_.parameters()[i].size, planes_[i], own);
  }
  return t;
}

void Session::restore_weights(const std::vector<NamedTensor>& all, const std::string& name, const Tensor& flat) const {
  set_flat_tensor(ctx_, all, name, flat);
  const auto found = std::find_if(all.begin(), all.end(), [&](const NamedTensor& n) { return n.name == name; });
  for (std::size_t i = 0; i < planes_.size(); ++i) {
    if (planes_[i] == 0) continue;
    std::vector<std::byte> planes(static_cast<std::size_t>(4 * planes_[i]));
    split_values(found->bytes.data() + 4 * layout_.offsets[i], options_.replicas * network_.parameters()[i].size,
                 planes_[i], planes.data());
    ctx_.copy_to_device(static_cast<char*>(flat.data) + 4 * layout_.offsets[i], planes.data(),
                        static_cast<std::int64_t>(planes.size()));
  }
}

void Session::copy_replica(std::int64_t replica, void* to, const void* from) const {
  const auto copy = [&](std::int64_t at, std::int64_t bytes) {
    ctx_.copy_within(static_cast<char*>(to) + at, static_cast<const char*>(from) + at, bytes);
  };
  for (std::size_t i = 0; i < planes_.size(); ++i) {
    const std::int64_t size = network_.parameters()[i].size, element = size_of(options_.dtype);
    if (planes_[i] == 0) {
      copy((layout_.offsets[i] + replica * size) * element, size * element);
      continue;
    }
    const std::int64_t high = 4 * layout_.offsets[i] + 2 * replica * size;
    copy(high, 2 * size);
    copy(high + 2 * planes_[i], 2 * size);
  }
}

Tensor Session::dropout_rate(int node) const {
  return {rates_.as<double>() + node * options_.replicas, DType::f64, {options_.replicas}};
}

void Session::set_dropout(Mode mode) {
  std::vector<double> rates;
  for (const NodeSpec& spec : network_.nodes())
    for (std::size_t r = 0; r < static_cast<std::size_t>(options_.replicas); ++r) {
      const bool own = r < own_rates_.size() && !std::isnan(own_rates_[r]);
      rates.push_back(mode == Mode::inference ? 0.0 : own ? own_rates_[r] : spec.rate);
    }
  ctx_.copy_to_device(rates_.data(), rates.data(), static_cast<std::int64_t>(rates.size()) * 8);
}

void Session::set_dropout_rates(std::vector<double> rates) {
  assert(static_cast<std::int64_t>(rates.size()) == options_.replicas);
  own_rates_ = std::move(rates);
}

void Session::set_seeds(const std::vector<std::int64_t>& seeds) {
  assert(static_cast<std::int64_t>(seeds.size()) == options_.replicas);
  ctx_.copy_to_device(seed_.data(), seeds.data(), options_.replicas * 8);
}

void Session::set_step(std::int64_t step) {
  const std::vector<std::int64_t> steps(static_cast<std::size_t>(options_.replicas), step);
  ctx_.copy_to_device(step_.data(), steps.data(), options_.replicas * 8);
}

std::int64_t Session::read_step() const {
  std::int64_t step = 0;
  ctx_.copy_to_host(&step, step_.data(), 8);
  return step;
}

}  // namespace genexx
