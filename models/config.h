// SPDX-License-Identifier: Apache-2.0
// Configurations are plain structs with one visit function that names every field once; reading, strict checking,
// defaults, printing and help all come from it.
//   template <class V> void visit(V& v) { v.field("train.batch", batch, "rows of a step"); ... }
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "engine/error.h"

namespace genexx {

// The name of `known` closest to `name` by edit distance; for error messages.
std::string nearest_name(const std::string& name, const std::vector<std::string>& known);

// "train.batch" of {"train": {"batch": 3}}; null when absent.
const nlohmann::json* find_dotted(const nlohmann::json& json, const std::string& key);
void set_dotted(nlohmann::json& json, const std::string& key, nlohmann::json value);

// Names of all leaves of a nested object, dotted; an empty group as "name.".
std::vector<std::string> dotted_keys(const nlohmann::json& json);

// Parses the value of --set KEY=VALUE: a number, true, false, null or a list where it reads as one, else text. Throws
// UsageError when there is no '='.
std::pair<std::string, nlohmann::json> parse_setting(const std::string& text);

namespace config_detail {

struct Writer {
  nlohmann::json json = nlohmann::json::object();
  template <class T>
  void field(const char* key, T& value, const char*) {
    set_dotted(json, key, value);
  }
  void choice(const char* key, std::string& value, const std::vector<std::string>&, const char*) {
    set_dotted(json, key, value);
  }
};

struct Reader {
  const nlohmann::json& json;
  std::vector<std::string> known = {};
  template <class T>
  void field(const char* key, T& value, const char*) {
    known.emplace_back(key);
    const nlohmann::json* found = find_dotted(json, key);
    if (!found) return;
    if (!fits(value, *found))
      throw UsageError(std::string("configuration: ") + key + " is " + found->dump() + ", expected " + kind<T>());
    value = found->get<T>();
  }
  void choice(const char* key, std::string& value, const std::vector<std::string>& allowed, const char* help) {
    field(key, value, help);
    if (std::find(allowed.begin(), allowed.end(), value) != allowed.end()) return;
    std::string list;
    for (const std::string& a : allowed) list += (list.empty() ? "" : ", ") + a;
    throw UsageError(std::string("configuration: ") + key + " is '" + value + "', expected one of " + list);
  }
  template <class T>
  static bool fits(const T&, const nlohmann::json& json) {
    return std::is_same_v<T, std::string> ? json.is_string()
           : std::is_same_v<T, bool>      ? json.is_boolean()
           : std::is_integral_v<T>        ? json.is_number_integer()
                                          : json.is_number();
  }
  template <class T>
  static bool fits(const std::vector<T>&, const nlohmann::json& json) {
    return json.is_array() &&
           std::all_of(json.begin(), json.end(), [](const nlohmann::json& one) { return fits(T(), one); });
  }
  template <class T>
  static const char* kind() {
    if (std::is_same_v<T, std::string>) return "text";
    if (std::is_same_v<T, bool>) return "true or false";
    if (std::is_same_v<T, std::vector<std::string>>) return "a list of texts, [\"a\", \"b\"]";
    if (std::is_same_v<T, std::vector<std::int64_t>>) return "a list of whole numbers, [512, 256]";
    if (std::is_same_v<T, std::vector<double>>) return "a list of numbers, [0.1, 0.2]";
    return std::is_integral_v<T> ? "a whole number" : "a number";
  }
};

}  // namespace config_detail

// The configuration as a nested JSON object.
template <class Config>
nlohmann::json to_json_config(Config config) {
  config_detail::Writer writer;
  config.visit(writer);
  return std::move(writer.json);
}

// Replaces the fields that `json` names. Throws UsageError for an unknown key, naming the nearest known one, and for a
// value of the wrong kind.
template <class Config>
void apply_json(Config& config, const nlohmann::json& json) {
  config_detail::Reader reader{json};
  config.visit(reader);
  const auto known = [&](const std::string& key) {
    return std::any_of(reader.known.begin(), reader.known.end(), [&](const std::string& name) {
      return name == key || (key.back() == '.' && name.compare(0, key.size(), key) == 0);
    });
  };
  for (const std::string& key : dotted_keys(json))
    if (key.empty() || !known(key))
      throw UsageError("configuration: there is no key '" + key + "'; did you mean '" +
                       nearest_name(key, reader.known) + "'?");
}

}  // namespace genexx
