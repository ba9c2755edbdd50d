// SPDX-License-Identifier: Apache-2.0
#include "tests/support/data.h"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>

#include <doctest/doctest.h>

namespace genexx::test {

std::optional<std::string> data_file(const std::string& name) {
  const char* folder = std::getenv("GENEXX_DATA");
  const std::string path = (folder ? std::string(folder) : std::string(GENEXX_SOURCE_DIR) + "/../shared/data") + "/" + name;
  if (std::filesystem::exists(path)) return path;
  const char* required = std::getenv("GENEXX_REQUIRE_DATA");
  if (required && std::string(required) == "1") {
    FAIL_CHECK("real data file not found, and GENEXX_REQUIRE_DATA=1: " << path);
  } else {
    std::fprintf(stderr, "SKIPPED: needs the real data file %s (set GENEXX_DATA)\n", path.c_str());
  }
  return std::nullopt;
}

TemporaryDirectory::TemporaryDirectory() {
  std::string pattern = (std::filesystem::temp_directory_path() / "genexx-test-XXXXXX").string();
  if (!mkdtemp(pattern.data())) throw std::runtime_error("cannot make a temporary directory " + pattern);
  path_ = pattern;
}

TemporaryDirectory::~TemporaryDirectory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace genexx::test
