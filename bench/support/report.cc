// SPDX-License-Identifier: Apache-2.0
#include "bench/support/report.h"

#include <algorithm>
#include <chrono>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include "engine/device.h"
#include "engine/error.h"
#include "engine/version.h"

namespace genexx::bench {
namespace {

nlohmann::json measure(const Case& c, Context& ctx, const Ceiling& ceiling, double seconds) {
  const Timing t = time_case(ctx, c, seconds);
  const double bandwidth = c.bytes / t.median_s, rate = c.flop / t.median_s;
  const double percent = 100 * std::max(bandwidth / ceiling.bytes_per_s, rate / ceiling.flop_per_s);
  fmt::print("{:24} {:42} {:10.1f} us  {:8.1f} .. {:8.1f}  {:7.1f} GB/s {:8.1f} GFLOP/s  {:5.1f} %\n", c.op, c.shape,
             1e6 * t.median_s, 1e6 * t.low_s, 1e6 * t.high_s, 1e-9 * bandwidth, 1e-9 * rate, percent);
  return {{"op", c.op},       {"shape", c.shape},  {"median_s", t.median_s},
          {"p10_s", t.low_s}, {"p90_s", t.high_s}, {"runs", t.runs},
          {"bytes", c.bytes}, {"flop", c.flop},    {"percent_of_ceiling", percent}};
}

}  // namespace

nlohmann::json run_benches(Context& ctx, const ReportRequest& request) {
  Suite suite(ctx);
  add_all(suite);
  std::vector<Case> chosen;
  for (const Case& c : suite.cases())
    if (request.names.empty() || std::find(request.names.begin(), request.names.end(), c.op) != request.names.end())
      chosen.push_back(c);
  if (chosen.empty()) throw UsageError("no benchmark has one of these names; run genexx bench to see all");
  const Ceiling ceiling = measure_ceiling(ctx);
  if (request.say)
    request.say(fmt::format("ceilings measured now: copy {:.1f} GB/s, matrix product {:.1f} GFLOP/s ({} threads)",
                            1e-9 * ceiling.bytes_per_s, 1e-9 * ceiling.flop_per_s, request.threads));
  nlohmann::json results = nlohmann::json::array();
  for (const Case& c : chosen) results.push_back(measure(c, ctx, ceiling, request.seconds));
  const auto now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  return {{"genexx", version()},
          {"date", fmt::format("{:%F %H:%M} UTC", fmt::gmtime(now))},
          {"command", request.command},
          {"devices", list_devices()},
          {"device", request.device},
          {"threads", request.threads},
          {"copy_bytes_per_s", ceiling.bytes_per_s},
          {"gemm_flop_per_s", ceiling.flop_per_s},
          {"results", results}};
}

}  // namespace genexx::bench
