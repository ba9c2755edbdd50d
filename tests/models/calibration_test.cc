// SPDX-License-Identifier: Apache-2.0
#include "models/calibration.h"

#include <cmath>
#include <vector>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "engine/error.h"
#include "tests/support/golden_json.h"

using namespace genexx;
using Json = nlohmann::json;

namespace {

using Truth = std::vector<std::int32_t>;
using Rows = std::vector<float>;

bool near(double actual, double expected, double relative) {
  return std::fabs(actual - expected) <= relative * std::fabs(expected);
}

}  // namespace

TEST_CASE("calibration: temperatures are scipy's") {
  const Json cases = test::golden_json("calibration");
  REQUIRE(cases.size() == 5);
  for (const Json& c : cases) {
    const Truth truth = c["truth"];
    const Rows p = c["probability"];

    // Both solve for the root of a slope whose rounding is near 1e-16; the curvature there is over 1e-2.
    CHECK(near(fit_temperature({.classes = c["classes"], .truth = truth, .probability = p}), c["temperature"], 1e-12));
  }
}

TEST_CASE("calibration: errors, thresholds, margins and entropies are numpy's") {
  const Json cases = test::golden_json("calibration");
  for (const Json& c : cases) {
    const Truth truth = c["truth"];
    const Rows p = c["probability"];
    const CalibrationInput input{.classes = c["classes"], .truth = truth, .probability = p};
    const std::size_t classes = c["classes"];

    CHECK(near(expected_calibration_error(input), c["ece"], 1e-13));
    const Rejection rejection = fit_rejection(input, c["error_rate"]);
    CHECK(static_cast<float>(rejection.threshold) == static_cast<float>(c["threshold"].get<double>()));
    CHECK(near(rejection.coverage, c["coverage"], 1e-15));
    CHECK(rejection.error <= c["error_rate"].get<double>());
    for (std::size_t i = 0; i < truth.size(); ++i) {
      CHECK(std::fabs(margin(std::span(p).subspan(i * classes, classes)) - c["margin"][i].get<double>()) <= 1e-15);
      CHECK(near(entropy(std::span(p).subspan(i * classes, classes)), c["entropy"][i], 1e-13));
    }
  }
}

TEST_CASE("calibration: a temperature literal") {
  // Three of four right at p = 0.9: the honest probability is 3/4, ln 3 = ln 9 / T, T = 2.
  const Truth truth = {0, 0, 1, 1};
  const Rows p = {0.9f, 0.1f, 0.9f, 0.1f, 0.1f, 0.9f, 0.9f, 0.1f};
  const CalibrationInput input{.classes = 2, .truth = truth, .probability = p};
  Rows honest = p;

  const double temperature = fit_temperature(input);
  apply_temperature(honest, 2, temperature);

  CHECK(near(temperature, 2.0, 1e-6));  // 0.9f is 0.9 to 3e-8
  CHECK(near(honest[0], 0.75, 1e-6));
  CHECK(near(honest[1], 0.25, 1e-6));
  CHECK(near(expected_calibration_error(input), 0.15, 1e-6));
  CHECK(expected_calibration_error({.classes = 2, .truth = truth, .probability = honest}) < 1e-6);
}

TEST_CASE("calibration: where every cell is right the temperature stays 1") {
  const Truth truth = {0, 1};
  const Rows p = {0.6f, 0.4f, 0.3f, 0.7f};

  CHECK(fit_temperature({.classes = 2, .truth = truth, .probability = p}) == 1);
}

TEST_CASE("calibration: where nothing is right the temperature is the greatest allowed, and zero does no harm") {
  const Truth truth = {1, 0};
  const Rows p = {1.0f, 0.0f, 0.0f, 1.0f};

  CHECK(fit_temperature({.classes = 2, .truth = truth, .probability = p}) == kMostTemperature);
}

TEST_CASE("calibration: temperature keeps order and sum, and leaves zeros and certainty") {
  Rows p = {0.5f, 0.3f, 0.2f, 1.0f, 0.0f, 0.0f};

  apply_temperature(p, 3, 0.5);

  CHECK(near(p[0], 25.0 / 38, 1e-7));
  CHECK(near(p[1], 9.0 / 38, 1e-7));
  CHECK(near(p[2], 4.0 / 38, 1e-7));
  CHECK(p[3] == 1.0f);
  CHECK(p[4] == 0.0f);
}

TEST_CASE("calibration: rejection keeps as many cells as the error rate allows") {
  // From the surest: right, right, wrong, right, right, wrong.
  const Truth truth = {0, 0, 1, 0, 0, 1};
  const Rows p = {0.95f, 0.05f, 0.9f, 0.1f, 0.85f, 0.15f, 0.8f, 0.2f, 0.75f, 0.25f, 0.7f, 0.3f};
  const CalibrationInput input{.classes = 2, .truth = truth, .probability = p};

  CHECK(static_cast<float>(fit_rejection(input, 0.2).threshold) == 0.75f);
  CHECK(fit_rejection(input, 0.2).coverage == doctest::Approx(5.0 / 6));
  CHECK(fit_rejection(input, 0.2).error == doctest::Approx(0.2));
  CHECK(static_cast<float>(fit_rejection(input, 0.1).threshold) == 0.9f);
  CHECK(fit_rejection(input, 0.1).error == 0);
  CHECK(static_cast<float>(fit_rejection(input, 0.5).threshold) == 0.7f);
}

TEST_CASE("calibration: cells of equal confidence are kept or rejected together") {
  const Truth truth = {0, 0, 1};
  const Rows p = {0.9f, 0.1f, 0.8f, 0.2f, 0.8f, 0.2f};

  const Rejection rejection = fit_rejection({.classes = 2, .truth = truth, .probability = p}, 0.0);

  CHECK(static_cast<float>(rejection.threshold) == 0.9f);
  CHECK(rejection.coverage == doctest::Approx(1.0 / 3));
}

TEST_CASE("calibration: where the surest cell is wrong nothing is kept") {
  const Truth truth = {1, 0};
  const Rows p = {0.9f, 0.1f, 0.8f, 0.2f};

  const Rejection rejection = fit_rejection({.classes = 2, .truth = truth, .probability = p}, 0.1);

  CHECK(rejection.coverage == 0);
  CHECK(rejection.threshold > 0.9f);
  CHECK(rejection.threshold < 0.9000002);
}

TEST_CASE("calibration: the threshold is on probabilities after the temperature") {
  const Truth truth = {0, 0, 1, 1, -1};
  const Rows p = {0.9f, 0.1f, 0.9f, 0.1f, 0.1f, 0.9f, 0.9f, 0.1f, 0.5f, 0.5f};

  const Calibration calibration = calibrate({.classes = 2, .truth = truth, .probability = p}, 0.3);

  CHECK(near(calibration.temperature, 2.0, 1e-6));
  CHECK(near(calibration.threshold, 0.75, 1e-6));
  CHECK(calibration.error_rate == 0.3);
}

TEST_CASE("calibration: stored and read again it is the same") {
  const Calibration c{.temperature = 1.0 / 3, .threshold = 0.1 + 0.2, .error_rate = 0.05};

  const Calibration read = calibration_from_json(Json::parse(to_json(c).dump()));

  CHECK(read.temperature == c.temperature);
  CHECK(read.threshold == c.threshold);
  CHECK(read.error_rate == c.error_rate);
  CHECK_THROWS_WITH_AS(calibration_from_json(Json::parse(R"({"temperature": 1})")), doctest::Contains("threshold"),
                       InputError);
  CHECK_THROWS_WITH_AS(calibration_from_json(Json::parse(R"({"temperature": 0, "threshold": 0, "error_rate": 0})")),
                       doctest::Contains("expected a temperature over 0"), InputError);
}

TEST_CASE("calibration: margin and entropy literals") {
  CHECK(margin(Rows{0.25f, 0.5f, 0.25f}) == 0.25);
  CHECK(margin(Rows{0.5f, 0.5f}) == 0);
  CHECK(margin(Rows{1.0f}) == 1);
  CHECK(entropy(Rows{1.0f, 0.0f}) == 0);
  CHECK(near(entropy(Rows{0.25f, 0.25f, 0.25f, 0.25f}), std::log(4.0), 1e-15));
}

TEST_CASE("calibration: names what is wrong with the validation cells") {
  const Truth truth = {0, 1}, none = {-1, -1};
  const Rows p = {0.5f, 0.5f, 0.5f, std::nanf("")}, fine = {0.5f, 0.5f, 0.5f, 0.5f};

  CHECK_THROWS_WITH_AS(fit_temperature({.classes = 2, .truth = truth, .probability = p}),
                       doctest::Contains("validation cell 1 is NaN"), RuntimeError);
  CHECK_THROWS_WITH_AS(fit_temperature({.classes = 2, .truth = none, .probability = fine}),
                       doctest::Contains("no validation cell has a label"), RefusedError);
  CHECK_THROWS_WITH_AS(fit_temperature({.classes = 3, .truth = truth, .probability = fine}),
                       doctest::Contains("probability has 4 values, expected 6"), ShapeError);
  CHECK_THROWS_WITH_AS(fit_rejection({.classes = 2, .truth = truth, .probability = fine}, 1.0),
                       doctest::Contains("the error rate is 1"), UsageError);
}
