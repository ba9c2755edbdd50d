// SPDX-License-Identifier: Apache-2.0
#include "io/scope_clusterings.h"

#include <zlib.h>

#include <cstdint>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "io/hdf5_attributes.h"
#include "io/hdf5_compound.h"
#include "io/hdf5_values.h"

namespace genexx {
namespace {

constexpr std::size_t kMostTextBytes = std::size_t{64} << 20;
constexpr int kZlibOrGzip = 15 + 32;  // of inflateInit2: the largest window, the header told by itself

// Throws std::runtime_error for what is no base64.
std::string decode_base64(const std::string& text) {
  std::string bytes;
  std::uint32_t word = 0;
  int bits = 0;
  for (const char c : text) {
    if (c == '=' || c == '\n' || c == '\r') continue;
    const int value = c >= 'A' && c <= 'Z'   ? c - 'A'
                      : c >= 'a' && c <= 'z' ? c - 'a' + 26
                      : c >= '0' && c <= '9' ? c - '0' + 52
                      : c == '+'             ? 62
                      : c == '/'             ? 63
                                             : -1;
    if (value < 0) throw std::runtime_error("it is neither JSON nor base64");
    word = word << 6 | static_cast<std::uint32_t>(value);
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    bytes += static_cast<char>(word >> bits & 0xFF);
  }
  return bytes;
}

// Throws std::runtime_error for what was not deflated, is cut off or grows beyond kMostTextBytes.
std::string inflated(std::string bytes) {
  z_stream stream{};
  if (inflateInit2(&stream, kZlibOrGzip) != Z_OK) throw std::runtime_error("zlib cannot start");
  stream.next_in = reinterpret_cast<Bytef*>(bytes.data());
  stream.avail_in = static_cast<uInt>(bytes.size());
  std::string text;
  int status = Z_OK;
  while (status == Z_OK && text.size() <= kMostTextBytes) {
    char block[1 << 14];
    stream.next_out = reinterpret_cast<Bytef*>(block);
    stream.avail_out = sizeof block;
    status = inflate(&stream, Z_NO_FLUSH);
    text.append(block, sizeof block - stream.avail_out);
  }
  inflateEnd(&stream);
  if (status != Z_STREAM_END) throw std::runtime_error("its deflated text is damaged or too long");
  return text;
}

std::string metadata_text(const hdf5::Node& root) {
  if (const auto text = hdf5::string_attribute(root, "MetaData")) return *text;
  if (!root.has("attrs/MetaData")) return "";
  const Strings stored = hdf5::read_strings(root.open_dataset("attrs/MetaData"));
  return stored.empty() ? "" : stored.front();
}

// What the file tells of a clustering.
struct Clustering {
  std::string name;
  std::map<std::int64_t, std::string> descriptions;  // of its clusters
};

// By id. Throws what the JSON library and the functions above throw.
std::map<std::string, Clustering> described_clusterings(const std::string& text) {
  std::map<std::string, Clustering> found;
  if (text.empty()) return found;
  const bool is_plain = text.find('{') != std::string::npos;  // no letter of base64
  const nlohmann::json metadata = nlohmann::json::parse(is_plain ? text : inflated(decode_base64(text)));
  for (const nlohmann::json& c : metadata.value("clusterings", nlohmann::json::array())) {
    Clustering& clustering = found[std::to_string(c.at("id").get<std::int64_t>())];
    clustering.name = c.value("name", "");
    for (const nlohmann::json& cluster : c.value("clusters", nlohmann::json::array()))
      clustering.descriptions[cluster.at("id").get<std::int64_t>()] = cluster.value("description", "");
  }
  return found;
}

// The descriptions of the clusters, or nullopt where one in use has none.
std::optional<Strings> described(const std::vector<double>& ids, const Clustering& clustering) {
  Strings names;
  for (const double id : ids) {
    const auto found = clustering.descriptions.find(static_cast<std::int64_t>(id));
    if (found == clustering.descriptions.end() || found->second.empty()) return std::nullopt;
    names.push_back(found->second);
  }
  return names;
}

}  // namespace

void append_scope_clusterings(const hdf5::Node& root, const hdf5::Node& clusterings, ObsTable& table) {
  std::map<std::string, Clustering> told;
  try {
    told = described_clusterings(metadata_text(root));
  } catch (const std::exception& error) {
    table.unread.push_back({"MetaData", error.what(), root.place()});
  }
  for (const hdf5::CompoundField& field : hdf5::compound_fields(clusterings)) {
    const Clustering clustering = told.count(field.name) ? told.at(field.name) : Clustering();
    const std::string name = "Clusterings/" + (clustering.name.empty() ? field.name : clustering.name);
    if (!field.type.is_integer() || table.find(name)) {
      table.unread.push_back({name,
                              field.type.is_integer() ? "another clustering has that name"
                                                      : "its clusters are of type " + hdf5::dtype_name(field.type),
                              clusterings.place()});
      continue;
    }
    std::vector<double> ids = hdf5::read_field_numbers(clusterings, field);
    if (std::optional<Strings> names = described(ids, clustering))
      table.columns.push_back({name, std::move(*names)});
    else
      table.columns.push_back({name, Numbers{std::move(ids), NumberKind::integer}});
  }
}

}  // namespace genexx
