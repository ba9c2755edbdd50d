// SPDX-License-Identifier: Apache-2.0
#include "models/initializer.h"

#include <cmath>
#include <cstring>

#include "engine/error.h"
#include "engine/philox.h"

namespace genexx {
namespace {

constexpr std::uint32_t kInitializerStream = 0x696e6974u;

double unit_uniform(std::uint32_t word) { return (word + 0.5) * 0x1p-32; }

// Box and Muller, "A note on the generation of random normal deviates", Annals of Math. Stat. 29(2), 1958.
double standard_normal(const PhiloxCounter& words) {
  return std::sqrt(-2.0 * std::log(unit_uniform(words.x))) * std::cos(2.0 * M_PI * unit_uniform(words.y));
}

double draw(const ParameterSpec& p, double fan_in, const PhiloxCounter& words) {
  const double symmetric = 2.0 * unit_uniform(words.x) - 1.0;
  switch (p.initializer) {
    case Initializer::he_normal:
      return standard_normal(words) * std::sqrt(2.0 / fan_in);
    case Initializer::glorot_uniform:
      return symmetric * std::sqrt(6.0 / (fan_in + static_cast<double>(p.fan_out)));
    case Initializer::fan_in_uniform:
      return symmetric / std::sqrt(fan_in);
    case Initializer::small_uniform:
      return symmetric * 1e-4;
    case Initializer::zeros:
      return 0.0;
    case Initializer::ones:
      return 1.0;
  }
  return 0.0;
}

// Whether the node of this parameter reads the whole batch directly or through a gate, so that masked genes never reach
// it.
bool reads_genes(const Network& network, const ParameterSpec& p) {
  const NodeSpec& node = network.nodes()[static_cast<std::size_t>(p.node)];
  if (node.kind == NodeKind::conv1d) return false;
  const NodeSpec& from = network.nodes()[static_cast<std::size_t>(node.inputs[0])];
  return from.kind == NodeKind::input || from.kind == NodeKind::gate;
}

template <class T>
void fill(const Network& network, const std::vector<InitialReplica>& replicas, std::uint32_t index, NamedTensor& out) {
  const ParameterSpec& p = network.parameters()[index];
  for (std::size_t r = 0; r < replicas.size(); ++r) {
    const bool masked = replicas[r].live_inputs > 0 && reads_genes(network, p);
    const double fan_in = static_cast<double>(masked ? replicas[r].live_inputs : p.fan_in);
    const PhiloxKey key = philox_key(static_cast<std::uint64_t>(replicas[r].seed), kInitializerStream);
    for (std::int64_t i = 0; i < p.size; ++i) {
      const auto words = philox(key, {static_cast<std::uint32_t>(i), static_cast<std::uint32_t>(i >> 32), index, 0});
      const T value = static_cast<T>(draw(p, fan_in, words));
      std::memcpy(out.bytes.data() + (static_cast<std::int64_t>(r) * p.size + i) * static_cast<std::int64_t>(sizeof(T)),
                  &value, sizeof(T));
    }
  }
}

}  // namespace

std::vector<NamedTensor> initial_weights(const Network& network, const std::vector<InitialReplica>& replicas,
                                         DType dtype) {
  if (dtype != DType::f32 && dtype != DType::f64)
    throw UsageError(std::string("initial weights as ") + name_of(dtype) + ", expected f32 or f64");
  std::vector<NamedTensor> all;
  for (std::uint32_t i = 0; i < network.parameters().size(); ++i) {
    const ParameterSpec& p = network.parameters()[i];
    NamedTensor t;
    t.name = p.name;
    t.dtype = dtype;
    t.shape = {static_cast<std::int64_t>(replicas.size())};
    t.shape.insert(t.shape.end(), p.shape.begin(), p.shape.end());
    t.bytes.resize(static_cast<std::size_t>(p.size * size_of(dtype)) * replicas.size());
    dtype == DType::f64 ? fill<double>(network, replicas, i, t) : fill<float>(network, replicas, i, t);
    all.push_back(std::move(t));
  }
  return all;
}

}  // namespace genexx
