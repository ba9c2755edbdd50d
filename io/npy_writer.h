// SPDX-License-Identifier: Apache-2.0
// Writing a NumPy array in pieces.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/dtype.h"
#include "io/atomic_file.h"

namespace genexx {

// One array of known shape, C order, elements appended in order. Throws RuntimeError when the file cannot be written,
// UsageError at commit() when the elements are not as many as the shape says.
class NpyWriter {
 public:
  NpyWriter(const std::string& path, DType dtype, const std::vector<std::int64_t>& shape);

  // `elements` of the dtype.
  void append(const void* values, std::int64_t elements);
  void commit();

 private:
  AtomicFile file_;
  std::int64_t element_bytes_, left_;  // left_: elements that are still to come
};

}  // namespace genexx
