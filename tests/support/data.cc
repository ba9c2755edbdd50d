// SPDX-License-Identifier: Apache-2.0
#include "tests/support/data.h"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <stdexcept>

#include "tests/support/skip.h"

namespace genexx::test {

std::optional<std::string> data_file(const std::string& name) {
  const char* folder = std::getenv("GENEXX_DATA");
  const std::string path =
      (folder ? std::string(folder) : std::string(GENEXX_SOURCE_DIR) + "/../shared/data") + "/" + name;
  if (std::filesystem::exists(path)) return path;
  skip_test("needs the real data file " + path + " (set GENEXX_DATA)", "GENEXX_REQUIRE_DATA");
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
