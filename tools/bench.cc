// SPDX-License-Identifier: Apache-2.0
// genexx bench [NAME...]: times the ops and compares them with what the machine can do at best.
#include <algorithm>
#include <chrono>
#include <thread>

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "bench/support/bench.h"
#include "engine/device.h"
#include "engine/version.h"
#include "io/atomic_file.h"
#include "tools/verbs.h"

namespace genexx::tools {
namespace {

struct BenchOptions {
  std::vector<std::string> names;
  std::string json, device = "cpu";
  int threads = 0;
  double seconds = 0.3;
};

nlohmann::json measure(const bench::Case& c, Context& ctx, const bench::Ceiling& ceiling, double seconds) {
  const bench::Timing t = bench::time_case(ctx, c, seconds);
  const double bandwidth = c.bytes / t.median_s, rate = c.flop / t.median_s;
  const double percent = 100 * std::max(bandwidth / ceiling.bytes_per_s, rate / ceiling.flop_per_s);
  fmt::print("{:24} {:42} {:10.1f} us  {:8.1f} .. {:8.1f}  {:7.1f} GB/s {:8.1f} GFLOP/s  {:5.1f} %\n", c.op, c.shape,
             1e6 * t.median_s, 1e6 * t.low_s, 1e6 * t.high_s, 1e-9 * bandwidth, 1e-9 * rate, percent);
  return {{"op", c.op},       {"shape", c.shape},  {"median_s", t.median_s},
          {"p10_s", t.low_s}, {"p90_s", t.high_s}, {"runs", t.runs},
          {"bytes", c.bytes}, {"flop", c.flop},    {"percent_of_ceiling", percent}};
}

void run_bench(const BenchOptions& o, const std::string& command, Console& console) {
  ThreadPool pool(o.threads > 0 ? o.threads : static_cast<int>(std::max(1u, std::thread::hardware_concurrency())));
  const std::unique_ptr<Context> ctx = make_context(o.device, &pool);
  bench::Suite suite(*ctx);
  bench::add_all(suite);
  std::vector<bench::Case> chosen;
  for (const bench::Case& c : suite.cases())
    if (o.names.empty() || std::find(o.names.begin(), o.names.end(), c.op) != o.names.end()) chosen.push_back(c);
  if (chosen.empty()) throw UsageError("no benchmark has one of these names; run genexx bench to see all");
  const bench::Ceiling ceiling = bench::measure_ceiling(*ctx);
  console.say(fmt::format("ceilings measured now: copy {:.1f} GB/s, matrix product {:.1f} GFLOP/s ({} threads)",
                          1e-9 * ceiling.bytes_per_s, 1e-9 * ceiling.flop_per_s, pool.threads()));
  nlohmann::json results = nlohmann::json::array();
  for (const bench::Case& c : chosen) results.push_back(measure(c, *ctx, ceiling, o.seconds));
  if (o.json.empty()) return;
  const auto now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  const nlohmann::json document = {{"genexx", version()},
                                   {"date", fmt::format("{:%F %H:%M} UTC", fmt::gmtime(now))},
                                   {"command", command},
                                   {"devices", list_devices()},
                                   {"device", o.device},
                                   {"threads", pool.threads()},
                                   {"copy_bytes_per_s", ceiling.bytes_per_s},
                                   {"gemm_flop_per_s", ceiling.flop_per_s},
                                   {"results", results}};
  write_file_atomically(o.json, document.dump(1) + "\n");
}

}  // namespace

void add_bench(CLI::App& app, Program& program) {
  CLI::App* verb = app.add_subcommand("bench", "Times the ops against the measured ceilings of this machine.");
  const auto o = std::make_shared<BenchOptions>();
  verb->add_option("NAME", o->names, "ops to time; all when none is given");
  verb->add_option("--json", o->json, "write the results to this file too");
  verb->add_option("--device", o->device, "cpu, cuda or cuda:N")->capture_default_str();
  verb->add_option("--threads", o->threads, "CPU threads; 0: as many as the machine has")->check(CLI::Range(0, 4096));
  verb->add_option("--seconds", o->seconds, "time spent on each")->capture_default_str()->check(CLI::PositiveNumber);
  verb->callback(
      [&program, o] { program.action = [&program, o] { run_bench(*o, program.command_line, program.console); }; });
}

}  // namespace genexx::tools
