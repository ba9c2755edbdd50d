// SPDX-License-Identifier: Apache-2.0
// Asking another program's opinion: scripts for the system's Python and its scientific packages.
#pragma once

#include <string>

namespace genexx::test {

struct PythonRun {
  bool ran = false;    // false: this Python or one of the modules is not installed, and the test was marked skipped
  int status = -1;     // exit status, 0 when all its assertions hold
  std::string output;  // stdout and stderr together
};

// Runs `script` with /usr/bin/python3 after importing `modules` ("anndata, numpy"). `argument` is sys.argv[1].
PythonRun run_python(const std::string& modules, const std::string& script, const std::string& argument);

}  // namespace genexx::test
