// SPDX-License-Identifier: Apache-2.0
// Where outputs may go, looked at before the work that fills them; and files written together, of which a failure
// leaves none.
#pragma once

#include <string>
#include <vector>

namespace genexx::tools {

// Throws RuntimeError where nothing can be made at `path`: its nearest ancestor that exists must be a directory that
// may be written to.
void expect_place(const std::string& path);

// Throws UsageError when `path` is there already and --overwrite was not given, RuntimeError as expect_place().
void expect_output(const std::string& path, bool overwrite);

// The files of one result. Where an error ends their scope, those that were not there before are removed.
class OutputFiles {
 public:
  // As expect_output() for every path.
  OutputFiles(std::vector<std::string> paths, bool overwrite);
  ~OutputFiles();
  OutputFiles(const OutputFiles&) = delete;
  OutputFiles& operator=(const OutputFiles&) = delete;

 private:
  std::vector<std::string> added_;
  int errors_ = 0;  // in flight at construction
};

}  // namespace genexx::tools
