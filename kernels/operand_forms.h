// SPDX-License-Identifier: Apache-2.0
// An op: matrices in the number formats that products take (kernels/number_formats.h), row by row, rows apart by a
// pitch that suits 16-byte loads:
//   high = x rounded to bf16, or to tf32                 low = x - high rounded to tf32, where wanted
// What lies between the end of a row and the next becomes zero.
#pragma once

#include "engine/context.h"
#include "engine/tensor.h"

namespace genexx {
class CudaContext;
}

namespace genexx::operand_forms {

struct Args {
  ConstTensor x;  // [r, n, c] f32
  Tensor high;    // [r, n, pitch] bf16 or f32, from an address that 16 divides; pitch as below
  Tensor low;     // as high, f32 only; or absent: then high is the nearest tf32, without regard to a remainder
};

// The least number of elements from c on whose bytes 16 divides.
std::int64_t pitch(std::int64_t c, DType dtype);

// Moves 4 bytes an element of x and 2, 4 or 8 of the result. Throws ShapeError naming the wrong argument. Does not
// synchronize.
void run(Context& ctx, const Args& args);

namespace cpu {
void run(CpuContext& ctx, const Args& args);
}
namespace cuda {
void run(CudaContext& ctx, const Args& args);
}

}  // namespace genexx::operand_forms
