// SPDX-License-Identifier: Apache-2.0
// Rows of a NumPy matrix that stays on the disk.
#pragma once

#include <cstdint>
#include <string>

#include "io/binary_file.h"
#include "io/npy_header.h"

namespace genexx {

class NpyRows {
 public:
  // Throws InputError for what is no matrix of numbers in C order.
  explicit NpyRows(const std::string& path);

  std::int64_t rows() const { return header_.shape[0]; }
  std::int64_t cols() const { return header_.shape[1]; }

  // Rows [first, first + count) as [count, cols].
  void read(std::int64_t first, std::int64_t count, float* to) const;

 private:
  BinaryFile file_;
  NpyHeader header_;
};

}  // namespace genexx
