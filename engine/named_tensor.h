// SPDX-License-Identifier: Apache-2.0
// A tensor with a name and its own host memory: how weights travel between models and files.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "engine/dtype.h"

namespace genexx {

struct NamedTensor {
  std::string name;
  DType dtype = DType::f32;
  std::vector<std::int64_t> shape;  // any rank; [] is a scalar
  std::vector<std::byte> bytes;     // row-major, little-endian, product(shape) * size_of(dtype)
};

}  // namespace genexx
