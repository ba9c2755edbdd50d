// SPDX-License-Identifier: Apache-2.0
// An op: sum += weight * value, elementwise in f64. Gathers losses over an epoch without a trip to the host, and may
// watch them: where a value [l, k] is not finite for the first time,
//   lost_at[k] = step[k], active[k] = 0
// so that nothing is learned from it and the step can be run again as it was.
#pragma once

#include "engine/context.h"
#include "engine/tensor.h"

namespace genexx {
class CudaContext;
}

namespace genexx::accumulate {

// All or none.
struct Watch {
  ConstTensor step;  // [r] i64
  Tensor lost_at;    // [r] i64; below 0: no value was lost so far
  Tensor active;     // [r] i32
};

struct Args {
  ConstTensor value;  // any shape, f64; [l, r] where it is watched
  double weight = 1;
  Tensor sum;  // the shape of value, f64; must not overlap it
  Watch watch = {};
};

// Throws ShapeError naming the wrong argument. Does not synchronize.
void run(Context& ctx, const Args& args);

namespace cpu {
void run(CpuContext& ctx, const Args& args);
}
namespace cuda {
void run(CudaContext& ctx, const Args& args);
}

}  // namespace genexx::accumulate
