// SPDX-License-Identifier: Apache-2.0
// Uses the installed library as an outside program does: headers by room, one function of the library, one error.
#include <cstdio>
#include <fstream>
#include <string>

#include "engine/csr_matrix.h"
#include "engine/error.h"
#include "engine/version.h"
#include "io/atomic_file.h"

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  const std::string path = argv[1];
  genexx::CsrMatrix cells;
  cells.rows = 2;
  cells.cols = 3;
  cells.row_begin = {0, 1, 3};
  cells.column = {2, 0, 1};
  cells.value = {1.0f, 2.0f, 3.0f};
  genexx::write_file_atomically(path, "stored values: " + std::to_string(cells.nnz()) + "\n");

  std::string line;
  std::getline(std::ifstream(path), line);
  std::puts(line.c_str());
  std::printf("library %s\n", genexx::version());
  try {
    genexx::write_file_atomically("/nonexistent/folder/file", "x");
  } catch (const genexx::Error& error) {
    std::printf("exit code %d\n", static_cast<int>(error.code()));
    return 0;
  }
  return 1;
}
