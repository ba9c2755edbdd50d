// SPDX-License-Identifier: Apache-2.0
#include "tools/output_place.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <exception>
#include <filesystem>

#include "engine/error.h"

namespace genexx::tools {

namespace fs = std::filesystem;

void expect_place(const std::string& path) {
  std::error_code error;
  fs::path place = fs::absolute(path, error).lexically_normal();
  if (fs::exists(place, error) && !fs::is_directory(place, error)) {
    if (!fs::is_regular_file(place, error)) return;  // a pipe or a device: writing tells
    place = place.parent_path();
  }
  while (!fs::exists(place, error) && place != place.parent_path()) place = place.parent_path();
  const auto refuse = [&](const std::string& reason) {
    throw RuntimeError(path + " cannot be written: " + place.string() + ": " + reason +
                       "; choose a place you may write to");
  };
  if (!fs::is_directory(place, error)) refuse("is a file, expected a directory");
  if (access(place.c_str(), W_OK | X_OK) != 0) refuse(std::strerror(errno));
}

void expect_output(const std::string& path, bool overwrite) {
  if (!overwrite && fs::exists(path))
    throw UsageError(path + " is there already; choose another name, or give --overwrite to replace it");
  expect_place(path);
}

OutputFiles::OutputFiles(std::vector<std::string> paths, bool overwrite) : errors_(std::uncaught_exceptions()) {
  for (const std::string& path : paths) {
    expect_output(path, overwrite);
    if (!fs::exists(path)) added_.push_back(path);
  }
}

OutputFiles::~OutputFiles() {
  if (std::uncaught_exceptions() <= errors_) return;
  std::error_code error;
  for (const std::string& path : added_) fs::remove(path, error);
}

}  // namespace genexx::tools
