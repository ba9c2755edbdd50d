// SPDX-License-Identifier: Apache-2.0
#include "engine/tensor.h"

#include <functional>

namespace genexx {

std::string to_string(const Shape& shape) {
  std::string text = "[";
  for (int i = 0; i < shape.rank(); ++i) text += (i ? ", " : "") + std::to_string(shape[i]);
  return text + "]";
}

void expect_shape(const char* name, const ConstTensor& t, const Shape& want, CodeLocation at) {
  if (!(t.shape == want))
    throw ShapeError(std::string(name) + " is " + to_string(t.shape) + ", expected " + to_string(want), at);
}

void expect_dtype(const char* name, const ConstTensor& t, DType want, CodeLocation at) {
  if (t.dtype != want)
    throw ShapeError(std::string(name) + " is " + name_of(t.dtype) + ", expected " + name_of(want), at);
}

void expect_present(const char* name, const ConstTensor& t, CodeLocation at) {
  if (!t) throw ShapeError(std::string(name) + " is absent, expected a tensor", at);
}

void expect_separate(const char* a_name, const ConstTensor& a, const char* b_name, const ConstTensor& b,
                     CodeLocation at) {
  const auto* a_begin = static_cast<const char*>(a.data);
  const auto* b_begin = static_cast<const char*>(b.data);
  const auto* a_end = a_begin + a.shape.elements() * size_of(a.dtype);
  const auto* b_end = b_begin + b.shape.elements() * size_of(b.dtype);
  const std::less<const char*> before;
  if (before(a_begin, b_end) && before(b_begin, a_end))
    throw ShapeError(std::string(a_name) + " overlaps " + b_name + ", expected separate memory", at);
}

}  // namespace genexx
