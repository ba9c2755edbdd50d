// SPDX-License-Identifier: Apache-2.0
// Expression data where the kernels can read it, shared by every replica and never copied per replica.
#pragma once

#include "engine/context.h"
#include "engine/csr_matrix.h"
#include "engine/tensor.h"
#include "kernels/ingest.h"

namespace genexx {

// On the CPU a view of the caller's arrays, which must outlive it; on CUDA a copy in device memory.
class DeviceData {
 public:
  DeviceData(Context& ctx, const CsrMatrix& matrix, const std::vector<std::int32_t>& labels);

  const ingest::Data& expression() const { return data_; }
  ConstTensor labels() const { return labels_; }  // [cells] i32
  std::int64_t bytes() const { return bytes_; }   // copied to a device

 private:
  template <class T>
  ConstTensor place(Context& ctx, const std::vector<T>& values);

  std::vector<Buffer> buffers_;
  ingest::Data data_;
  ConstTensor labels_;
  std::int64_t bytes_ = 0;
};

}  // namespace genexx
