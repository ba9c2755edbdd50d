// SPDX-License-Identifier: Apache-2.0
#include "models/config.h"

#include <numeric>

namespace genexx {
namespace {

// Levenshtein's distance, row by row.
std::size_t edit_distance(const std::string& a, const std::string& b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i + 1;
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row.back();
}

void collect(const nlohmann::json& json, const std::string& prefix, std::vector<std::string>& keys) {
  for (const auto& [name, value] : json.items()) {
    const std::string key = prefix.empty() ? name : prefix + "." + name;
    if (value.is_object() && !value.empty()) {
      collect(value, key, keys);
    } else if (value.is_object()) {
      keys.push_back(key + ".");
    } else {
      keys.push_back(key);
    }
  }
}

}  // namespace

std::string nearest_name(const std::string& name, const std::vector<std::string>& known) {
  std::string best;
  std::size_t distance = static_cast<std::size_t>(-1);
  for (const std::string& candidate : known) {
    const std::size_t d = edit_distance(name, candidate);
    if (d < distance) {
      distance = d;
      best = candidate;
    }
  }
  return best;
}

const nlohmann::json* find_dotted(const nlohmann::json& json, const std::string& key) {
  const nlohmann::json* at = &json;
  std::size_t begin = 0;
  while (begin <= key.size()) {
    const std::size_t dot = std::min(key.find('.', begin), key.size());
    const auto found = at->find(key.substr(begin, dot - begin));
    if (found == at->end()) return nullptr;
    at = &*found;
    begin = dot + 1;
  }
  return at;
}

void set_dotted(nlohmann::json& json, const std::string& key, nlohmann::json value) {
  nlohmann::json* at = &json;
  std::size_t begin = 0;
  for (std::size_t dot = key.find('.'); dot != std::string::npos; dot = key.find('.', begin)) {
    at = &(*at)[key.substr(begin, dot - begin)];
    if (at->is_null()) *at = nlohmann::json::object();
    if (!at->is_object())
      throw UsageError("configuration: '" + key.substr(0, dot) + "' is a value, not a group of keys");
    begin = dot + 1;
  }
  (*at)[key.substr(begin)] = std::move(value);
}

std::vector<std::string> dotted_keys(const nlohmann::json& json) {
  if (!json.is_object())
    throw UsageError("configuration: it is " + std::string(json.type_name()) + ", expected an object");
  std::vector<std::string> keys;
  collect(json, "", keys);
  return keys;
}

std::pair<std::string, nlohmann::json> parse_setting(const std::string& text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string::npos || equals == 0)
    throw UsageError("--set " + text + ": expected key=value, for instance --set train.epochs=50");
  const std::string value = text.substr(equals + 1);
  const nlohmann::json parsed = nlohmann::json::parse(value, nullptr, false);
  const bool literal = parsed.is_number() || parsed.is_boolean() || parsed.is_null() || parsed.is_array();
  return {text.substr(0, equals), literal ? parsed : nlohmann::json(value)};
}

}  // namespace genexx
