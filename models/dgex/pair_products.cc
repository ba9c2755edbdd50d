// SPDX-License-Identifier: Apache-2.0
#include "models/dgex/pair_products.h"

#include "kernels/gemm.h"

namespace genexx::dgex {
namespace {

constexpr std::int64_t kFloat = static_cast<std::int64_t>(sizeof(float));

void reserve(Context& ctx, Buffer& buffer, std::int64_t bytes) {
  if (buffer.bytes() < bytes) buffer = Buffer(ctx, bytes);
}

}  // namespace

float* PairProducts::load(Buffer& buffer, const RowBlock& block) {
  const std::int64_t bytes = block.rows * cols_ * kFloat;
  reserve(ctx_, buffer, bytes);
  ctx_.copy_to_device(buffer.data(), block.values, bytes);
  return buffer.as<float>();
}

void PairProducts::run(const RowBlock& a, const RowBlock& b, std::vector<float>& products) {
  const float* left = load(a_, a);
  const float* right = a.values == b.values && a.rows == b.rows ? left : load(b_, b);
  reserve(ctx_, c_, a.rows * b.rows * kFloat);
  gemm::run(ctx_, {.a = ConstTensor(left, DType::f32, {1, a.rows, cols_}),
                   .b = ConstTensor(right, DType::f32, {1, b.rows, cols_}),
                   .c = {c_.data(), DType::f32, {1, a.rows, b.rows}},
                   .transpose_b = gemm::Transpose::yes});
  products.resize(static_cast<std::size_t>(a.rows * b.rows));
  ctx_.copy_to_host(products.data(), c_.data(), a.rows * b.rows * kFloat);
}

}  // namespace genexx::dgex
