// SPDX-License-Identifier: Apache-2.0
#include "models/tune/config.h"

#include <algorithm>

#include "engine/error.h"
#include "models/config.h"

namespace genexx::tune {
namespace {

constexpr std::int64_t kManyCells = 10000;  // from here on the published sizes are taken (models/mlp/config)
constexpr std::int64_t kLeastEpochs = 1;

void expect(bool holds, const char* key, std::int64_t found, const char* wanted) {
  if (!holds)
    throw UsageError(std::string("configuration: ") + key + " is " + std::to_string(found) + ", expected " + wanted);
}

bool left_open(const Range<std::int64_t>& r) { return r.distribution == "choice" && r.values.empty(); }

// A field that was written although the distribution does not look at it is a mistake of the writer's; unless it says
// what it would be anyway, as in a configuration that was printed.
void check_given(const nlohmann::json& given, const std::string& name, const std::string& distribution) {
  const nlohmann::json defaults = to_json_config(Config());
  const bool choice = distribution == "choice";
  for (const char* field : {"low", "high", "values"}) {
    const std::string key = "tune." + name + "." + field;
    const nlohmann::json* value = find_dotted(given, key);
    const bool used = (field == std::string("values")) == choice;
    if (used || !value || *value == *find_dotted(defaults, key)) continue;
    throw UsageError("configuration: " + key + " is given, but tune." + name + ".distribution is '" + distribution +
                     "', which takes " + (choice ? "values" : "low and high") + "; set tune." + name +
                     ".distribution to " + (choice ? "uniform or log_uniform" : "choice"));
  }
}

}  // namespace

Config resolved(Config c, std::int64_t cells, std::int64_t epochs) {
  const bool many = cells >= kManyCells;
  if (left_open(c.space.units))
    c.space.units.values =
        many ? std::vector<std::int64_t>{2048, 4096, 8192} : std::vector<std::int64_t>{256, 512, 1024};
  if (left_open(c.space.batch))
    c.space.batch.values = many ? std::vector<std::int64_t>{128, 256} : std::vector<std::int64_t>{32, 64};
  if (Range<double>& rate = c.space.learning_rate; rate.distribution != "choice") {
    if (rate.low == 0) rate.low = many ? 1e-6 : 1e-5;
    if (rate.high == 0) rate.high = many ? 1e-3 : 1e-2;
  }
  if (c.epochs == 0) c.epochs = std::max(kLeastEpochs, epochs / 2);
  return c;
}

void check(const Config& c) {
  expect(c.trials >= 1 && c.trials <= 100'000, "tune.trials", c.trials, "1 to 100000");
  expect(c.epochs >= 0, "tune.epochs", c.epochs, "not negative");
  expect(c.halving == 0 || c.halving >= 2, "tune.halving", c.halving, "0 (off) or at least 2");
  expect(c.together >= 0, "tune.together", c.together, "not negative");
  check(c.space);
}

void check_given(const nlohmann::json& given, const Config& c) {
  check_given(given, "learning_rate", c.space.learning_rate.distribution);
  check_given(given, "weight_decay", c.space.weight_decay.distribution);
  check_given(given, "layers", c.space.layers.distribution);
  check_given(given, "units", c.space.units.distribution);
  check_given(given, "batch", c.space.batch.distribution);
  check_given(given, "dropout", c.space.dropout.distribution);
}

}  // namespace genexx::tune
