// SPDX-License-Identifier: Apache-2.0
// bench_kernels DEVICE SECONDS FILE [OP...]: what `genexx bench` does, where the build leaves out the program. Writes
// the JSON to FILE. Exit codes as the program's: 2 usage, 5 no such device.
#include <algorithm>
#include <fstream>
#include <thread>

#include <fmt/format.h>

#include "bench/support/report.h"
#include "engine/device.h"
#include "engine/error.h"

namespace {

int run(const std::vector<std::string>& words) {
  if (words.size() < 4) throw genexx::UsageError("usage: bench_kernels DEVICE SECONDS FILE [OP...]");
  const int threads = static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
  genexx::ThreadPool pool(threads);
  const std::unique_ptr<genexx::Context> ctx = genexx::make_context(words[1], &pool);
  genexx::bench::ReportRequest request = {.names = {words.begin() + 4, words.end()},
                                          .seconds = std::stod(words[2]),
                                          .device = words[1],
                                          .threads = threads,
                                          .command = fmt::format("{}", fmt::join(words, " ")),
                                          .say = [](const std::string& line) { fmt::print("{}\n", line); }};
  const nlohmann::json document = genexx::bench::run_benches(*ctx, request);
  std::ofstream file(words[3]);
  file << document.dump(1) << "\n";
  if (!file.flush()) throw genexx::RuntimeError(words[3] + ": cannot be written");
  return 0;
}

}  // namespace

int main(int count, char** values) {
  try {
    return run({values, values + count});
  } catch (const genexx::Error& error) {
    fmt::print(stderr, "bench_kernels: {}\n", error.what());
    return static_cast<int>(error.code());
  } catch (const std::exception& error) {
    fmt::print(stderr, "bench_kernels: {}\n", error.what());
    return 1;
  }
}
