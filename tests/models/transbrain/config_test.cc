// SPDX-License-Identifier: Apache-2.0
#include "models/transbrain/config.h"

#include <doctest/doctest.h>

#include "models/config.h"
#include "tests/support/text_file.h"

using namespace genexx;
using namespace genexx::test;
using namespace genexx::transbrain;

TEST_CASE("transbrain config: the defaults are the published settings") {
  const nlohmann::json json = to_json_config(Config{});

  CHECK(json["train"]["batch"] == 256);
  CHECK(json["train"]["epochs"] == 50);
  CHECK(json["train"]["learning_rate"] == 6e-5);
  CHECK(json["train"]["weight_decay"] == 1e-6);
  CHECK(json["train"]["lr_decay"] == 0.8);
  CHECK(json["train"]["lr_decay_epochs"] == 20);
  CHECK(json["train"]["dropout"] == 0.1);
  CHECK(json["train"]["patience"] == 5);
  CHECK(json["train"]["shuffle_labels"] == false);
  CHECK(json["network"]["hidden3"] == 500);
  CHECK(json["split"]["validation"] == 0.1);
  CHECK(json["embed"]["model"] == "best_valid");
}

TEST_CASE("transbrain config: presets are the published sizes, an unknown one is named") {
  for (const auto& [name, inputs, outputs] :
       {std::tuple{"cortical", 4542, 105}, {"subcortical", 5063, 22}, {"shared", 5451, 127}}) {
    Config config;
    apply_preset(config, name);
    CHECK(config.inputs == inputs);
    CHECK(config.outputs == outputs);
  }
  Config config;
  CHECK(contains(message_of<UsageError>([&] { apply_preset(config, "cortica"); }), "did you mean 'cortical'?"));
}

TEST_CASE("transbrain config: only the reference has limits to begin with") {
  Config plain, reference;
  reference.compat = "reference";
  apply_compat(plain);
  apply_compat(reference);

  CHECK(plain.worst_kept_loss == 0);
  CHECK(plain.worst_kept_rank == 0);
  CHECK(reference.worst_kept_loss == 4);
  CHECK(reference.worst_kept_rank == 20);
}

TEST_CASE("transbrain config: booleans are true or false, never any text") {
  Config config;

  CHECK(contains(message_of<UsageError>([&] {
                   apply_json(config, {{"train", {{"shuffle_labels", "False"}}}});
                 }),
                 "train.shuffle_labels is \"False\", expected true or false"));
  apply_json(config, {{"train", {{"shuffle_labels", true}}}});
  CHECK(config.shuffle_labels);
}

TEST_CASE("transbrain config: values out of range are named") {
  const auto complaint = [](auto change) {
    Config config;
    change(config);
    return message_of<UsageError>([&] { check(config); });
  };

  CHECK(complaint([](Config&) {}) == "no error");
  CHECK(contains(complaint([](Config& c) { c.batch = 0; }), "train.batch is 0"));
  CHECK(contains(complaint([](Config& c) { c.learning_rate = 0; }), "train.learning_rate is 0"));
  CHECK(contains(complaint([](Config& c) { c.dropout = 1; }), "train.dropout is 1"));
  CHECK(contains(complaint([](Config& c) { c.lr_decay = 1.5; }), "train.lr_decay is 1.5"));
  CHECK(contains(complaint([](Config& c) { c.validation_fraction = 1; }), "split.validation is 1"));
  CHECK(contains(complaint([](Config& c) { c.patience = -1; }), "train.patience is -1"));
  CHECK(contains(complaint([](Config& c) { c.hidden2 = 0; }), "network.hidden2 is 0"));
}
