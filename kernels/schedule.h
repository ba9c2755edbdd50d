// SPDX-License-Identifier: Apache-2.0
// An op: what ends a step. Counts it and sets the learning rate of the next one:
//   step[r] += 1        lr[r] = base_lr[r] * factor^(step[r] / every)      (whole division)
// The step-wise fall of the learning rate of scAnnoNet (spec, Training): every 20 steps lr *= 0.99.
#pragma once

#include "engine/context.h"
#include "engine/tensor.h"

namespace genexx {
class CudaContext;
}

namespace genexx::schedule {

struct Args {
  Tensor step;          // [r] i64, read and written
  ConstTensor base_lr;  // [r] f64
  Tensor lr;            // [r] f64
  double factor = 1;
  std::int64_t every = 1;  // at least 1
};

// Throws ShapeError naming the wrong argument. Does not synchronize.
void run(Context& ctx, const Args& args);

namespace cpu {
void run(CpuContext& ctx, const Args& args);
}
namespace cuda {
void run(CudaContext& ctx, const Args& args);
}

}  // namespace genexx::schedule
