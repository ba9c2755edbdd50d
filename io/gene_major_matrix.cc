// SPDX-License-Identifier: Apache-2.0
#include "io/gene_major_matrix.h"

#include <algorithm>
#include <utility>

namespace genexx {
namespace {

constexpr std::int64_t kCellsAtOnce = 32;  // a block of so many cells by all genes is turned at a time

class GeneMajorSource final : public MatrixSource {
 public:
  GeneMajorSource(Annotations annotations, GeneMajorMatrix matrix)
      : MatrixSource(std::move(annotations)), matrix_(std::move(matrix)) {}

  bool next(CsrMatrix& block, std::int64_t max_rows) override {
    block.rows = 0;
    block.cols = cols();
    block.row_begin.assign(1, 0);
    block.column.clear();
    block.value.clear();
    const std::int64_t end = row_ + std::min(std::max<std::int64_t>(max_rows, 1), rows() - row_);
    while (row_ < end) take(std::min(kCellsAtOnce, end - row_), block);
    return block.rows > 0;
  }

  void rewind() override { row_ = 0; }

 private:
  void take(std::int64_t cells, CsrMatrix& block) {
    const std::int64_t genes = cols();
    turned_.resize(static_cast<std::size_t>(cells * genes));
    for (std::int64_t g = 0; g < genes; ++g) {
      const float* from = matrix_.values.data() + g * matrix_.cells + row_;
      for (std::int64_t c = 0; c < cells; ++c) turned_[static_cast<std::size_t>(c * genes + g)] = from[c];
    }
    for (std::int64_t c = 0; c < cells; ++c) {
      const float* row = turned_.data() + c * genes;
      for (std::int64_t g = 0; g < genes; ++g) {
        if (row[g] == 0.0f) continue;
        block.column.push_back(static_cast<std::int32_t>(g));
        block.value.push_back(row[g]);
      }
      block.row_begin.push_back(static_cast<std::int64_t>(block.column.size()));
    }
    block.rows += cells;
    row_ += cells;
  }

  GeneMajorMatrix matrix_;
  std::vector<float> turned_;
  std::int64_t row_ = 0;
};

}  // namespace

std::unique_ptr<MatrixSource> gene_major_source(Annotations annotations, GeneMajorMatrix matrix) {
  return std::make_unique<GeneMajorSource>(std::move(annotations), std::move(matrix));
}

}  // namespace genexx
