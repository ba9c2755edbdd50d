// SPDX-License-Identifier: Apache-2.0
#include "io/safetensors.h"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <set>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "engine/error.h"
#include "io/atomic_file.h"
#include "io/binary_file.h"

static_assert(std::endian::native == std::endian::little, "safetensors is little-endian and so is this code");

namespace genexx {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kMetadataKey = "__metadata__";
constexpr std::int64_t kLengthBytes = 8;
constexpr std::array<std::pair<DType, const char*>, 6> kTypes = {{{DType::f64, "F64"},
                                                                  {DType::f32, "F32"},
                                                                  {DType::bf16, "BF16"},
                                                                  {DType::i64, "I64"},
                                                                  {DType::i32, "I32"},
                                                                  {DType::u8, "U8"}}};

const char* type_name(DType type) {
  for (const auto& known : kTypes) {
    if (known.first == type) return known.second;
  }
  return "?";
}

struct Entry {
  NamedTensor tensor;  // without its bytes
  std::int64_t begin = 0, end = 0;
};

struct Header {
  std::vector<Entry> entries;  // by offset
  Metadata metadata;           // with the checksums
  std::int64_t buffer_begin = 0;
};

// --- checksums ---

std::uint32_t crc(std::uint32_t start, const void* data, std::size_t bytes) {
  const auto* from = static_cast<const unsigned char*>(data);
  unsigned long sum = start;
  for (std::size_t done = 0; done < bytes;) {
    const std::size_t part = std::min<std::size_t>(bytes - done, std::size_t{1} << 30);
    sum = ::crc32(sum, from + done, static_cast<unsigned>(part));
    done += part;
  }
  return static_cast<std::uint32_t>(sum);
}

std::uint32_t crc(std::uint32_t start, const std::string& text) { return crc(start, text.data(), text.size() + 1); }

std::string tensor_checksum(const NamedTensor& tensor) {
  std::uint32_t sum = crc(0, tensor.name);
  sum = crc(sum, std::string(type_name(tensor.dtype)));
  sum = crc(sum, tensor.shape.data(), tensor.shape.size() * sizeof(std::int64_t));
  return fmt::format("{:08x}", crc(sum, tensor.bytes.data(), tensor.bytes.size()));
}

std::string metadata_checksum(const Metadata& metadata) {
  std::uint32_t sum = 0;
  for (const auto& pair : metadata) {
    if (pair.first != kChecksumKey) sum = crc(crc(sum, pair.first), pair.second);
  }
  return fmt::format("{:08x}", sum);
}

Json parse_checksums(const std::string& path, const Metadata& metadata) {
  const Json sums = Json::parse(metadata.at(kChecksumKey), nullptr, false);
  if (!sums.is_object() || !sums.contains("metadata") || !sums.contains("tensors")) {
    throw InputError(fmt::format("{}: the checksums are damaged; copy the file again", path));
  }
  return sums;
}

// Null where the file has none and that is accepted.
Json checked_metadata(const std::string& path, const Metadata& metadata, Checksums checksums) {
  if (metadata.count(kChecksumKey) == 0) {
    if (checksums == Checksums::if_present) return nullptr;
    throw InputError(fmt::format("{} has no checksums; it was not written by this program or is damaged", path));
  }
  const Json sums = parse_checksums(path, metadata);
  if (sums["metadata"] != metadata_checksum(metadata)) {
    throw InputError(
        fmt::format("{}: the metadata differ from their checksum; the file is damaged, copy it again", path));
  }
  return sums;
}

void check_tensor(const std::string& path, const NamedTensor& tensor, const Json& sums) {
  if (sums.is_null()) return;
  const Json& tensors = sums["tensors"];
  const auto found = tensors.find(tensor.name);
  if (found == tensors.end() || *found != tensor_checksum(tensor)) {
    throw InputError(fmt::format("{}: tensor '{}' differs from its checksum; the file is damaged, copy it again", path,
                                 tensor.name));
  }
}

// --- reading the header ---

[[noreturn]] void fail(const std::string& path, const std::string& message) {
  throw InputError(fmt::format("{}: {}; is it a whole safetensors file?", path, message));
}

// Refuses repeated keys and deep nesting while parsing; a plain parse would keep one of the repeated silently.
Json parse_header(const std::string& path, const std::string& text) {
  std::vector<std::set<std::string>> keys;
  const auto watch = [&](int depth, Json::parse_event_t event, Json& parsed) {
    if (depth > 4) fail(path, "the header is nested too deep");
    if (event == Json::parse_event_t::object_start) keys.emplace_back();
    if (event == Json::parse_event_t::object_end) keys.pop_back();
    if (event == Json::parse_event_t::key && !keys.back().insert(parsed.get<std::string>()).second) {
      fail(path, fmt::format("the header has the key '{}' twice", parsed.get<std::string>()));
    }
    return true;
  };
  try {
    return Json::parse(text, watch);
  } catch (const Json::exception& error) {
    fail(path, fmt::format("the header is not JSON ({})", error.what()));
  }
}

std::int64_t whole_number(const std::string& path, const std::string& where, const Json& value) {
  if (!value.is_number_unsigned() || value.get<std::uint64_t>() > std::uint64_t{1} << 62) {
    fail(path, fmt::format("{} holds {}, expected a whole number from 0", where, value.dump().substr(0, 40)));
  }
  return value.get<std::int64_t>();
}

std::int64_t checked_bytes(const std::string& path, const NamedTensor& tensor) {
  std::int64_t bytes = size_of(tensor.dtype);
  for (const std::int64_t extent : tensor.shape) {
    if (__builtin_mul_overflow(bytes, extent, &bytes)) {
      fail(path, fmt::format("tensor '{}' has the shape [{}], more than any file holds", tensor.name,
                             fmt::join(tensor.shape, ", ")));
    }
  }
  return bytes;
}

Entry read_entry(const std::string& path, const std::string& name, const Json& json) {
  const std::string where = fmt::format("tensor '{}'", name);
  if (!json.is_object() || json.size() != 3 || !json.contains("dtype") || !json.contains("shape") ||
      !json.contains("data_offsets") || !json["dtype"].is_string() || !json["shape"].is_array() ||
      !json["data_offsets"].is_array() || json["data_offsets"].size() != 2) {
    fail(path, where + " lacks dtype, shape or data_offsets, or has more than these");
  }
  Entry entry;
  entry.tensor.name = name;
  const std::string type = json["dtype"].get<std::string>();
  const auto known = std::find_if(kTypes.begin(), kTypes.end(), [&](const auto& t) { return type == t.second; });
  if (known == kTypes.end()) {
    fail(path, fmt::format("{} has the type '{}', expected F64, F32, BF16, I64, I32 or U8", where, type.substr(0, 40)));
  }
  entry.tensor.dtype = known->first;
  for (const Json& extent : json["shape"]) {
    entry.tensor.shape.push_back(whole_number(path, where + " shape", extent));
  }
  entry.begin = whole_number(path, where + " data_offsets", json["data_offsets"][0]);
  entry.end = whole_number(path, where + " data_offsets", json["data_offsets"][1]);
  const std::int64_t bytes = checked_bytes(path, entry.tensor);
  if (entry.end < entry.begin || entry.end - entry.begin != bytes) {
    fail(path, fmt::format("{} has the offsets [{}, {}), but its shape [{}] of {} needs {} bytes", where, entry.begin,
                           entry.end, fmt::join(entry.tensor.shape, ", "), type, bytes));
  }
  return entry;
}

void read_metadata(const std::string& path, const Json& json, Metadata& metadata) {
  if (!json.is_object()) fail(path, "__metadata__ is not an object");
  for (const auto& item : json.items()) {
    if (!item.value().is_string()) fail(path, fmt::format("metadata '{}' is not a string", item.key()));
    metadata[item.key()] = item.value().get<std::string>();
  }
}

// The bytes of the tensors must be the whole buffer, each byte once.
void check_cover(const std::string& path, const std::vector<Entry>& entries, std::int64_t buffer_bytes) {
  std::int64_t covered = 0;
  for (const Entry& entry : entries) {
    if (entry.begin != covered) {
      fail(path, fmt::format("tensor '{}' begins at {}, expected {}: the buffer has {}", entry.tensor.name, entry.begin,
                             covered, entry.begin > covered ? "a gap" : "an overlap"));
    }
    covered = entry.end;
  }
  if (covered != buffer_bytes) {
    fail(path, fmt::format("the tensors need {} bytes, the file has {} for them", covered, buffer_bytes));
  }
}

Header read_header(const BinaryFile& file) {
  const std::string& path = file.path();
  if (file.size() < kLengthBytes) fail(path, fmt::format("{} bytes are too few", file.size()));
  std::uint64_t length = 0;
  file.read(&length, 0, kLengthBytes);
  if (length > static_cast<std::uint64_t>(kMaximumSafetensorsHeader)) {
    fail(path, fmt::format("the header is said to be {} bytes long, at most {} are accepted", length,
                           kMaximumSafetensorsHeader));
  }
  const auto header_bytes = static_cast<std::int64_t>(length);
  if (header_bytes > file.size() - kLengthBytes) {
    fail(path, fmt::format("the header is said to be {} bytes long, {} are there", length, file.size() - kLengthBytes));
  }
  std::string text(static_cast<std::size_t>(header_bytes), '\0');
  file.read(text.data(), kLengthBytes, header_bytes);
  if (text.empty() || text.front() != '{') fail(path, "the header does not begin with '{'");
  const Json json = parse_header(path, text);
  Header header;
  header.buffer_begin = kLengthBytes + header_bytes;
  for (const auto& item : json.items()) {
    if (item.key() == kMetadataKey) {
      read_metadata(path, item.value(), header.metadata);
    } else {
      header.entries.push_back(read_entry(path, item.key(), item.value()));
    }
  }
  std::stable_sort(header.entries.begin(), header.entries.end(), [](const Entry& a, const Entry& b) {
    return a.begin != b.begin ? a.begin < b.begin : a.end < b.end;
  });
  check_cover(path, header.entries, file.size() - header.buffer_begin);
  return header;
}

// --- writing ---

std::string header_text(const SafetensorsFile& file) {
  Json tensors = Json::object();
  Json sums = Json::object();
  std::int64_t offset = 0;
  for (const NamedTensor& tensor : file.tensors) {
    std::int64_t expected = size_of(tensor.dtype);
    for (const std::int64_t extent : tensor.shape) expected *= extent;
    const auto bytes = static_cast<std::int64_t>(tensor.bytes.size());
    if (bytes != expected) {
      throw UsageError(fmt::format("tensor '{}' has {} bytes, its shape [{}] of {} needs {}", tensor.name, bytes,
                                   fmt::join(tensor.shape, ", "), name_of(tensor.dtype), expected));
    }
    if (tensor.name == kMetadataKey || tensors.contains(tensor.name)) {
      throw UsageError(fmt::format("tensor name '{}' is reserved or used twice", tensor.name));
    }
    Json entry;
    entry["dtype"] = type_name(tensor.dtype);
    entry["shape"] = tensor.shape;
    entry["data_offsets"] = {offset, offset + bytes};
    tensors[tensor.name] = std::move(entry);
    sums[tensor.name] = tensor_checksum(tensor);
    offset += bytes;
  }
  Json checksums;
  checksums["metadata"] = metadata_checksum(file.metadata);
  checksums["tensors"] = std::move(sums);
  Json header = Json::object();
  try {
    header[kMetadataKey] = file.metadata;
    header[kMetadataKey][kChecksumKey] = checksums.dump();
    header.update(tensors);
    return header.dump();
  } catch (const Json::exception& error) {
    throw UsageError(fmt::format("tensor names and metadata must be UTF-8 text ({})", error.what()));
  }
}

}  // namespace

void write_safetensors(const std::string& path, const SafetensorsFile& file) {
  std::string header = header_text(file);
  header.resize((header.size() + 7) / 8 * 8, ' ');
  if (static_cast<std::int64_t>(header.size()) > kMaximumSafetensorsHeader) {
    throw UsageError(
        fmt::format("the header of {} would be {} bytes long, at most {} are accepted; store long lists as "
                    "tensors",
                    path, header.size(), kMaximumSafetensorsHeader));
  }
  const auto length = static_cast<std::uint64_t>(header.size());
  AtomicFile out(path);
  out.write(&length, sizeof(length));
  out.write(header);
  for (const NamedTensor& tensor : file.tensors) out.write(tensor.bytes.data(), tensor.bytes.size());
  out.commit();
}

SafetensorsFile read_safetensors(const std::string& path, Checksums checksums) {
  const BinaryFile in(path);
  Header header = read_header(in);
  const Json sums = checked_metadata(path, header.metadata, checksums);
  SafetensorsFile file;
  for (Entry& entry : header.entries) {
    entry.tensor.bytes.resize(static_cast<std::size_t>(entry.end - entry.begin));
    in.read(entry.tensor.bytes.data(), header.buffer_begin + entry.begin, entry.end - entry.begin);
    check_tensor(path, entry.tensor, sums);
    file.tensors.push_back(std::move(entry.tensor));
  }
  if (!sums.is_null() && sums["tensors"].size() != file.tensors.size()) {
    throw InputError(fmt::format("{} has {} tensors, its checksums name {}; the file is damaged, copy it again", path,
                                 file.tensors.size(), sums["tensors"].size()));
  }
  header.metadata.erase(kChecksumKey);
  file.metadata = std::move(header.metadata);
  return file;
}

Metadata read_safetensors_metadata(const std::string& path, Checksums checksums) {
  Header header = read_header(BinaryFile(path));
  checked_metadata(path, header.metadata, checksums);
  header.metadata.erase(kChecksumKey);
  return std::move(header.metadata);
}

}  // namespace genexx
