// SPDX-License-Identifier: Apache-2.0
#include "models/device_data.h"

namespace genexx {

template <class T>
ConstTensor DeviceData::place(Context& ctx, const std::vector<T>& values) {
  const auto count = static_cast<std::int64_t>(values.size());
  if (ctx.device() == DeviceType::cpu) return {values.data(), DTypeOf<T>::value, {count}};
  const std::int64_t bytes = count * static_cast<std::int64_t>(sizeof(T));
  buffers_.emplace_back(ctx, bytes > 0 ? bytes : 1);
  ctx.copy_to_device(buffers_.back().data(), values.data(), bytes);
  bytes_ += bytes;
  return {buffers_.back().data(), DTypeOf<T>::value, {count}};
}

DeviceData::DeviceData(Context& ctx, const CsrMatrix& matrix, const std::vector<std::int32_t>& labels) {
  data_.row_begin = place(ctx, matrix.row_begin);
  data_.column = place(ctx, matrix.column);
  data_.value = place(ctx, matrix.value);
  data_.cols = matrix.cols;
  labels_ = place(ctx, labels);
}

}  // namespace genexx
