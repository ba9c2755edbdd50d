// SPDX-License-Identifier: Apache-2.0
// Writing ONNX models: the parts of the format that a feed-forward network needs, encoded by hand. Format: onnx.proto
// of ONNX 1.8 (IR version 7, operator set 13) in the wire format of protocol buffers.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <variant>
#include <vector>

#include "engine/named_tensor.h"

namespace genexx {

struct OnnxAttribute {
  std::string name;
  std::variant<std::int64_t, float, std::vector<std::int64_t>> value;
};

// One operator of operator set 13. Names of inputs and outputs are those of values; "" skips an optional input.
struct OnnxNode {
  std::string op;
  std::vector<std::string> inputs, outputs;
  std::vector<OnnxAttribute> attributes = {};
};

// A value that enters or leaves the graph: f32. A size below 0 is open and called by `open_name`.
struct OnnxValue {
  std::string name;
  std::vector<std::int64_t> shape;
  std::string open_name = "cells";
};

struct OnnxModel {
  std::string name, description;
  std::vector<OnnxNode> nodes;         // every input is a constant, a graph input, or the output of an earlier node
  std::vector<NamedTensor> constants;  // f32 or i64
  std::vector<OnnxValue> inputs, outputs;
  std::map<std::string, std::string> metadata;
};

// Writes atomically. Throws UsageError for a model over the 2 GiB a protocol buffer can hold and for constants of other
// types; RuntimeError where the file cannot be written.
void write_onnx(const std::string& path, const OnnxModel& model);

}  // namespace genexx
