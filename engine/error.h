// SPDX-License-Identifier: Apache-2.0
// Errors of the library. Each class is one kind of mistake, and each kind has the exit code the program ends with.
#pragma once

#include <stdexcept>
#include <string>

namespace genexx {

// The caller's file and line. Stands in for std::source_location, which clang 14 with libstdc++ 12 does not compile.
struct CodeLocation {
  const char* file;
  int line;
  static constexpr CodeLocation here(const char* file = __builtin_FILE(), int line = __builtin_LINE()) {
    return {file, line};
  }
};

// What the program returns to the shell; the numbers are part of its contract.
enum class ExitCode {
  done = 0,
  runtime = 1,  // unwritable, disk full, NaN loss
  usage = 2,    // unknown option or key, output exists
  input = 3,    // unreadable or unsupported input
  refused = 4,  // input read well but refused by a check
  device = 5,   // device or memory
  stopped = 6,  // signal or time limit, checkpoint valid
  interrupt = 130
};

// The root of all errors thrown by the library. `what()` is a whole message for a person: what was found, where, what
// was expected, and one thing to try.
class Error : public std::runtime_error {
 public:
  Error(ExitCode code, const std::string& message) : std::runtime_error(message), code_(code) {}
  ExitCode code() const { return code_; }

 private:
  ExitCode code_;
};

// Failed at run time: cannot write, disk full, loss became NaN.
class RuntimeError : public Error {
 public:
  explicit RuntimeError(const std::string& message) : Error(ExitCode::runtime, message) {}
};

// Wrong usage or configuration: unknown option or key, value out of range, output exists.
class UsageError : public Error {
 public:
  explicit UsageError(const std::string& message) : Error(ExitCode::usage, message) {}
};

// A file that is missing, malformed, truncated or of an unsupported kind.
class InputError : public Error {
 public:
  explicit InputError(const std::string& message) : Error(ExitCode::input, message) {}
};

// A well-formed input that a check refused: overlap too small, no labels, wrong kind of matrix.
class RefusedError : public Error {
 public:
  explicit RefusedError(const std::string& message) : Error(ExitCode::refused, message) {}
};

// A device that is missing or failed, or memory that ran out.
class DeviceError : public Error {
 public:
  explicit DeviceError(const std::string& message) : Error(ExitCode::device, message) {}
};

// Work stopped by a signal or a time limit after a valid checkpoint was written.
class StoppedError : public Error {
 public:
  explicit StoppedError(const std::string& message) : Error(ExitCode::stopped, message) {}
};

// A programming mistake of the caller of an op: wrong shape, wrong dtype, aliasing. Names file, line and argument.
class ShapeError : public Error {
 public:
  ShapeError(const std::string& message, CodeLocation at)
      : Error(ExitCode::runtime, std::string(at.file) + ":" + std::to_string(at.line) + ": " + message) {}
};

}  // namespace genexx
