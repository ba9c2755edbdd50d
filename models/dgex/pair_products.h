// SPDX-License-Identifier: Apache-2.0
// Scalar products of all pairs of two sets of rows, on the context's device.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/context.h"

namespace genexx::dgex {

struct RowBlock {
  const float* values = nullptr;  // [rows, cols] in host memory
  std::int64_t rows = 0;
};

// Holds device memory for the largest pair of blocks asked for so far.
class PairProducts {
 public:
  PairProducts(Context& ctx, std::int64_t cols) : ctx_(ctx), cols_(cols) {}

  // products[i * b.rows + j] = a_i . b_j, in f32. Waits for the device.
  void run(const RowBlock& a, const RowBlock& b, std::vector<float>& products);

 private:
  float* load(Buffer& buffer, const RowBlock& block);

  Context& ctx_;
  std::int64_t cols_;
  Buffer a_, b_, c_;
};

}  // namespace genexx::dgex
