// SPDX-License-Identifier: Apache-2.0
// A CSR matrix where the ops of a context can read it.
#pragma once

#include "engine/context.h"
#include "engine/csr_matrix.h"
#include "kernels/expression_data.h"

namespace genexx {

// On the CPU a view of `matrix`, which must then outlive it; elsewhere a copy.
class DeviceMatrix {
 public:
  DeviceMatrix(Context& ctx, const CsrMatrix& matrix);
  const ExpressionData& data() const { return data_; }

 private:
  Buffer row_begin_, column_, value_;
  ExpressionData data_;
};

}  // namespace genexx
