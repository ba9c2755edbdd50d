// SPDX-License-Identifier: Apache-2.0
#include "models/tune/config.h"

#include <doctest/doctest.h>

#include "engine/error.h"
#include "models/config.h"

using namespace genexx;
using tune::Config;

namespace {

Config from(const nlohmann::json& json) {
  Config config;
  apply_json(config, json);
  tune::check_given(json, config);
  config = tune::resolved(config, 500, 40);
  tune::check(config);
  return config;
}

}  // namespace

TEST_CASE("tune config: what is left open follows the data") {
  const Config few = tune::resolved({}, 500, 300), many = tune::resolved({}, 20'679, 30);

  CHECK(few.epochs == 150);
  CHECK(few.space.units.values == std::vector<std::int64_t>{256, 512, 1024});
  CHECK(few.space.batch.values == std::vector<std::int64_t>{32, 64});
  CHECK(few.space.learning_rate.low == 1e-5);
  CHECK(few.space.learning_rate.high == 1e-2);
  CHECK(many.epochs == 15);
  CHECK(many.space.learning_rate.low == 1e-6);  // the published best
  CHECK(many.space.learning_rate.high == 1e-3);
  CHECK(many.space.units.values == std::vector<std::int64_t>{2048, 4096, 8192});
  CHECK(many.space.batch.values == std::vector<std::int64_t>{128, 256});
  CHECK_NOTHROW(tune::check(many));
}

TEST_CASE("tune config: what is given stays") {
  const Config config = from({{"tune",
                               {{"epochs", 3},
                                {"learning_rate", {{"high", 0.5}}},
                                {"units", {{"distribution", "log_uniform"}, {"low", 16}, {"high", 64}}},
                                {"batch", {{"values", {8}}}}}}});

  CHECK(config.epochs == 3);
  CHECK(config.space.learning_rate.low == 1e-5);
  CHECK(config.space.learning_rate.high == 0.5);
  CHECK(config.space.units.distribution == "log_uniform");
  CHECK(config.space.units.high == 64);
  CHECK(config.space.batch.values == std::vector<std::int64_t>{8});
}

TEST_CASE("tune config: a written configuration reads back as it was") {
  const Config config = from({{"tune", {{"trials", 7}, {"dropout", {{"high", 0.25}}}}}});
  const nlohmann::json written = to_json_config(config);
  Config again;

  apply_json(again, written);

  CHECK(to_json_config(again) == written);
  CHECK(again.space.dropout.high == 0.25);
}

TEST_CASE("tune config: mistakes are named") {
  using doctest::Contains;
  CHECK_THROWS_WITH_AS(from({{"tune", {{"trails", 3}}}}), Contains("no key 'tune.trails'; did you mean 'tune.trials'?"),
                       UsageError);
  CHECK_THROWS_WITH_AS(from({{"tune", {{"layers", {{"low", 1.5}}}}}}),
                       Contains("tune.layers.low is 1.5, expected a whole number"), UsageError);
  CHECK_THROWS_WITH_AS(from({{"tune", {{"dropout", {{"distribution", "normal"}}}}}}),
                       Contains("tune.dropout.distribution is 'normal', expected one of uniform, log_uniform, choice"),
                       UsageError);
  CHECK_THROWS_WITH_AS(from({{"tune", {{"layers", {{"values", {1, 2}}}}}}}),
                       Contains("tune.layers.values is given, but tune.layers.distribution is 'uniform'"), UsageError);
  CHECK_THROWS_WITH_AS(from({{"tune", {{"units", {{"low", 16}}}}}}),
                       Contains("set tune.units.distribution to uniform or log_uniform"), UsageError);
  CHECK_THROWS_WITH_AS(from({{"tune", {{"halving", 1}}}}),
                       Contains("tune.halving is 1, expected 0 (off) or at least 2"), UsageError);
  CHECK_THROWS_WITH_AS(from({{"tune", {{"trials", 0}}}}), Contains("tune.trials is 0"), UsageError);
}
