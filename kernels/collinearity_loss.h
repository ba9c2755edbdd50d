// SPDX-License-Identifier: Apache-2.0
// An op: collinearity loss (CFC) with its gradient. With K = Z^T Z of the batch Z [n, h]:
//   loss = |sum(K) - trace(K)| / D / n
//   D = max(n^2 - h, n^2 / 2)   (Denominator::guarded: never zero or negative, whatever n and h)
//   D = n^2 - h                 (Denominator::reference: not finite at n^2 = h, negative below)
// No product is formed: sum(K) - trace(K) = S = sum over rows of (s_i^2 - q_i), with s_i the sum and q_i the sum of
// squares of row i. So dz[i, j] = scale sign(S) 2 (s_i - z[i, j]) / D / n, with sign(0) = 0. z may have any sign.
// Source: scAnnoNet, CFC, divided by the batch size as in its total loss; the closed form is ours. No rows: loss 0.
#pragma once

#include "engine/context.h"
#include "engine/tensor.h"

namespace genexx {
class CudaContext;
}

namespace genexx::collinearity_loss {

enum class Denominator { guarded, reference };

struct Args {
  ConstTensor z;  // [r, n, h], f32 or f64
  Denominator denominator = Denominator::guarded;
  ConstTensor scale;  // [r] f64: weight of this loss in the total; multiplies dz, not loss; absent: 1
  Tensor loss;        // [r] f64
  Tensor dz;          // [r, n, h]; absent: not wanted
  WriteMode mode = WriteMode::overwrite;  // of dz
};

// dz does not overlap z. Throws ShapeError naming the wrong argument. Does not synchronize.
void run(Context& ctx, const Args& args);

// D n of the formulas above.
constexpr double divisor_of(Denominator denominator, std::int64_t n, std::int64_t h) {
  const double square = static_cast<double>(n) * static_cast<double>(n), plain = square - static_cast<double>(h);
  const double d = denominator == Denominator::guarded && plain < square / 2 ? square / 2 : plain;
  return d * static_cast<double>(n);
}

namespace cpu {
void run(CpuContext& ctx, const Args& args);
}
namespace cuda {
void run(CudaContext& ctx, const Args& args);
}

}  // namespace genexx::collinearity_loss
