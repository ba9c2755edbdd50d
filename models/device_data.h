// SPDX-License-Identifier: Apache-2.0
// Expression data where the kernels can read it, shared by every replica and never copied per replica.
#pragma once

#include "engine/context.h"
#include "engine/csr_matrix.h"
#include "engine/dense_matrix.h"
#include "engine/tensor.h"
#include "kernels/expression_data.h"
#include "models/training_set.h"

namespace genexx {

// On the CPU a view of the caller's arrays, which must outlive it; on CUDA a copy in device memory.
class DeviceData {
 public:
  DeviceData(Context& ctx, const CsrMatrix& matrix);
  DeviceData(Context& ctx, const DenseMatrix& matrix);
  // With labels, one for each row of the set's data, and targets.
  DeviceData(Context& ctx, const TrainingSet& set, const std::vector<std::int32_t>& row_labels);

  const ExpressionData& expression() const { return data_; }
  const ExpressionData& targets() const { return targets_; }  // dense; without rows outside regression
  ConstTensor labels() const { return labels_; }              // [rows] i32, absent in regression
  std::int64_t bytes() const { return bytes_; }               // copied to a device

 private:
  template <class T>
  ConstTensor place(Context& ctx, const std::vector<T>& values);
  ExpressionData place(Context& ctx, const CsrMatrix& matrix);
  ExpressionData place(Context& ctx, const DenseMatrix& matrix);

  std::vector<Buffer> buffers_;
  ExpressionData data_, targets_;
  ConstTensor labels_;
  std::int64_t bytes_ = 0;
};

}  // namespace genexx
