// SPDX-License-Identifier: Apache-2.0
#include "tools/onnx_model.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <unordered_map>

#include "engine/error.h"
#include "models/fitted_recipe.h"

namespace genexx::tools {
namespace {

constexpr double kBatchNormEps = 1e-5;  // of kernels/batch_norm.h
constexpr const char *kProbabilities = "probabilities", *kPredictions = "predictions";

template <class T>
NamedTensor constant(const std::string& name, std::vector<std::int64_t> shape, const std::vector<T>& values) {
  NamedTensor t{name, DTypeOf<T>::value, std::move(shape), {}};
  t.bytes.resize(values.size() * sizeof(T));
  std::memcpy(t.bytes.data(), values.data(), t.bytes.size());
  return t;
}

std::vector<float> narrow(const std::vector<double>& values) { return {values.begin(), values.end()}; }

// [r, out, in] as [r, in, out], in squares that stay in the cache.
NamedTensor transposed(const NamedTensor& weight, const std::string& name) {
  constexpr std::int64_t kSquare = 32;
  const std::int64_t r = weight.shape[0], out = weight.shape[1], in = weight.shape[2];
  NamedTensor t{name, DType::f32, {r, in, out}, std::vector<std::byte>(weight.bytes.size())};
  const auto* from = reinterpret_cast<const float*>(weight.bytes.data());
  auto* to = reinterpret_cast<float*>(t.bytes.data());
  for (std::int64_t k = 0; k < r; ++k, from += out * in, to += out * in)
    for (std::int64_t i0 = 0; i0 < out; i0 += kSquare)
      for (std::int64_t j0 = 0; j0 < in; j0 += kSquare)
        for (std::int64_t i = i0; i < std::min(out, i0 + kSquare); ++i)
          for (std::int64_t j = j0; j < std::min(in, j0 + kSquare); ++j) to[j * out + i] = from[i * in + j];
  return t;
}

// [r, filters, kernel, channels] as [r filters, channels, kernel].
NamedTensor channels_before_taps(const NamedTensor& weight, const std::string& name) {
  const std::int64_t filters = weight.shape[0] * weight.shape[1], kernel = weight.shape[2], channels = weight.shape[3];
  NamedTensor t{name, DType::f32, {filters, channels, kernel}, std::vector<std::byte>(weight.bytes.size())};
  const auto* from = reinterpret_cast<const float*>(weight.bytes.data());
  auto* to = reinterpret_cast<float*>(t.bytes.data());
  for (std::int64_t o = 0; o < filters; ++o, from += kernel * channels)
    for (std::int64_t c = 0; c < channels; ++c)
      for (std::int64_t k = 0; k < kernel; ++k) *to++ = from[k * channels + c];
  return t;
}

// Appends operators; the name of a value is that of the output it is.
class GraphBuilder {
 public:
  GraphBuilder(const Model& model, const TargetUnits& units) : model_(model), units_(units) {}

  OnnxModel build();

 private:
  std::string op(const std::string& type, std::vector<std::string> inputs, const std::string& output,
                 std::vector<OnnxAttribute> attributes = {}) {
    graph_.nodes.push_back({type, std::move(inputs), {output}, std::move(attributes)});
    return output;
  }
  template <class T>
  std::string add(const std::string& name, std::vector<std::int64_t> shape, const std::vector<T>& values) {
    graph_.constants.push_back(constant(name, std::move(shape), values));
    return name;
  }
  std::string shape(const std::string& name, const std::vector<std::int64_t>& extents) {
    return add(name, {static_cast<std::int64_t>(extents.size())}, extents);
  }
  std::string scalar(const std::string& name, double value) {
    return add(name, {}, std::vector<float>{static_cast<float>(value)});
  }
  const NamedTensor& weight(int node, const char* part) const;
  std::string add_library_size(const std::string& x);
  std::string add_recipe();
  std::string add_node(const NodeSpec& spec, int node);
  std::string add_batch_norm(const std::string& x, const NodeSpec& spec, int node);
  std::string add_channels_first(const std::string& x, const NodeSpec& spec, std::int64_t replicas);
  std::string add_channels_last(const std::string& x, const NodeSpec& spec, const std::string& name);
  std::string add_convolution(const std::string& x, const NodeSpec& spec, int node);
  std::string add_pooling(const std::string& x, const NodeSpec& spec);
  void add_probabilities();
  void add_predictions();
  void add_outputs();

  const Model& model_;
  const TargetUnits& units_;
  OnnxModel graph_;
  std::vector<std::string> value_;  // of each node: output 0
  bool shared_ = false;             // whether the network's input has one row of replicas for all of them
};

const NamedTensor& GraphBuilder::weight(int node, const char* part) const {
  const std::string name = model_.network.nodes()[static_cast<std::size_t>(node)].name + part;
  return *std::find_if(model_.weights.begin(), model_.weights.end(),
                       [&](const NamedTensor& w) { return w.name == name; });
}

// Every cell brought to the target sum, then cut to the model's genes.
std::string GraphBuilder::add_library_size(const std::string& x) {
  const Recipe recipe = recipe_of(model_.recipe, 0);
  const std::int64_t genes = recipe.library_genes();
  std::vector<float> counted;
  for (const double share : recipe.library_share) counted.push_back(share > 0 ? 1.0f : 0.0f);
  const std::string zero = scalar("recipe.zero", 0);
  const std::string total = op("MatMul", {x, add("recipe.library_genes", {genes, 1}, counted)}, "recipe/total");
  const std::string ratio = op("Div", {scalar("recipe.target_sum", recipe.target_sum[0]), total}, "recipe/ratio");
  const std::string some = op("Greater", {total, zero}, "recipe/has_counts");
  const std::string factor = op("Where", {some, ratio, zero}, "recipe/library_factor");
  const std::string sized = op("Mul", {x, factor}, "recipe/sized");
  if (recipe.library_gene_ids == recipe.gene_ids) return sized;
  std::unordered_map<std::string, std::int64_t> column;
  for (std::int64_t l = 0; l < genes; ++l) column[recipe.library_gene_ids[static_cast<std::size_t>(l)]] = l;
  std::vector<std::int64_t> columns;
  for (const std::string& gene : recipe.gene_ids) {
    const auto found = column.find(gene);
    if (found == column.end())
      throw InputError("model: gene '" + gene + "' is not among the genes that library size counts");
    columns.push_back(found->second);
  }
  const std::string list = add("recipe.columns", {static_cast<std::int64_t>(columns.size())}, columns);
  return op("Gather", {sized, list}, "recipe/chosen", {{"axis", std::int64_t{1}}});
}

// [cells, genes] as read to [replicas or 1, cells, genes] as the network takes it.
std::string GraphBuilder::add_recipe() {
  const Recipe& recipe = model_.recipe;
  const std::int64_t genes = recipe.genes(), rows = recipe.replicas();
  shared_ = rows == 1;
  std::string x = "expression";
  if (!recipe.target_sum.empty()) x = add_library_size(x);
  if (recipe.log1p) x = op("Log", {op("Add", {x, scalar("recipe.one", 1)}, "recipe/plus_one")}, "recipe/log1p");
  if (recipe.shift.empty() && recipe.factor.empty() && recipe.mask.empty()) {
    x = op("Unsqueeze", {x, add("recipe.replica_axis", {1}, std::vector<std::int64_t>{0})}, "recipe/unscaled");
  } else {
    x = op("Sub", {x, add("recipe.shift", {rows, 1, genes}, narrow(recipe.effective_shift(rows)))}, "recipe/shifted");
    x = op("Mul", {x, add("recipe.factor", {rows, 1, genes}, narrow(recipe.effective_factor(rows)))}, "recipe/scaled");
  }
  if (recipe.clip > 0)
    x = op("Clip", {x, scalar("recipe.least", -recipe.clip), scalar("recipe.most", recipe.clip)}, "recipe/clipped");
  return x;
}

// y = x s + t, of a sequence the same at all its positions, with s = gamma / sqrt(var + eps) and t = beta - mean s.
std::string GraphBuilder::add_batch_norm(const std::string& x, const NodeSpec& spec, int node) {
  const std::string name = "network/" + spec.name;
  const auto numbers = [&](const char* part) {
    const NamedTensor& t = weight(node, part);
    const auto* values = reinterpret_cast<const float*>(t.bytes.data());
    return std::vector<double>(values, values + t.bytes.size() / sizeof(float));
  };
  std::vector<double> scale = numbers(".weight"), offset = numbers(".bias");
  const std::vector<double> mean = numbers(".running_mean"), variance = numbers(".running_var");
  for (std::size_t i = 0; i < scale.size(); ++i) {
    scale[i] /= std::sqrt(variance[i] + kBatchNormEps);
    offset[i] -= mean[i] * scale[i];
  }
  const std::int64_t columns = weight(node, ".weight").shape[1];
  const std::vector<std::int64_t> extents = {model_.replicas, 1, spec.width};
  const auto at_all_positions = [&](const std::vector<double>& of_columns) {
    std::vector<float> all;
    for (std::int64_t i = 0; i < model_.replicas * spec.width; ++i)
      all.push_back(static_cast<float>(of_columns[static_cast<std::size_t>(i / spec.width * columns + i % columns)]));
    return all;
  };
  const std::string scaled = op("Mul", {x, add(name + ".scale", extents, at_all_positions(scale))}, name + "/scaled");
  return op("Add", {scaled, add(name + ".offset", extents, at_all_positions(offset))}, name);
}

// Gives [1 or r, cells, positions x channels] as [cells, r x channels, positions], or [cells, channels, positions]
// where it is shared by all replicas.
std::string GraphBuilder::add_channels_first(const std::string& x, const NodeSpec& spec, std::int64_t replicas) {
  const std::int64_t channels = std::max<std::int64_t>(1, spec.channels), positions = spec.positions();
  const std::string split =
      op("Reshape", {x, shape(x + "/sequence/split", {replicas, -1, positions, channels})}, x + "/sequence/positions");
  const std::string turned =
      op("Transpose", {split}, x + "/sequence/turned", {{"perm", std::vector<std::int64_t>{1, 0, 3, 2}}});
  return op("Reshape", {turned, shape(x + "/sequence/joined", {-1, replicas * channels, positions})},
            x + "/sequence/channels");
}

// The inverse: [cells, r x channels, positions] as [r, cells, positions x channels].
std::string GraphBuilder::add_channels_last(const std::string& x, const NodeSpec& spec, const std::string& name) {
  const std::int64_t r = model_.replicas;
  const std::string split =
      op("Reshape", {x, shape(name + "/split", {-1, r, spec.channels, spec.positions()})}, name + "/by_replica");
  const std::string turned =
      op("Transpose", {split}, name + "/turned", {{"perm", std::vector<std::int64_t>{1, 0, 3, 2}}});
  return op("Reshape", {turned, shape(name + "/joined", {r, -1, spec.width})}, name);
}

// The replicas are groups of channels; of an input that they share every replica reads all channels.
std::string GraphBuilder::add_convolution(const std::string& x, const NodeSpec& spec, int node) {
  const std::string name = "network/" + spec.name;
  const NodeSpec& from = model_.network.nodes()[static_cast<std::size_t>(spec.inputs[0])];
  const std::int64_t groups = shared_ && from.kind == NodeKind::input ? 1 : model_.replicas;
  const std::string rows = add_channels_first(x, from, groups);
  graph_.constants.push_back(channels_before_taps(weight(node, ".weight"), name + ".weight"));
  NamedTensor bias = weight(node, ".bias");
  bias.name = name + ".bias";
  bias.shape = {model_.replicas * spec.channels};
  graph_.constants.push_back(std::move(bias));
  const std::int64_t behind = (spec.positions() - 1) * spec.stride + spec.kernel - spec.padding - from.positions();
  const std::string y = op("Conv", {rows, name + ".weight", name + ".bias"}, name + "/windows",
                           {{"group", groups},
                            {"kernel_shape", std::vector<std::int64_t>{spec.kernel}},
                            {"pads", std::vector<std::int64_t>{spec.padding, std::max<std::int64_t>(0, behind)}},
                            {"strides", std::vector<std::int64_t>{spec.stride}}});
  return add_channels_last(y, spec, name);
}

std::string GraphBuilder::add_pooling(const std::string& x, const NodeSpec& spec) {
  const std::string name = "network/" + spec.name;
  const NodeSpec& from = model_.network.nodes()[static_cast<std::size_t>(spec.inputs[0])];
  const std::string rows = add_channels_first(x, from, model_.replicas);
  const std::string y = op(
      spec.kind == NodeKind::max_pool ? "MaxPool" : "AveragePool", {rows}, name + "/windows",
      {{"kernel_shape", std::vector<std::int64_t>{spec.kernel}}, {"strides", std::vector<std::int64_t>{spec.kernel}}});
  return add_channels_last(y, spec, name);
}

std::string GraphBuilder::add_node(const NodeSpec& spec, int node) {
  const std::string name = "network/" + spec.name;
  const std::string x = spec.inputs.empty() ? std::string() : value_[static_cast<std::size_t>(spec.inputs[0])];
  switch (spec.kind) {
    case NodeKind::input:
      return add_recipe();
    case NodeKind::linear: {
      graph_.constants.push_back(transposed(weight(node, ".weight"), name + ".weight"));
      const std::string product = op("MatMul", {x, name + ".weight"}, name + "/product");
      NamedTensor bias = weight(node, ".bias");
      bias.name = name + ".bias";
      bias.shape = {bias.shape[0], 1, bias.shape[1]};
      graph_.constants.push_back(std::move(bias));
      return op("Add", {product, name + ".bias"}, name);
    }
    case NodeKind::relu:
      return op("Relu", {x}, name);
    case NodeKind::tanh:
      return op("Tanh", {x}, name);
    case NodeKind::sigmoid:
      return op("Sigmoid", {x}, name);
    case NodeKind::dropout:
    case NodeKind::row_dropout:
      return x;
    case NodeKind::batch_norm:
      return add_batch_norm(x, spec, node);
    case NodeKind::conv1d:
      return add_convolution(x, spec, node);
    case NodeKind::max_pool:
    case NodeKind::average_pool:
      return add_pooling(x, spec);
    case NodeKind::gate:
      return op("Mul", {value_[static_cast<std::size_t>(spec.inputs[1])], op("Sigmoid", {x}, name + "/gate")}, name);
  }
  return x;
}

std::vector<OnnxAttribute> over_replicas() {
  return {{"axes", std::vector<std::int64_t>{0}}, {"keepdims", std::int64_t{0}}};
}

void GraphBuilder::add_probabilities() {
  const OnnxAttribute classes_axis = {"axis", std::int64_t{-1}};
  const std::string each = op("Softmax", {value_.back()}, "each_replica", {classes_axis});
  const double temperature = model_.calibration.temperature;
  if (temperature == 1) {
    op("ReduceMean", {each}, kProbabilities, over_replicas());
  } else {  // p^(1/T), scaled to sum 1
    const std::string logarithm = op("Log", {op("ReduceMean", {each}, "mean", over_replicas())}, "logarithm");
    op("Softmax", {op("Mul", {logarithm, scalar("sharpness", 1 / temperature)}, "sharpened")}, kProbabilities,
       {classes_axis});
  }
}

void GraphBuilder::add_predictions() {
  const std::int64_t targets = model_.network.output_width();
  if (units_.mean.empty()) {
    op("ReduceMean", {value_.back()}, kPredictions, over_replicas());
    return;
  }
  const std::string mean = op("ReduceMean", {value_.back()}, "mean", over_replicas());
  const std::string scaled =
      op("Mul", {mean, add("targets.scale", {targets}, narrow(units_.scale))}, "predictions/scaled");
  op("Add", {scaled, add("targets.mean", {targets}, narrow(units_.mean))}, kPredictions);
}

void GraphBuilder::add_outputs() {
  const bool classes = predicts_classes(model_);
  classes ? add_probabilities() : add_predictions();
  graph_.outputs.push_back({classes ? kProbabilities : kPredictions, {-1, model_.network.output_width()}});
  const NodeSpec& last = model_.network.nodes().back();
  if (last.inputs.empty() || last.inputs[0] == 0) return;
  const auto from = static_cast<std::size_t>(last.inputs[0]);
  op("Identity", {value_[from]}, "embeddings");
  graph_.outputs.push_back({"embeddings", {model_.replicas, -1, model_.network.nodes()[from].width}});
}

OnnxModel GraphBuilder::build() {
  graph_.name = model_.system;
  graph_.inputs.push_back({"expression", {-1, static_cast<std::int64_t>(genes_read(model_).size())}});
  for (std::size_t i = 0; i < model_.network.nodes().size(); ++i)
    value_.push_back(add_node(model_.network.nodes()[i], static_cast<int>(i)));
  add_outputs();
  return std::move(graph_);
}

}  // namespace

bool predicts_classes(const Model& model) { return model.system != "dgex"; }

const std::vector<std::string>& genes_read(const Model& model) {
  return model.recipe.target_sum.empty() ? model.recipe.gene_ids : model.recipe.library_gene_ids;
}

OnnxModel onnx_model(const Model& model, const TargetUnits& units) { return GraphBuilder(model, units).build(); }

}  // namespace genexx::tools
