// SPDX-License-Identifier: Apache-2.0
#include "models/trainer_state.h"

#include <algorithm>
#include <iterator>
#include <map>

#include <nlohmann/json.hpp>

#include "engine/error.h"
#include "models/flat_layout.h"

namespace genexx {
namespace {

constexpr const char* kOnlyLane = "lane0.";

std::string lane_prefix(std::int64_t lane) { return "lane" + std::to_string(lane) + "."; }

bool starts_with(const std::string& text, const std::string& prefix) {
  return text.compare(0, prefix.size(), prefix) == 0;
}

// Lanes of one replica each: those of the chosen replicas, renumbered.
std::vector<NamedTensor> chosen_lanes(const std::vector<NamedTensor>& all, const std::vector<std::int64_t>& chosen) {
  std::vector<NamedTensor> out;
  for (std::size_t i = 0; i < chosen.size(); ++i) {
    const std::string from = lane_prefix(chosen[i]), to = lane_prefix(static_cast<std::int64_t>(i));
    for (const NamedTensor& t : all) {
      if (!starts_with(t.name, from)) continue;
      out.push_back(t);
      out.back().name = to + t.name.substr(from.size());
    }
  }
  return out;
}

// The chosen of `replicas` equal parts of `bytes`.
std::vector<std::byte> chosen_parts(const std::byte* bytes, std::size_t each, const std::vector<std::int64_t>& chosen) {
  std::vector<std::byte> out;
  for (const std::int64_t r : chosen) {
    const std::byte* begin = bytes + static_cast<std::size_t>(r) * each;
    out.insert(out.end(), begin, begin + each);
  }
  return out;
}

// A flat array of all parameters (weights, moments) of fewer replicas.
NamedTensor chosen_of_flat(const NamedTensor& flat, const Network& network, std::int64_t replicas,
                           const std::vector<std::int64_t>& chosen) {
  const std::int64_t element = size_of(flat.dtype);
  const FlatLayout from = flat_layout(network, replicas),
                   to = flat_layout(network, static_cast<std::int64_t>(chosen.size()));
  if (flat.shape != std::vector<std::int64_t>{from.size})
    throw InputError("checkpoint: tensor '" + flat.name + "' is not of this network");
  NamedTensor out = {
      flat.name, flat.dtype, {to.size}, std::vector<std::byte>(static_cast<std::size_t>(to.size * element))};
  for (std::size_t i = 0; i < network.parameters().size(); ++i) {
    const auto each = static_cast<std::size_t>(network.parameters()[i].size * element);
    const std::vector<std::byte> part = chosen_parts(flat.bytes.data() + from.offsets[i] * element, each, chosen);
    std::copy(part.begin(), part.end(), out.bytes.begin() + to.offsets[i] * element);
  }
  return out;
}

// One lane of all replicas: every tensor is either one value a replica or a flat array of all parameters.
std::vector<NamedTensor> chosen_of_lane(const std::vector<NamedTensor>& all, const Network& network,
                                        std::int64_t replicas, const std::vector<std::int64_t>& chosen) {
  std::vector<NamedTensor> out;
  for (const NamedTensor& t : all) {
    if (!starts_with(t.name, kOnlyLane)) throw InputError("checkpoint: unexpected tensor '" + t.name + "'");
    if (t.shape == std::vector<std::int64_t>{replicas}) {
      const std::size_t each = t.bytes.size() / static_cast<std::size_t>(replicas);
      out.push_back(
          {t.name, t.dtype, {static_cast<std::int64_t>(chosen.size())}, chosen_parts(t.bytes.data(), each, chosen)});
    } else {
      out.push_back(chosen_of_flat(t, network, replicas, chosen));
    }
  }
  return out;
}

// How many replicas a rank's lane has: every one has a step.
std::int64_t replicas_of(const std::vector<NamedTensor>& part) {
  const std::string name = std::string(kOnlyLane) + "step";
  const auto step = std::find_if(part.begin(), part.end(), [&](const NamedTensor& t) { return t.name == name; });
  if (step == part.end() || step->shape.size() != 1)
    throw InputError("state: a rank's lane has no tensor '" + name + "'");
  return step->shape[0];
}

// The lane of one rank of several.
struct RankLane {
  const std::vector<NamedTensor>* tensors;
  std::int64_t replicas, before;  // its own, and those of the ranks before
  FlatLayout layout;
};

// Copies a rank's part of a tensor to where it lies in that of all replicas: a flat array where `whole` lays one out,
// else one value a replica.
void put_in_place(NamedTensor& all, const NamedTensor& part, const RankLane& rank, const FlatLayout* whole,
                  const Network& network) {
  const std::int64_t element = size_of(all.dtype);
  if (!whole) {
    std::copy(part.bytes.begin(), part.bytes.end(), all.bytes.begin() + rank.before * element);
    return;
  }
  for (std::size_t i = 0; i < network.parameters().size(); ++i) {
    const std::int64_t each = network.parameters()[i].size * element;
    const std::byte* begin = part.bytes.data() + rank.layout.offsets[i] * element;
    std::copy(begin, begin + rank.replicas * each, all.bytes.data() + whole->offsets[i] * element + rank.before * each);
  }
}

}  // namespace

Trainer::State state_of_replicas(const Trainer::State& state, const Network& network,
                                 const std::vector<std::int64_t>& chosen) {
  Trainer::State out;
  try {
    nlohmann::json json = nlohmann::json::parse(state.json);
    const auto replicas = json.at("replicas").get<std::int64_t>(), lanes = json.at("lanes").get<std::int64_t>();
    if (chosen.empty() || chosen.front() < 0 || chosen.back() >= replicas)
      throw InputError("checkpoint: it holds " + std::to_string(replicas) + " replicas, others were asked for");
    std::map<std::int64_t, std::int64_t> place;
    nlohmann::json progress = nlohmann::json::array(), history = nlohmann::json::array();
    for (const std::int64_t r : chosen) {
      progress.push_back(json.at("progress").at(static_cast<std::size_t>(r)));
      place.emplace(r, static_cast<std::int64_t>(place.size()));
    }
    for (nlohmann::json& line : json.at("history")) {
      const auto found = place.find(line.at("replica").get<std::int64_t>());
      if (found == place.end()) continue;
      line["replica"] = found->second;
      history.push_back(std::move(line));
    }
    out.tensors = lanes == replicas ? chosen_lanes(state.tensors, chosen)
                                    : chosen_of_lane(state.tensors, network, replicas, chosen);
    json["lanes"] = lanes == replicas ? chosen.size() : 1;
    json["replicas"] = chosen.size();
    json["progress"] = std::move(progress);
    json["history"] = std::move(history);
    out.json = json.dump();
  } catch (const nlohmann::json::exception& e) {
    throw InputError(std::string("checkpoint: its description is damaged: ") + e.what());
  }
  return out;
}

std::vector<NamedTensor> in_one_list(std::vector<std::vector<NamedTensor>> parts) {
  std::vector<NamedTensor> all;
  for (std::vector<NamedTensor>& part : parts)
    all.insert(all.end(), std::make_move_iterator(part.begin()), std::make_move_iterator(part.end()));
  return all;
}

std::vector<NamedTensor> joined_lane(const std::vector<std::vector<NamedTensor>>& parts, const Network& network) {
  std::vector<RankLane> ranks;
  std::int64_t replicas = 0;
  for (const auto& part : parts) {
    if (part.empty()) continue;
    ranks.push_back({&part, replicas_of(part), replicas, flat_layout(network, replicas_of(part))});
    replicas += ranks.back().replicas;
  }
  if (ranks.empty()) return {};
  const FlatLayout whole = flat_layout(network, replicas);
  std::vector<NamedTensor> all = *ranks.front().tensors;
  for (std::size_t t = 0; t < all.size(); ++t) {
    const bool flat = all[t].shape == std::vector<std::int64_t>{ranks.front().layout.size};
    all[t].shape = {flat ? whole.size : replicas};
    all[t].bytes.assign(static_cast<std::size_t>(all[t].shape[0] * size_of(all[t].dtype)), std::byte{0});
    for (const RankLane& rank : ranks) {
      const NamedTensor& part = rank.tensors->at(t);
      if (part.name != all[t].name || part.shape != std::vector<std::int64_t>{flat ? rank.layout.size : rank.replicas})
        throw InputError("state: tensor '" + part.name + "' of a rank does not match '" + all[t].name + "' of another");
      put_in_place(all[t], part, rank, flat ? &whole : nullptr, network);
    }
  }
  return all;
}

}  // namespace genexx
