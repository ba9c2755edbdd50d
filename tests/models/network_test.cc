// SPDX-License-Identifier: Apache-2.0
#include "models/network.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "engine/error.h"
#include "models/initializer.h"

using namespace genexx;

namespace {

// 20 genes; 4 filters of 5 centred on every second: 10 positions; pooled by 3: 3; 2 filters of 2 inside: 2 positions.
Network convolved() {
  Network n;
  Node x = n.conv1d("first", n.input("genes", 20), {.filters = 4, .kernel = 5, .stride = 2});
  x = n.max_pool(n.relu(n.batch_norm("norm", x)), 3);
  x = n.conv1d("second", x, {.filters = 2, .kernel = 2, .ends = Convolution::Ends::inside});
  n.linear("output", n.average_pool(x, 2), 3);
  return n;
}

}  // namespace

TEST_CASE("network: widths of a sequence, and parameters by filter, tap and channel") {
  const Network n = convolved();

  std::vector<std::int64_t> widths, channels;
  for (const NodeSpec& node : n.nodes()) {
    widths.push_back(node.width);
    channels.push_back(node.channels);
  }
  CHECK(widths == std::vector<std::int64_t>{20, 40, 40, 40, 12, 4, 2, 3});
  CHECK(channels == std::vector<std::int64_t>{0, 4, 4, 4, 4, 2, 2, 0});
  CHECK(n.nodes()[1].padding == 1);
  CHECK(n.parameters()[0].shape == std::vector<std::int64_t>{4, 5, 1});
  CHECK(n.parameters()[0].fan_in == 5);
  CHECK(n.parameters()[2].name == "norm.weight");
  CHECK(n.parameters()[2].shape == std::vector<std::int64_t>{4});  // a channel, not a feature
  CHECK(n.parameters()[6].shape == std::vector<std::int64_t>{2, 2, 4});
  CHECK(n.parameter_count() == 20 + 4 + 16 + 16 + 2 + 6 + 3);
}

TEST_CASE("network: a convolution comes back from its JSON") {
  const Network n = convolved();

  const Network back = Network::from_json(n.to_json());

  CHECK(back.to_json() == n.to_json());
  CHECK(back.nodes()[4].channels == 4);
  CHECK(back.parameters()[6].shape == n.parameters()[6].shape);
}

TEST_CASE("network: filters start by their own taps, however many genes there are") {
  Network n;
  n.conv1d("first", n.input("genes", 1000), {.filters = 500, .kernel = 8});

  const std::vector<NamedTensor> weights = initial_weights(n, {{.seed = 1, .live_inputs = 1000}}, DType::f64);

  const auto* w = reinterpret_cast<const double*>(weights[0].bytes.data());
  double squares = 0;
  for (int i = 0; i < 4000; ++i) squares += w[i] * w[i];
  CHECK(squares / 4000 == doctest::Approx(2.0 / 8).epsilon(0.1));
}

TEST_CASE("network: convolutions and pools that cannot be are named") {
  Network n;
  const Node x = n.input("genes", 5);
  CHECK_THROWS_WITH_AS(n.max_pool(x, 2), doctest::Contains("pools 'genes', which is no sequence"), UsageError);
  CHECK_THROWS_WITH_AS(n.conv1d("a", x, {.filters = 2, .kernel = 6, .ends = Convolution::Ends::inside}),
                       doctest::Contains("node 'a' has windows of 6 positions, but 'genes' has only 5"), UsageError);
  CHECK_THROWS_WITH_AS(n.conv1d("a", x, {.filters = 0, .kernel = 2}), doctest::Contains("has 0 filters"), UsageError);
  CHECK_THROWS_WITH_AS(n.conv1d("a", x, {.filters = 1, .kernel = 2, .stride = 0}), doctest::Contains("one every 0"),
                       UsageError);
  const Node y = n.conv1d("a", x, {.filters = 2, .kernel = 3});
  CHECK_THROWS_WITH_AS(n.average_pool(y, 6), doctest::Contains("windows of 6 positions, but 'a' has only 5"),
                       UsageError);
}

TEST_CASE("network: a damaged convolution is refused") {
  const auto message_with = [](std::size_t node, const char* field, const nlohmann::json& value) {
    nlohmann::json json = convolved().to_json();
    json["nodes"][node][field] = value;
    try {
      Network::from_json(json);
    } catch (const InputError& error) {
      return std::string(error.what());
    }
    return std::string("no error");
  };
  CHECK(message_with(1, "channels", 3).find("has a width of 40, expected whole 3 filters") != std::string::npos);
  CHECK(message_with(1, "channels", 0).find("has 0 filters") != std::string::npos);
  CHECK(message_with(1, "padding", 5).find("has 5 zeros before the sequence") != std::string::npos);
  CHECK(message_with(1, "stride", 3).find("has more windows than the 20 positions") != std::string::npos);
  CHECK(message_with(1, "kernel", std::int64_t{1} << 40).find("beyond 2^31") != std::string::npos);
  CHECK(message_with(4, "width", 16).find("is 16, expected 12") != std::string::npos);
  CHECK(message_with(4, "kernel", 0).find("has windows of 0 positions") != std::string::npos);
  CHECK(message_with(5, "kernel", "two").find("network: ") != std::string::npos);
}
