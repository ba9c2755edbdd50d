// SPDX-License-Identifier: Apache-2.0
// A typed array in a context's memory, filled from the host or read back to it.
#pragma once

#include <span>
#include <vector>

#include "engine/context.h"
#include "engine/tensor.h"

namespace genexx {

template <class T>
class DeviceVector {
 public:
  // Not initialized. The context must outlive the vector.
  DeviceVector(Context& ctx, const Shape& shape)
      : ctx_(ctx), buffer_(ctx, shape.elements() * static_cast<std::int64_t>(sizeof(T))), shape_(shape) {}
  // A copy of `values`, which has as many elements as the shape.
  DeviceVector(Context& ctx, const Shape& shape, std::span<const T> values) : DeviceVector(ctx, shape) {
    ctx_.copy_to_device(buffer_.data(), values.data(), buffer_.bytes());
  }

  Tensor tensor() const { return {buffer_.data(), DTypeOf<T>::value, shape_}; }
  operator Tensor() const { return tensor(); }       // NOLINT: meant to be implicit
  operator ConstTensor() const { return tensor(); }  // NOLINT: meant to be implicit

  // Waits for the work that writes it.
  std::vector<T> download() const {
    std::vector<T> values(static_cast<std::size_t>(shape_.elements()));
    ctx_.copy_to_host(values.data(), buffer_.data(), buffer_.bytes());
    return values;
  }

 private:
  Context& ctx_;
  Buffer buffer_;
  Shape shape_;
};

}  // namespace genexx
