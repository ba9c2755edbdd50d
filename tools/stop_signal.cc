// SPDX-License-Identifier: Apache-2.0
#include "tools/stop_signal.h"

#include <unistd.h>
#include <csignal>

#include <atomic>
#include <chrono>
#include <string>

#include "engine/error.h"

namespace genexx::tools {
namespace {

// A handler can reach nothing but static storage; these are the program's, not the library's.
std::atomic<int> caught{0};
std::atomic<std::int64_t> deadline_ns{0};

std::int64_t now_ns() { return std::chrono::steady_clock::now().time_since_epoch().count(); }

extern "C" void on_signal(int number) {
  if (number == SIGINT && caught.load() == SIGINT) _exit(130);
  caught.store(number);
}

}  // namespace

void watch_signals() {
  struct sigaction action {};
  action.sa_handler = on_signal;
  sigemptyset(&action.sa_mask);
  action.sa_flags = SA_RESTART;
  for (const int number : {SIGTERM, SIGUSR1, SIGINT}) sigaction(number, &action, nullptr);
  for (const int number : {SIGPIPE, SIGXFSZ}) std::signal(number, SIG_IGN);  // errors of a write, with a message
}

void set_time_limit(double seconds) { deadline_ns.store(now_ns() + static_cast<std::int64_t>(seconds * 1e9)); }

bool stop_requested() {
  const std::int64_t deadline = deadline_ns.load(std::memory_order_relaxed);
  return caught.load(std::memory_order_relaxed) != 0 || (deadline != 0 && now_ns() >= deadline);
}

void expect_not_stopped(const char* doing) {
  if (stop_requested()) throw RuntimeError(std::string("stopped by ") + stop_reason() + " while " + doing);
}

const char* stop_reason() {
  switch (caught.load()) {
    case SIGTERM:
      return "SIGTERM";
    case SIGUSR1:
      return "SIGUSR1";
    case SIGINT:
      return "SIGINT";
    default:
      return "the time limit";
  }
}

bool interrupted() { return caught.load() == SIGINT; }

}  // namespace genexx::tools
