// SPDX-License-Identifier: Apache-2.0
#include "io/onnx.h"

#include <cstring>

#include <fmt/format.h>

#include "engine/error.h"
#include "engine/version.h"
#include "io/atomic_file.h"

namespace genexx {
namespace {

constexpr std::int64_t kIrVersion = 7, kOperatorSet = 13;
constexpr std::int64_t kMostBytes = (std::int64_t{1} << 31) - 1;
constexpr int kFloatType = 1, kInt64Type = 7;                              // TensorProto.DataType
constexpr int kFloatAttribute = 1, kIntAttribute = 2, kIntsAttribute = 7;  // AttributeProto.AttributeType

// A protocol buffer message being built. Fields are numbered as in onnx.proto.
class Message {
 public:
  void number(int field, std::int64_t value) {
    tag(field, 0);
    varint(static_cast<std::uint64_t>(value));
  }
  void real(int field, float value) {
    tag(field, 5);
    char raw[4];
    std::memcpy(raw, &value, 4);
    bytes_.append(raw, 4);
  }
  void text(int field, const std::string& value) {
    length(field, value.size());
    bytes_ += value;
  }
  void message(int field, const Message& m) { text(field, m.bytes_); }
  // Tag and length of a field whose bytes follow from elsewhere.
  void length(int field, std::uint64_t bytes) {
    tag(field, 2);
    varint(bytes);
  }
  const std::string& bytes() const { return bytes_; }

 private:
  void tag(int field, int wire_type) {
    varint(static_cast<std::uint64_t>(field) << 3 | static_cast<unsigned>(wire_type));
  }
  void varint(std::uint64_t value) {
    for (; value >= 0x80; value >>= 7) bytes_ += static_cast<char>((value & 0x7F) | 0x80);
    bytes_ += static_cast<char>(value);
  }
  std::string bytes_;
};

Message attribute(const OnnxAttribute& a) {
  Message m;
  m.text(1, a.name);
  if (const auto* number = std::get_if<std::int64_t>(&a.value)) {
    m.number(3, *number);
    m.number(20, kIntAttribute);
  } else if (const auto* real = std::get_if<float>(&a.value)) {
    m.real(2, *real);
    m.number(20, kFloatAttribute);
  } else {
    for (const std::int64_t number_of_list : std::get<std::vector<std::int64_t>>(a.value)) m.number(8, number_of_list);
    m.number(20, kIntsAttribute);
  }
  return m;
}

Message node(const OnnxNode& n) {
  Message m;
  for (const std::string& name : n.inputs) m.text(1, name);
  for (const std::string& name : n.outputs) m.text(2, name);
  m.text(3, n.outputs.front());
  m.text(4, n.op);
  for (const OnnxAttribute& a : n.attributes) m.message(5, attribute(a));
  return m;
}

Message value(const OnnxValue& v) {
  Message shape;
  for (const std::int64_t size : v.shape) {
    Message dimension;
    if (size < 0) {
      dimension.text(2, v.open_name);
    } else {
      dimension.number(1, size);
    }
    shape.message(1, dimension);
  }
  Message tensor, type, m;
  tensor.number(1, kFloatType);
  tensor.message(2, shape);
  type.message(1, tensor);
  m.text(1, v.name);
  m.message(2, type);
  return m;
}

// A constant up to its raw bytes, which are not copied.
Message constant_head(const NamedTensor& t) {
  if (t.dtype != DType::f32 && t.dtype != DType::i64)
    throw UsageError(fmt::format("onnx: constant '{}' is {}, expected f32 or i64", t.name, name_of(t.dtype)));
  Message m;
  for (const std::int64_t extent : t.shape) m.number(1, extent);
  m.number(2, t.dtype == DType::f32 ? kFloatType : kInt64Type);
  m.text(8, t.name);
  m.length(9, t.bytes.size());
  return m;
}

Message model_head(const OnnxModel& model) {
  Message m;
  m.number(1, kIrVersion);
  m.text(2, "genexx");
  m.text(3, version());
  m.text(6, model.description);
  Message operators;
  operators.text(1, "");  // the standard operators
  operators.number(2, kOperatorSet);
  m.message(8, operators);
  for (const auto& [key, text] : model.metadata) {
    Message entry;
    entry.text(1, key);
    entry.text(2, text);
    m.message(14, entry);
  }
  return m;
}

}  // namespace

void write_onnx(const std::string& path, const OnnxModel& model) {
  Message graph;
  for (const OnnxNode& n : model.nodes) graph.message(1, node(n));
  graph.text(2, model.name);
  for (const OnnxValue& v : model.inputs) graph.message(11, value(v));
  for (const OnnxValue& v : model.outputs) graph.message(12, value(v));
  // Constants come last: their bytes are most of the file and go into it from where they are.
  std::vector<std::string> heads;
  std::uint64_t graph_bytes = graph.bytes().size();
  for (const NamedTensor& t : model.constants) {
    const Message head = constant_head(t);
    Message field;
    field.length(5, head.bytes().size() + t.bytes.size());
    heads.push_back(field.bytes() + head.bytes());
    graph_bytes += heads.back().size() + t.bytes.size();
  }
  Message head = model_head(model);
  head.length(7, graph_bytes);
  const auto total = static_cast<std::int64_t>(head.bytes().size() + graph_bytes);
  if (total > kMostBytes)
    throw UsageError(
        fmt::format("{}: the model needs {} bytes, and an ONNX file holds at most {}; export to "
                    "safetensors or npz, or train fewer replicas or narrower layers",
                    path, total, kMostBytes));
  AtomicFile file(path);
  file.write(head.bytes());
  file.write(graph.bytes());
  for (std::size_t i = 0; i < heads.size(); ++i) {
    file.write(heads[i]);
    file.write(model.constants[i].bytes.data(), model.constants[i].bytes.size());
  }
  file.commit();
}

}  // namespace genexx
