// SPDX-License-Identifier: Apache-2.0
#include "bench/training/case_file.h"

#include <algorithm>
#include <cstdint>
#include <fstream>

#include <nlohmann/json.hpp>

#include "engine/error.h"

namespace genexx::bench {
namespace {

// Safetensors names of types, from the README of the format.
const std::vector<std::pair<DType, std::string>>& type_names() {
  static const std::vector<std::pair<DType, std::string>> names = {
      {DType::f64, "F64"}, {DType::f32, "F32"}, {DType::i64, "I64"}, {DType::i32, "I32"}};
  return names;
}

std::string type_name(DType type) {
  for (const auto& [dtype, name] : type_names())
    if (dtype == type) return name;
  throw UsageError("a case file holds f64, f32, i64 and i32 only");
}

DType type_of(const std::string& name, const std::string& path) {
  for (const auto& [dtype, known] : type_names())
    if (known == name) return dtype;
  throw InputError(path + ": a tensor of type " + name + ", expected F64, F32, I64 or I32");
}

auto find(const std::vector<NamedTensor>& tensors, const std::string& name) {
  return std::find_if(tensors.begin(), tensors.end(), [&](const NamedTensor& t) { return t.name == name; });
}

}  // namespace

bool CaseFile::has(const std::string& name) const { return find(tensors, name) != tensors.end(); }

const NamedTensor& CaseFile::at(const std::string& name) const {
  const auto found = find(tensors, name);
  if (found == tensors.end()) throw InputError("the case file has no tensor '" + name + "'");
  return *found;
}

void write_case_file(const std::string& path, const CaseFile& file) {
  nlohmann::json header;
  std::size_t offset = 0;
  for (const NamedTensor& t : file.tensors) {
    header[t.name] = {
        {"dtype", type_name(t.dtype)}, {"shape", t.shape}, {"data_offsets", {offset, offset + t.bytes.size()}}};
    offset += t.bytes.size();
  }
  header["__metadata__"] = file.sizes;
  std::string text = header.dump();
  text.resize((text.size() + 7) / 8 * 8, ' ');  // so that the bytes behind it are aligned
  const std::uint64_t length = text.size();
  std::ofstream out(path, std::ios::binary);
  out.write(reinterpret_cast<const char*>(&length), sizeof length);
  out.write(text.data(), static_cast<std::streamsize>(text.size()));
  for (const NamedTensor& t : file.tensors)
    out.write(reinterpret_cast<const char*>(t.bytes.data()), static_cast<std::streamsize>(t.bytes.size()));
  if (!out.flush()) throw RuntimeError(path + ": cannot be written");
}

CaseFile read_case_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::uint64_t length = 0;
  in.read(reinterpret_cast<char*>(&length), sizeof length);
  if (!in || length > (std::uint64_t{16} << 20)) throw InputError(path + ": not a case file of bench_training_step");
  std::string text(length, ' ');
  in.read(text.data(), static_cast<std::streamsize>(length));
  CaseFile file;
  try {
    const nlohmann::json header = nlohmann::json::parse(text);
    for (const auto& [name, entry] : header.items()) {
      if (name == "__metadata__") {
        file.sizes = entry.get<std::map<std::string, std::string>>();
        continue;
      }
      NamedTensor t = {name, type_of(entry.at("dtype"), path), entry.at("shape"), {}};
      const std::uint64_t begin = entry.at("data_offsets").at(0), end = entry.at("data_offsets").at(1);
      t.bytes.resize(end - begin);
      in.seekg(static_cast<std::streamoff>(8 + length + begin));
      in.read(reinterpret_cast<char*>(t.bytes.data()), static_cast<std::streamsize>(t.bytes.size()));
      file.tensors.push_back(std::move(t));
    }
  } catch (const nlohmann::json::exception& error) {
    throw InputError(path + ": not a case file of bench_training_step: " + error.what());
  }
  if (!in) throw InputError(path + ": ends too early for the tensors its header names");
  return file;
}

}  // namespace genexx::bench
