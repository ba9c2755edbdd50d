// SPDX-License-Identifier: Apache-2.0
// What the numbers of a matrix are: counts, logarithms of normalised counts, or scaled values.
#pragma once

#include <cstdint>
#include <string>

#include "engine/batch.h"

namespace genexx {

enum class MatrixKind { counts, log1p, log2p1, scaled, unknown };

// "counts", "log1p", "log2p1", "scaled", "unknown": the words of --input-kind.
const char* name_of(MatrixKind kind);

struct MatrixKindReport {
  MatrixKind kind = MatrixKind::unknown;
  std::string evidence;        // why, in words and numbers, for a person
  bool base_told = false;      // of a logarithm: false where only its range speaks, and log1p is an assumption
  double row_sum = 0;          // counts per cell that log-normalised values were scaled to; 0 where not told
  std::int64_t rows = 0;       // looked at
  std::int64_t stored = 0;     // non-zero values looked at, NaN and infinite ones included
  double least = 0, most = 0;  // of the finite values, the zeros included
  std::int64_t nan = 0, infinite = 0, negative = 0;
};

// Looks at all values of `sample`. Rules, the first that fits:
//   negative values                                                    scaled (unknown where all are whole numbers)
//   all whole                                                          counts
//   all within [0, 1], and at most a fifth of them zero                scaled
//   sums of exp(x) - 1, or of 2^x - 1, of the rows nearly all equal    log1p, log2p1
//   exp(x) - 1, or 2^x - 1, whole multiples of the row's smallest      log1p, log2p1 (a subset of the genes was kept)
//   largest value at most 25                                           log1p, the base not told
//   anything else                                                      unknown: normalised, but not logarithms
MatrixKindReport classify_matrix(const CsrMatrix& sample);

// Reads up to `rows` rows from the start (fewer where they hold over 4 million values) and rewinds the source.
MatrixKindReport classify_source(BatchSource& source, std::int64_t rows = 1000);

}  // namespace genexx
