// SPDX-License-Identifier: Apache-2.0
// Real data for tests: a folder that is not part of the project. Without it such tests skip and say so.
#pragma once

#include <optional>
#include <string>

namespace genexx::test {

// Path of `name` in the data folder (environment GENEXX_DATA, else ../shared/data beside the source tree). Without the
// folder: nullopt and a line "SKIPPED: ..." on stderr, or a failed check where GENEXX_REQUIRE_DATA=1.
std::optional<std::string> data_file(const std::string& name);

// A fresh empty directory under the build's temporary folder, removed when the object goes.
class TemporaryDirectory {
 public:
  TemporaryDirectory();
  ~TemporaryDirectory();
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  const std::string& path() const { return path_; }
  std::string file(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

}  // namespace genexx::test
