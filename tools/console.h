// SPDX-License-Identifier: Apache-2.0
// What the program says to people, all of it on stderr.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace genexx::tools {

enum class Verbosity { silent, quiet, normal, verbose };  // silent: no warnings either
enum class ProgressStyle { automatic, bar, plain, none };

class Console {
 public:
  Verbosity verbosity = Verbosity::normal;
  ProgressStyle progress = ProgressStyle::automatic;

  // A line, unless --quiet.
  void say(const std::string& text);
  // A line with -v only.
  void detail(const std::string& text);
  // A line beginning "warning: ", also with --quiet.
  void warn(const std::string& text);

  // Progress of `done` in `total` with a note: a bar redrawn in place on a terminal, else a line now and then.
  void show_progress(std::int64_t done, std::int64_t total, const std::string& note);
  // Ends a bar that is on screen.
  void end_progress();

 private:
  bool bar_on_screen_ = false;
  std::chrono::steady_clock::time_point last_{};
};

}  // namespace genexx::tools
