// SPDX-License-Identifier: Apache-2.0
#include "tests/support/python.h"

#include <sys/wait.h>

#include <array>
#include <cstdio>
#include <fstream>

#include "tests/support/data.h"
#include "tests/support/skip.h"

namespace genexx::test {
namespace {

constexpr int kMissingModule = 77;

}  // namespace

PythonRun run_python(const std::string& modules, const std::string& script, const std::string& argument) {
  const TemporaryDirectory directory;
  const std::string file = directory.file("script.py");
  std::ofstream(file) << "import sys, warnings\nwarnings.filterwarnings('ignore')\ntry:\n  import " << modules
                      << "\nexcept ImportError:\n  sys.exit(" << kMissingModule << ")\n"
                      << script;
  PythonRun run;
  const std::string command = "/usr/bin/python3 -E '" + file + "' '" + argument + "' 2>&1";
  std::FILE* pipe = popen(command.c_str(), "r");
  if (!pipe) return run;
  std::array<char, 4096> buffer;
  for (std::size_t n = 0; (n = std::fread(buffer.data(), 1, buffer.size(), pipe)) > 0;)
    run.output.append(buffer.data(), n);
  const int status = pclose(pipe);
  run.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  run.ran = run.status != kMissingModule && run.status != 126 && run.status != 127;
  if (!run.ran) skip_test("needs /usr/bin/python3 with " + modules);
  return run;
}

}  // namespace genexx::test
