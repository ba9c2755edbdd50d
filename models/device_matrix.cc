// SPDX-License-Identifier: Apache-2.0
#include "models/device_matrix.h"

namespace genexx {
namespace {

template <class T>
ConstTensor placed(Context& ctx, const std::vector<T>& values, Buffer& buffer) {
  const Shape shape = {static_cast<std::int64_t>(values.size())};
  if (ctx.device() == DeviceType::cpu) return {values.data(), DTypeOf<T>::value, shape};
  buffer = Buffer(ctx, shape.elements() * size_of(DTypeOf<T>::value));
  ctx.copy_to_device(buffer.data(), values.data(), buffer.bytes());
  return {buffer.data(), DTypeOf<T>::value, shape};
}

}  // namespace

DeviceMatrix::DeviceMatrix(Context& ctx, const CsrMatrix& matrix) {
  data_.row_begin = placed(ctx, matrix.row_begin, row_begin_);
  data_.column = placed(ctx, matrix.column, column_);
  data_.value = placed(ctx, matrix.value, value_);
  data_.cols = matrix.cols;
}

}  // namespace genexx
