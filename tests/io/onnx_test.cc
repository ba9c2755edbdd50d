// SPDX-License-Identifier: Apache-2.0
#include "io/onnx.h"

#include <doctest/doctest.h>

#include "engine/error.h"
#include "engine/version.h"
#include "tests/support/data.h"
#include "tests/support/text_file.h"

using namespace genexx;
using namespace genexx::test;

namespace {

std::string written(const OnnxModel& model) {
  TemporaryDirectory directory;
  write_onnx(directory.file("m.onnx"), model);
  return read_text(directory.file("m.onnx"));
}

}  // namespace

TEST_CASE("onnx: a model of one operator is these bytes") {
  OnnxModel model;
  model.name = "g";
  model.nodes = {{"Gather", {"x", "i"}, {"y"}, {{"axis", std::int64_t{-1}}}}};
  model.constants = {{"i", DType::i64, {1}, std::vector<std::byte>(8)}};
  model.inputs = {{"x", {-1, 3}}};

  const std::string bytes = written(model);

  // Tags are field << 3 | wire type; every byte below is from onnx.proto, lengths counted by hand.
  const std::string attribute =
      std::string("\x0a\x04") + "axis" + "\x18" + std::string(9, '\xff') + "\x01" + "\xa0\x01\x02";
  const std::string node = std::string("\x0a\x01x\x0a\x01i\x12\x01y\x1a\x01y\x22\x06Gather") + "\x2a\x14" + attribute;
  const std::string cells = std::string("\x0a\x07\x12\x05") + "cells", three = "\x0a\x02\x08\x03";
  const std::string type = std::string("\x0a\x11\x08\x01\x12\x0d") + cells + three;
  const std::string input = std::string("\x0a\x01x\x12\x13") + type;
  const std::string constant = std::string("\x08\x01\x10\x07\x42\x01i\x4a\x08") + std::string(8, '\0');
  CHECK(contains(bytes, "\x0a\x2a" + node));
  CHECK(contains(bytes, "\x5a\x18" + input));
  CHECK(bytes.substr(bytes.size() - 19) == "\x2a\x11" + constant);
  CHECK(bytes.substr(0, 10) == std::string("\x08\x07\x12\x06") + "genexx");
  CHECK(contains(bytes, std::string("\x42\x04\x0a\x00\x10\x0d", 6)));
}

TEST_CASE("onnx: constants other than f32 and i64 are refused") {
  OnnxModel model;
  model.constants = {{"w", DType::f64, {1}, std::vector<std::byte>(8)}};

  CHECK(contains(message_of<UsageError>([&] { written(model); }), "constant 'w' is f64"));
}
