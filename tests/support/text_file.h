// SPDX-License-Identifier: Apache-2.0
// Files written by tests, and the messages of the errors they expect.
#pragma once

#include <string>

#include "engine/csr_matrix.h"
#include "io/matrix_source.h"

namespace genexx::test {

void write_text(const std::string& path, const std::string& bytes);
std::string read_text(const std::string& path);

// One gzip member.
std::string gzip(const std::string& text);

inline bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

// The message of the `Kind` of error that `action` throws, or "no error". Other errors pass through.
template <typename Kind, typename Action>
std::string message_of(Action&& action) {
  try {
    action();
  } catch (const Kind& error) {
    return error.what();
  }
  return "no error";
}

// All rows of a source, read in blocks of `block_rows`.
CsrMatrix read_all(BatchSource& source, std::int64_t block_rows = 64);

// Row-major dense copy, for matrices a person can read.
std::vector<float> dense(const CsrMatrix& matrix);

}  // namespace genexx::test
