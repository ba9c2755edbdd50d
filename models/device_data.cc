// SPDX-License-Identifier: Apache-2.0
#include "models/device_data.h"

#include <algorithm>

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

ExpressionData DeviceData::place(Context& ctx, const CsrMatrix& matrix) {
  std::int64_t longest = 0;
  for (std::size_t i = 1; i < matrix.row_begin.size(); ++i)
    longest = std::max(longest, matrix.row_begin[i] - matrix.row_begin[i - 1]);
  return {.row_begin = place(ctx, matrix.row_begin),
          .column = place(ctx, matrix.column),
          .value = place(ctx, matrix.value),
          .cols = matrix.cols,
          .longest_row = longest};
}

ExpressionData DeviceData::place(Context& ctx, const DenseMatrix& matrix) {
  const ConstTensor flat = place(ctx, matrix.value);
  return {.dense = {flat.data, flat.dtype, {matrix.rows, matrix.cols}}, .cols = matrix.cols};
}

DeviceData::DeviceData(Context& ctx, const CsrMatrix& matrix) : data_(place(ctx, matrix)) {}

DeviceData::DeviceData(Context& ctx, const DenseMatrix& matrix) : data_(place(ctx, matrix)) {}

DeviceData::DeviceData(Context& ctx, const TrainingSet& set, const std::vector<std::int32_t>& row_labels)
    : data_(set.dense.empty() ? place(ctx, set.data) : place(ctx, set.dense)) {
  if (!set.targets.empty()) targets_ = place(ctx, set.targets);
  if (!row_labels.empty()) labels_ = place(ctx, row_labels);
}

}  // namespace genexx
