// SPDX-License-Identifier: Apache-2.0
#include "tools/console.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include <fmt/format.h>

namespace genexx::tools {
namespace {

constexpr int kBarWidth = 30;
constexpr auto kBarInterval = std::chrono::milliseconds(100);
constexpr auto kLineInterval = std::chrono::seconds(15);

bool on_terminal() { return isatty(STDERR_FILENO) == 1; }

bool colours() { return on_terminal() && std::getenv("NO_COLOR") == nullptr; }

}  // namespace

void Console::say(const std::string& text) {
  if (verbosity <= Verbosity::quiet) return;
  end_progress();
  fmt::print(stderr, "{}\n", text);
}

void Console::detail(const std::string& text) {
  if (verbosity == Verbosity::verbose) say(text);
}

void Console::warn(const std::string& text) {
  if (verbosity == Verbosity::silent) return;
  end_progress();
  fmt::print(stderr, "{}warning:{} {}\n", colours() ? "\033[33m" : "", colours() ? "\033[0m" : "", text);
}

void Console::show_progress(std::int64_t done, std::int64_t total, const std::string& note) {
  if (verbosity <= Verbosity::quiet || progress == ProgressStyle::none || total <= 0) return;
  const bool bar = progress == ProgressStyle::bar || (progress == ProgressStyle::automatic && on_terminal());
  const auto now = std::chrono::steady_clock::now();
  if (done < total && now - last_ < (bar ? std::chrono::steady_clock::duration(kBarInterval) : kLineInterval)) return;
  last_ = now;
  const double share = std::min(1.0, static_cast<double>(done) / static_cast<double>(total));
  if (!bar) {
    fmt::print(stderr, "{:3.0f} % ({}/{}) {}\n", 100 * share, done, total, note);
    return;
  }
  const int full = static_cast<int>(share * kBarWidth);
  fmt::print(stderr, "\r[{:#>{}}{:.>{}}] {:3.0f} % {}\033[K", "", full, "", kBarWidth - full, 100 * share, note);
  std::fflush(stderr);
  bar_on_screen_ = true;
}

void Console::end_progress() {
  if (bar_on_screen_) fmt::print(stderr, "\n");
  bar_on_screen_ = false;
}

}  // namespace genexx::tools
