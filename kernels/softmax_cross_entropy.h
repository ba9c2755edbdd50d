// SPDX-License-Identifier: Apache-2.0
// An op: softmax cross-entropy with its gradient, mean over rows as torch.nn.CrossEntropyLoss defines it.
//   p = softmax(logits)     a_i = s_i w[y_i]     W = sum of a_i     e = label_smoothing
//   loss = (1/W) sum over rows of (1-e) a_i (-log p[i, y_i]) + (e/k) s_i sum over c of w[c] (-log p[i, c])
//   dlogits[i, c] = (scale/W) ((1-e) a_i (p[i, c] - [c = y_i]) + (e/k) s_i (p[i, c] sum(w) - w[c]))
// w are class weights and s sample weights, 1 where absent. A row with label -1 (or any label outside 0 to k - 1;
// readers of labels check them) is ignored: it adds nothing and its gradient is 0. W = 0, such as when all rows are
// ignored: loss 0, gradient 0. Log-sum-exp with the largest logit taken away, so that logits of +-1e4 give finite
// numbers; NaN in a logit gives a NaN loss. Sources: torch.nn.CrossEntropyLoss; label smoothing of Szegedy et al., CVPR
// 2016, section 7.
#pragma once

#include "engine/context.h"
#include "engine/tensor.h"

namespace genexx {
class CudaContext;
}

namespace genexx::softmax_cross_entropy {

struct Args {
  ConstTensor logits;          // [r, n, k], f32 or f64
  ConstTensor labels;          // [r, n] i32, or [1, n]: the same for every replica
  ConstTensor class_weight;    // [r, k] >= 0, or absent: 1
  ConstTensor sample_weight;   // [r, n] >= 0, or absent: 1
  double label_smoothing = 0;  // e, in [0, 1]
  ConstTensor scale;           // [r] f64: weight of this loss in the total; multiplies dlogits, not loss; absent: 1
  Tensor loss;                 // [r] f64
  Tensor counts;               // [r, k, k] i64: the confusion counts of kernels/metrics_confusion.h, which are added
                               // to; absent: not wanted
  Tensor dlogits;              // [r, n, k]; absent: not wanted
  Tensor probabilities;        // [r, n, k], also of ignored rows; absent: not wanted
  WriteMode mode = WriteMode::overwrite;  // of dlogits
};

// Outputs overlap no input. Throws ShapeError naming the wrong argument. Does not synchronize.
void run(Context& ctx, const Args& args);

namespace cpu {
void run(CpuContext& ctx, const Args& args);
}
namespace cuda {
void run(CudaContext& ctx, const Args& args);
}

}  // namespace genexx::softmax_cross_entropy
