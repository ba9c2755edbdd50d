// SPDX-License-Identifier: Apache-2.0
#include "models/tune/search_space.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include <fmt/format.h>

#include "engine/error.h"
#include "models/random_stream.h"

namespace genexx::tune {
namespace {

constexpr std::uint32_t kSearchStream = 0x74756e65u;  // and the five after it: one for each hyperparameter

double rounded(double x) { return std::strtod(fmt::format("{:.3e}", x).c_str(), nullptr); }

template <class T>
T chosen(const std::vector<T>& values, double u) {
  return values[std::min(values.size() - 1, static_cast<std::size_t>(u * static_cast<double>(values.size())))];
}

// The number of a range that stands at `u`, in (0, 1).
double at(const Range<double>& r, double u) {
  if (r.distribution == "choice") return chosen(r.values, u);
  const double x = r.distribution == "log_uniform" ? r.low * std::pow(r.high / r.low, u) : r.low + u * (r.high - r.low);
  return std::clamp(rounded(x), r.low, r.high);
}

std::int64_t at(const Range<std::int64_t>& r, double u) {
  if (r.distribution == "choice") return chosen(r.values, u);
  const auto low = static_cast<double>(r.low), above = static_cast<double>(r.high) + 1;
  const double x = r.distribution == "log_uniform" ? low * std::pow(above / low, u) : low + u * (above - low);
  return std::clamp(static_cast<std::int64_t>(x), r.low, r.high);
}

// What a hyperparameter may be.
struct Bounds {
  double least = 0, most = 0;
  const char* text = "";
};

template <class T>
void check(const std::string& name, const Range<T>& r, const Bounds& bounds) {
  const std::string key = "configuration: tune." + name;
  const auto expect = [&](T x, const char* field) {
    const auto value = static_cast<double>(x);
    if (!(value >= bounds.least && value <= bounds.most))
      throw UsageError(fmt::format("{}.{} is {}, expected {}", key, field, x, bounds.text));
  };
  if (r.distribution == "choice") {
    if (r.values.empty()) throw UsageError(key + ".values is [], expected at least one value to choose from");
    for (const T x : r.values) expect(x, "values");
    return;
  }
  expect(r.low, "low");
  expect(r.high, "high");
  if (r.low > r.high) throw UsageError(fmt::format("{}.low is {}, above its high, {}", key, r.low, r.high));
  if (r.distribution == "log_uniform" && r.low <= 0)
    throw UsageError(fmt::format("{}.low is {}, expected above 0: it has no logarithm; or use uniform", key, r.low));
}

constexpr double kBelowOne = 1 - 0x1p-53;

}  // namespace

Hyperparameters draw(const SearchSpace& space, std::uint64_t seed, std::int64_t trial) {
  std::uint32_t stream = kSearchStream;
  const auto next = [&] { return RandomStream(seed, stream++, trial).uniform(); };
  Hyperparameters h;
  h.learning_rate = at(space.learning_rate, next());
  h.weight_decay = at(space.weight_decay, next());
  h.layers = at(space.layers, next());
  h.units = at(space.units, next());
  h.batch = at(space.batch, next());
  h.dropout = at(space.dropout, next());
  return h;
}

void check(const SearchSpace& space) {
  check("learning_rate", space.learning_rate, {0x1p-1022, 1e3, "above 0, at most 1000"});
  check("weight_decay", space.weight_decay, {0, 1e3, "0 to 1000"});
  check("layers", space.layers, {1, 100, "1 to 100"});
  check("units", space.units, {1, 1e6, "1 to 1000000"});
  check("batch", space.batch, {2, 1e6, "2 to 1000000"});
  check("dropout", space.dropout, {0, kBelowOne, "at least 0, below 1"});
}

}  // namespace genexx::tune
