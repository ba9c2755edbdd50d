// SPDX-License-Identifier: Apache-2.0
// An op: confusion counts, from which accuracy, precision, recall and F1 follow, and the cross-entropy beside them.
//   predicted[i] = argmax over c of scores[i, c], the first of equals (NaN is never the largest; all NaN: class 0)
//   counts[label, predicted] += 1 for every row with a label in 0 to k - 1
//   cross_entropy += log(sum over c of exp(scores[i, c])) - scores[i, label], for every row that is counted
// Counts are integers, so that the order of counting cannot matter. The cross-entropy is computed in f64 from the
// scores as they are, the largest taken away first; on the CPU the rows are added one after another.
#pragma once

#include "engine/context.h"
#include "engine/tensor.h"

namespace genexx {
class CudaContext;
}

namespace genexx::metrics_confusion {

struct Args {
  ConstTensor scores;         // [r, n, k] logits or probabilities, f32 or f64, k >= 1
  ConstTensor labels;         // [r, n] i32, or [1, n]: the same for every replica; outside 0 to k - 1: not counted
  Tensor counts;              // [r, k, k] i64, rows are labels, columns predictions; added to
  Tensor predicted;           // [r, n] i32, also of rows not counted; absent: not wanted
  Tensor cross_entropy = {};  // [r] f64, scores being logits; added to; absent: not wanted
};

// Throws ShapeError naming the wrong argument. Does not synchronize.
void count(Context& ctx, const Args& args);

namespace cpu {
void count(CpuContext& ctx, const Args& args);
}
namespace cuda {
void count(CudaContext& ctx, const Args& args);
}

}  // namespace genexx::metrics_confusion
