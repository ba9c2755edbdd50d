// SPDX-License-Identifier: Apache-2.0
// An op: dropout with inverted scaling, forward and backward alike (the mask is drawn again, never stored).
//   y = keep(i, u) ? x / (1 - p) : 0      for row i and unit u
//   keep: word >= p 2^32, where word is number u % 4 of philox(key, {u / 4, first_row + i, step, step >> 32})
//         (Form::unit), or number 0 of philox(key, {0, first_row + i, step, step >> 32}) for all units (Form::row)
//   key = philox_key(seed, stream)
// The mask depends on replica seed, stream, step, row and unit alone, so CPU, CUDA, every batch split and every number
// of replicas draw the same bits. p = 0 copies exactly, p = 1 gives zeros; a dropped NaN gives 0. Source: Srivastava et
// al., "Dropout", JMLR 15 (2014), with the scaling at training time.
#pragma once

#include "engine/context.h"
#include "engine/tensor.h"

namespace genexx {
class CudaContext;
}

namespace genexx::dropout {

enum class Form { unit, row };  // drop single units, or whole rows

struct Args {
  ConstTensor x;               // [r, n, c], f32 or f64; in backward the gradient of forward's y
  Tensor y;                    // [r, n, c]; may be x
  ConstTensor seed;            // [r] i64
  ConstTensor step;            // [r] i64: optimizer steps done, so that each step draws a new mask
  ConstTensor rate;            // [r] f64: p, in [0, 1]
  std::uint32_t stream = 0;    // one for each dropout layer
  std::int64_t first_row = 0;  // number of row 0 where a batch is worked on in parts; its low 32 bits count
  Form form = Form::unit;
  WriteMode mode = WriteMode::overwrite;
};

// Throws ShapeError naming the wrong argument; accumulating in place is refused. Does not synchronize.
void apply(Context& ctx, const Args& args);

// What one rate means for the words of the generator: words below `threshold` are dropped, the others times `scale`.
struct Rate {
  bool all = false;  // p = 1: nothing is kept
  std::uint32_t threshold = 0;
  double scale = 1;
};

// The same on every device: one multiplication and one division, both exactly rounded.
constexpr Rate rate_of(double p) {
  if (p >= 1) return {true, 0, 0};
  if (!(p > 0)) return {};
  return {false, static_cast<std::uint32_t>(p * 4294967296.0), 1.0 / (1.0 - p)};
}

namespace cpu {
void apply(CpuContext& ctx, const Args& args);
}
namespace cuda {
void apply(CudaContext& ctx, const Args& args);
}

}  // namespace genexx::dropout
