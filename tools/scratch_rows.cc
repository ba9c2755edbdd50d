// SPDX-License-Identifier: Apache-2.0
#include "tools/scratch_rows.h"

#include "engine/error.h"
#include "io/dense_rows.h"
#include "io/value_check.h"
#include "tools/stop_signal.h"

namespace genexx::tools {
namespace {

constexpr std::int64_t kRowsAtOnce = 256;

}  // namespace

std::unique_ptr<dgex::RowStore<float>> copy_to_scratch(MatrixSource& source, const std::string& directory,
                                                       Console& console, const std::string& what) {
  auto rows = std::make_unique<ScratchRows<float>>(directory, source.rows(), source.cols());
  CsrMatrix block;
  std::int64_t done = 0;
  while (source.next(block, kRowsAtOnce)) {
    check_values(block, done, source, ValueRule::finite);
    rows->write(done, block.rows, dense_rows(block).data());
    done += block.rows;
    console.show_progress(done, source.rows(), what);
    expect_not_stopped("reading");
  }
  console.end_progress();
  return rows;
}

}  // namespace genexx::tools
