// SPDX-License-Identifier: Apache-2.0
// A matrix whose reading ends where somebody asks the program to stop.
#pragma once

#include <memory>
#include <utility>

#include "io/matrix_source.h"
#include "tools/stop_signal.h"

namespace genexx::tools {

class StoppableSource final : public MatrixSource {
 public:
  // `doing` is what the message says the program was at, "converting"; it must outlive the source.
  StoppableSource(std::unique_ptr<MatrixSource> source, const char* doing)
      : MatrixSource({.cell_names = source->cell_names(),
                      .gene_names = source->gene_names(),
                      .cells = source->cells(),
                      .genes = source->genes(),
                      .description = source->description(),
                      .warnings = source->warnings(),
                      .stored_values = source->stored_values()}),
        source_(std::move(source)),
        doing_(doing) {}

  // Throws RuntimeError when asked to stop.
  bool next(CsrMatrix& block, std::int64_t max_rows) override {
    expect_not_stopped(doing_);
    return source_->next(block, max_rows);
  }
  void rewind() override { source_->rewind(); }

 private:
  std::unique_ptr<MatrixSource> source_;
  const char* doing_;
};

}  // namespace genexx::tools
