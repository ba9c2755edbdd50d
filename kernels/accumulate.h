// SPDX-License-Identifier: Apache-2.0
// An op: sum += weight * value, elementwise in f64. Gathers losses over an epoch without a trip to the host.
#pragma once

#include "engine/context.h"
#include "engine/tensor.h"

namespace genexx {
class CudaContext;
}

namespace genexx::accumulate {

struct Args {
  ConstTensor value;  // any shape, f64
  double weight = 1;
  Tensor sum;  // the shape of value, f64; must not overlap it
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
