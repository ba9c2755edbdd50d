// SPDX-License-Identifier: Apache-2.0
// Views of memory somebody else owns: a pointer, an element type and a shape. Row-major, no strides.
#pragma once

#include <array>
#include <cassert>
#include <cstdint>
#include <initializer_list>
#include <string>

#include "engine/dtype.h"
#include "engine/error.h"

namespace genexx {

// Up to four extents. By convention: parameters [r, ...], activations [r, n, c], losses [r], where r counts replicas.
class Shape {
 public:
  static constexpr int kMaxRank = 4;

  Shape() = default;
  Shape(std::initializer_list<std::int64_t> extents) {
    assert(extents.size() <= kMaxRank);
    for (const std::int64_t e : extents) extents_[static_cast<std::size_t>(rank_++)] = e;
  }
  int rank() const { return rank_; }
  std::int64_t operator[](int axis) const {
    assert(axis >= 0 && axis < rank_);
    return extents_[static_cast<std::size_t>(axis)];
  }
  void set(int axis, std::int64_t extent) {
    assert(axis >= 0 && axis < rank_);
    extents_[static_cast<std::size_t>(axis)] = extent;
  }
  std::int64_t elements() const {
    std::int64_t product = 1;
    for (int i = 0; i < rank_; ++i) product *= extents_[static_cast<std::size_t>(i)];
    return product;
  }
  friend bool operator==(const Shape& a, const Shape& b) {
    if (a.rank_ != b.rank_) return false;
    for (int i = 0; i < a.rank_; ++i)
      if (a[i] != b[i]) return false;
    return true;
  }

 private:
  std::array<std::int64_t, kMaxRank> extents_{};
  int rank_ = 0;
};

// "[2, 3]"
std::string to_string(const Shape& shape);

// A writable view. Copying copies the view, not the elements; a default Tensor means "absent".
struct Tensor {
  void* data = nullptr;
  DType dtype = DType::f32;
  Shape shape;

  explicit operator bool() const { return data != nullptr; }
  template <class T>
  T* as() const {
    assert(dtype == DTypeOf<T>::value);
    return static_cast<T*>(data);
  }
};

// A read-only view; any Tensor converts to one.
struct ConstTensor {
  const void* data = nullptr;
  DType dtype = DType::f32;
  Shape shape;

  ConstTensor() = default;
  ConstTensor(const void* d, DType t, const Shape& s) : data(d), dtype(t), shape(s) {}
  ConstTensor(const Tensor& t) : data(t.data), dtype(t.dtype), shape(t.shape) {}  // NOLINT: meant to be implicit
  explicit operator bool() const { return data != nullptr; }
  template <class T>
  const T* as() const {
    assert(dtype == DTypeOf<T>::value);
    return static_cast<const T*>(data);
  }
};

// Whether an op's backward output replaces what is there or is added to it.
enum class WriteMode { overwrite, accumulate };

// Throws ShapeError naming the argument, what it is and what it should be:
//   kernels/batch_norm.cc:9: gamma is [2], expected [3]
void expect_shape(const char* name, const ConstTensor& t, const Shape& want, CodeLocation at = CodeLocation::here());

// Throws ShapeError naming the argument: "labels is f32, expected i32".
void expect_dtype(const char* name, const ConstTensor& t, DType want, CodeLocation at = CodeLocation::here());

// Throws ShapeError when the argument is absent: "gamma is absent, expected a tensor".
void expect_present(const char* name, const ConstTensor& t, CodeLocation at = CodeLocation::here());

// Throws ShapeError when two views overlap in memory: "dx overlaps dy, expected separate memory".
void expect_separate(const char* a_name, const ConstTensor& a, const char* b_name, const ConstTensor& b,
                     CodeLocation at = CodeLocation::here());

}  // namespace genexx
