// SPDX-License-Identifier: Apache-2.0
#include "models/config.h"

#include <doctest/doctest.h>

#include "engine/error.h"

using namespace genexx;

namespace {

struct Settings {
  std::int64_t epochs = 3;
  double rate = 0.5;
  std::string kind = "plain";

  template <class V>
  void visit(V& v) {
    v.field("train.epochs", epochs, "most epochs");
    v.field("train.rate", rate, "learning rate");
    v.choice("split.kind", kind, {"plain", "grouped"}, "how cells are dealt");
  }
};

Settings applied(const char* text) {
  Settings settings;
  apply_json(settings, nlohmann::json::parse(text));
  return settings;
}

}  // namespace

TEST_CASE("config: named fields are replaced, others keep their value") {
  const Settings settings = applied(R"({"train": {"epochs": 7}, "split": {}})");

  CHECK(settings.epochs == 7);
  CHECK(settings.rate == 0.5);
  CHECK(to_json_config(settings)["train"]["epochs"] == 7);
}

TEST_CASE("config: an unknown key or group is an error that names the nearest key") {
  CHECK_THROWS_WITH_AS(applied(R"({"train": {"epoch": 7}})"), doctest::Contains("did you mean 'train.epochs'"),
                       UsageError);
  CHECK_THROWS_WITH_AS(applied(R"({"trian": {}})"), doctest::Contains("there is no key 'trian.'"), UsageError);
  CHECK_THROWS_AS(applied(R"({"train": {"epochs": {}}})"), UsageError);
  CHECK_THROWS_AS(applied(R"({"": 1})"), UsageError);
}

TEST_CASE("config: a value of the wrong kind names its key and what is expected") {
  CHECK_THROWS_WITH_AS(applied(R"({"train": {"epochs": "many"}})"), doctest::Contains("train.epochs"), UsageError);
  CHECK_THROWS_WITH_AS(applied(R"({"train": {"epochs": 2.5}})"), doctest::Contains("a whole number"), UsageError);
  CHECK_THROWS_WITH_AS(applied(R"({"split": {"kind": "fancy"}})"), doctest::Contains("plain, grouped"), UsageError);
  CHECK_THROWS_AS(applied("[1]"), UsageError);
}
