// SPDX-License-Identifier: Apache-2.0
// The program's answer to signals and time limits. Only the program installs handlers, never the library.
#pragma once

#include <optional>

namespace genexx::tools {

// SIGTERM and SIGUSR1 ask to stop at the next step; SIGINT likewise, and a second one ends the program at once.
void watch_signals();

// After so many seconds from now the run is asked to stop.
void set_time_limit(double seconds);

// Whether somebody asked to stop. Thread-safe.
bool stop_requested();

// Throws RuntimeError, "stopped by SIGTERM while converting", where somebody asked to stop.
void expect_not_stopped(const char* doing);

// "SIGTERM", "SIGUSR1", "SIGINT" or "the time limit".
const char* stop_reason();

// Whether it was SIGINT, which ends with exit code 130.
bool interrupted();

}  // namespace genexx::tools
