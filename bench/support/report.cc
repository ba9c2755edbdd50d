// SPDX-License-Identifier: Apache-2.0
#include "bench/support/report.h"

#include <algorithm>
#include <chrono>
#include <memory>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include "engine/device.h"
#include "engine/error.h"
#include "engine/precision.h"
#include "engine/version.h"

namespace genexx::bench {
namespace {

constexpr std::int64_t kMostSets = 8;
constexpr double kSetBytes = 60e9;    // of device memory for all sets of an op
constexpr double kColdBytes = 180e6;  // three times the L2 of the largest card tried

nlohmann::json measure(const std::vector<const Case*>& sets, Context& ctx, const Ceiling& ceiling, double seconds) {
  const Case& c = *sets.front();
  const Timing t = time_case(ctx, sets, seconds);
  const double bandwidth = c.bytes / t.median_s, rate = c.flop / t.median_s;
  const double percent = 100 * std::max(bandwidth / ceiling.bytes_per_s, rate / ceiling.flop_per_s_of(c.precision));
  fmt::print("{:24} {:42} {:6} {:10.1f} us  {:8.1f} .. {:8.1f}  {:7.1f} GB/s {:8.1f} GFLOP/s  {:5.1f} %\n", c.op,
             c.shape, name_of(c.precision), 1e6 * t.median_s, 1e6 * t.low_s, 1e6 * t.high_s, 1e-9 * bandwidth,
             1e-9 * rate, percent);
  nlohmann::json line = {{"op", c.op},       {"shape", c.shape},  {"median_s", t.median_s},
                         {"p10_s", t.low_s}, {"p90_s", t.high_s}, {"runs", t.runs},
                         {"bytes", c.bytes}, {"flop", c.flop},    {"percent_of_ceiling", percent}};
  if (ctx.device() == DeviceType::cuda) {
    line["precision"] = name_of(c.precision);
    line["cache"] = c.bytes * static_cast<double>(sets.size()) >= kColdBytes ? "cold" : "hot";
  }
  return line;
}

// Every case of one bench. On CUDA the same cases lie in memory several times over and take turns, so that the L2 holds
// nothing of what is read next; where the case is too small for that its line says "hot".
void measure_bench(const Bench& bench, Context& ctx, const Ceiling& ceiling, double seconds, nlohmann::json& results) {
  std::vector<std::unique_ptr<Suite>> suites;
  suites.push_back(std::make_unique<Suite>(ctx));
  bench.add(*suites.front());
  if (ctx.device() == DeviceType::cuda) {
    const auto fit = static_cast<std::int64_t>(kSetBytes / static_cast<double>(suites.front()->bytes() + 1));
    for (std::int64_t i = 1; i < std::min(kMostSets, fit); ++i) {
      suites.push_back(std::make_unique<Suite>(ctx, suites.front().get()));
      bench.add(*suites.back());
    }
  }
  for (std::size_t i = 0; i < suites.front()->cases().size(); ++i) {
    std::vector<const Case*> sets;
    for (const auto& suite : suites) sets.push_back(&suite->cases()[i]);
    results.push_back(measure(sets, ctx, ceiling, seconds));
  }
}

bool is_chosen(const Bench& bench, const std::vector<std::string>& names) {
  if (names.empty()) return bench.when == When::always;
  return std::find(names.begin(), names.end(), bench.op) != names.end();
}

}  // namespace

nlohmann::json run_benches(Context& ctx, const ReportRequest& request) {
  std::vector<Bench> chosen;
  for (const Bench& bench : all_benches())
    if (is_chosen(bench, request.names)) chosen.push_back(bench);
  if (chosen.empty()) throw UsageError("no benchmark has one of these names; run genexx bench to see all");
  const Ceiling ceiling = measure_ceiling(ctx);
  if (request.say)
    request.say(fmt::format("ceilings measured now: copy {:.1f} GB/s, matrix product {:.1f} GFLOP/s ({} threads)",
                            1e-9 * ceiling.bytes_per_s, 1e-9 * ceiling.flop_per_s, request.threads));
  nlohmann::json results = nlohmann::json::array();
  for (const Bench& bench : chosen) measure_bench(bench, ctx, ceiling, request.seconds, results);
  const auto now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  return {{"genexx", version()},
          {"date", fmt::format("{:%F %H:%M} UTC", fmt::gmtime(now))},
          {"command", request.command},
          {"devices", list_devices()},
          {"device", request.device},
          {"threads", request.threads},
          {"copy_bytes_per_s", ceiling.bytes_per_s},
          {"gemm_flop_per_s", ceiling.flop_per_s},
          {"tf32_flop_per_s", ceiling.tf32_flop_per_s},
          {"bf16_flop_per_s", ceiling.bf16_flop_per_s},
          {"results", results}};
}

}  // namespace genexx::bench
