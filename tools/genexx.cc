// SPDX-License-Identifier: Apache-2.0
// The program: finds the verb, runs it, turns errors into a message and an exit code.
#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <new>
#include <string>
#include <system_error>
#include <vector>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "engine/error.h"
#include "engine/version.h"
#include "models/config.h"
#include "tools/completion.h"
#include "tools/stop_signal.h"
#include "tools/verbs.h"

namespace {

using genexx::ExitCode;

int leave(ExitCode code) { return static_cast<int>(code); }

// "genexx help VERB" is "genexx VERB --help".
std::vector<std::string> arguments(int argc, char** argv) {
  std::vector<std::string> all(argv + 1, argv + argc);
  if (!all.empty() && all[0] == "help") {
    all.erase(all.begin());
    all.push_back("--help");
  }
  return all;
}

// An error as a message for people, empty where there is nobody to tell, and an exit code.
struct Failure {
  ExitCode code = ExitCode::runtime;
  std::string message;
  genexx::tools::ProgramRanks::Cause cause = genexx::tools::ProgramRanks::Cause::own;
};

// The exception being handled.
Failure current_failure() {
  try {
    throw;
  } catch (const genexx::Error& error) {
    const bool stopped = error.code() == ExitCode::stopped || error.code() == ExitCode::runtime;
    using Cause = genexx::tools::ProgramRanks::Cause;
    return {stopped && genexx::tools::interrupted() ? ExitCode::interrupt : error.code(), error.what(),
            dynamic_cast<const genexx::RankError*>(&error) ? Cause::other_rank : Cause::own};
  } catch (const std::bad_alloc&) {
    return {ExitCode::device, "out of memory; use fewer replicas, --limit-cells, or a machine with more memory"};
  } catch (const std::system_error& error) {
    // Whoever read our output has gone; there is nobody to tell.
    return {ExitCode::runtime, error.code() == std::errc::broken_pipe ? "" : error.what()};
  } catch (const std::exception& error) {
    return {ExitCode::runtime, std::string("internal error: ") + error.what()};
  }
}

void add_verbs(CLI::App& app, genexx::tools::Program& program) {
  using namespace genexx::tools;
  add_inspect(app, program);
  add_train(app, program);
  add_tune(app, program);
  add_predict(app, program);
  add_evaluate(app, program);
  add_embed(app, program);
  add_homology(app, program);
  add_prepare_dgex(app, program);
  add_explain(app, program);
  add_export(app, program);
  add_select_genes(app, program);
  add_split(app, program);
  add_simulate(app, program);
  add_convert(app, program);
  add_info(app, program);
  add_bench(app, program);
  add_slurm_script(app, program);
  add_completion(app, program);
}

void add_common_options(CLI::App& app, genexx::tools::Program& program) {
  using namespace genexx::tools;
  for (CLI::App* verb : app.get_subcommands({})) {
    verb->add_flag_callback(
        "--quiet", [&] { program.console.verbosity = Verbosity::quiet; }, "say nothing but warnings");
    verb->add_flag_callback(
        "-v,--verbose", [&] { program.console.verbosity = Verbosity::verbose; }, "say more");
    verb->add_option_function<std::string>(
            "--progress",
            [&](const std::string& style) {
              program.console.progress = style == "bar"     ? ProgressStyle::bar
                                         : style == "plain" ? ProgressStyle::plain
                                         : style == "none"  ? ProgressStyle::none
                                                            : ProgressStyle::automatic;
            },
            "auto, bar, plain or none")
        ->check(CLI::IsMember({"auto", "bar", "plain", "none"}));
  }
}

// What CLI11 found wrong, and the nearest option where one is unknown.
int report_usage(const CLI::App& app, const CLI::ParseError& error) {
  if (error.get_exit_code() == static_cast<int>(CLI::ExitCodes::Success)) return app.exit(error), 0;
  fmt::print(stderr, "genexx: {}\n", error.what());
  const CLI::App* verb = app.get_subcommands().empty() ? &app : app.get_subcommands().front();
  const std::string message = error.what();
  const std::size_t at = message.find("--");
  if (error.get_exit_code() == static_cast<int>(CLI::ExitCodes::ExtrasError) && at != std::string::npos) {
    std::vector<std::string> known;
    for (const CLI::Option* option : verb->get_options())
      for (const std::string& name : option->get_lnames()) known.push_back("--" + name);
    const std::string typed = message.substr(at, message.find_first_of(" =", at) - at);
    fmt::print(stderr, "Did you mean {}?\n", genexx::nearest_name(typed, known));
  }
  fmt::print(stderr, "See genexx {}--help\n", verb == &app ? std::string() : verb->get_name() + " ");
  return leave(ExitCode::usage);
}

// Throws UsageError with the nearest verb when the first word is none.
void expect_verb(const CLI::App& app, const std::string& word) {
  if (word.empty() || word[0] == '-') return;
  std::vector<std::string> verbs;
  for (const CLI::App* verb : app.get_subcommands({})) verbs.push_back(verb->get_name());
  if (std::find(verbs.begin(), verbs.end(), word) != verbs.end()) return;
  throw genexx::UsageError(fmt::format("there is no verb '{}'; did you mean {}? See genexx --help", word,
                                       genexx::nearest_name(word, verbs)));
}

int run(int argc, char** argv) {
  genexx::tools::Program program;
  program.command_line = "genexx";
  for (int i = 1; i < argc; ++i) program.command_line += std::string(" ") + argv[i];
  CLI::App app("Trains and applies gene-expression neural networks.", "genexx");
  app.set_version_flag("--version", std::string("genexx ") + genexx::version());
  app.require_subcommand(1);
  app.footer("genexx help VERB explains a verb.");
  add_verbs(app, program);
  add_common_options(app, program);
  std::vector<std::string> typed = arguments(argc, argv);
  if (typed.empty()) typed.emplace_back("--help");
  expect_verb(app, typed[0]);
  try {
    app.parse(std::vector<std::string>(typed.rbegin(), typed.rend()));
  } catch (const CLI::ParseError& error) {
    return report_usage(app, error);
  }
  genexx::tools::watch_signals();
  try {
    program.action();
    program.ranks.finish();
  } catch (...) {
    program.console.end_progress();
    const Failure failure = current_failure();
    program.ranks.leave(failure.code, failure.message, failure.cause);
    return leave(failure.code);
  }
  return leave(ExitCode::done);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const int code = run(argc, argv);
    if (code == 0 && (std::fflush(stdout) != 0 || std::ferror(stdout)))
      throw genexx::RuntimeError(std::string("cannot write to the standard output: ") + std::strerror(errno));
    return code;
  } catch (...) {
    const Failure failure = current_failure();
    if (!failure.message.empty()) fmt::print(stderr, "genexx: {}\n", failure.message);
    return leave(failure.code);
  }
}
