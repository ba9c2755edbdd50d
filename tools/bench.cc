// SPDX-License-Identifier: Apache-2.0
// genexx bench [NAME...]: times the ops and compares them with what the machine can do at best.
#include <algorithm>
#include <thread>

#include <nlohmann/json.hpp>

#include "bench/support/report.h"
#include "engine/device.h"
#include "io/atomic_file.h"
#include "tools/dataset.h"
#include "tools/output_place.h"
#include "tools/stop_signal.h"
#include "tools/verbs.h"

namespace genexx::tools {
namespace {

struct BenchOptions {
  std::vector<std::string> names;
  std::string json, device = "cpu";
  int threads = 0;
  double seconds = 0.3;
  bool overwrite = false;
};

void run_bench(const BenchOptions& o, const std::string& command, Console& console) {
  if (!o.json.empty()) expect_output(o.json, o.overwrite);
  ThreadPool pool(o.threads > 0 ? o.threads : static_cast<int>(std::max(1u, std::thread::hardware_concurrency())));
  const std::unique_ptr<Context> ctx = make_context(o.device, &pool);
  const nlohmann::json document = bench::run_benches(*ctx, {.names = o.names,
                                                            .seconds = o.seconds,
                                                            .device = o.device,
                                                            .threads = pool.threads(),
                                                            .command = command,
                                                            .say = [&](const std::string& line) {
                                                              console.say(line);
                                                              expect_not_stopped("timing ops");
                                                            }});
  if (!o.json.empty()) write_file_atomically(o.json, document.dump(1) + "\n");
}

}  // namespace

void add_bench(CLI::App& app, Program& program) {
  CLI::App* verb = app.add_subcommand("bench", "Times the ops against the measured ceilings of this machine.");
  const auto o = std::make_shared<BenchOptions>();
  verb->add_option("NAME", o->names, "ops to time; all when none is given");
  verb->add_option("--json", o->json, "write the results to this file too");
  verb->add_flag("--overwrite,!--no-overwrite", o->overwrite, "replace that file if it is there");
  verb->add_option("--device", o->device, "cpu, cuda or cuda:N")->capture_default_str();
  verb->add_option("--threads", o->threads, "CPU threads; 0: as many as the machine has")->check(CLI::Range(0, 4096));
  verb->add_option("--seconds", o->seconds, "time spent on each")->capture_default_str()->check(CLI::PositiveNumber);
  verb->callback(
      [&program, o] { program.action = [&program, o] { run_bench(*o, program.command_line, program.console); }; });
}

}  // namespace genexx::tools
