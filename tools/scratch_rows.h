// SPDX-License-Identifier: Apache-2.0
// Rows on disk for the models that ask for them.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "io/matrix_source.h"
#include "io/scratch_file.h"
#include "models/dgex/row_store.h"
#include "tools/console.h"

namespace genexx::tools {

template <class T>
class ScratchRows final : public dgex::RowStore<T> {
 public:
  ScratchRows(const std::string& directory, std::int64_t rows, std::int64_t cols)
      : file_(directory), rows_(rows), cols_(cols) {}
  std::int64_t rows() const override { return rows_; }
  std::int64_t cols() const override { return cols_; }
  void write(std::int64_t first, std::int64_t count, const T* from) override {
    file_.write(from, first * cols_ * kElement, count * cols_ * kElement);
  }
  void read(std::int64_t first, std::int64_t count, T* to) const override {
    file_.read(to, first * cols_ * kElement, count * cols_ * kElement);
  }

 private:
  static constexpr std::int64_t kElement = static_cast<std::int64_t>(sizeof(T));
  ScratchFile file_;
  std::int64_t rows_, cols_;
};

// Copies all values of a source to disk. Throws RefusedError naming the place of a value that is not finite.
std::unique_ptr<dgex::RowStore<float>> copy_to_scratch(MatrixSource& source, const std::string& directory,
                                                       Console& console, const std::string& what);

}  // namespace genexx::tools
