// SPDX-License-Identifier: Apache-2.0
#include "io/npy_writer.h"

#include <fmt/format.h>

#include "engine/error.h"
#include "io/npy_header.h"

namespace genexx {

NpyWriter::NpyWriter(const std::string& path, DType dtype, const std::vector<std::int64_t>& shape)
    : file_(path), element_bytes_(size_of(dtype)), left_(1) {
  for (const std::int64_t extent : shape) left_ *= extent;
  file_.write(npy_header_bytes(dtype, shape));
}

void NpyWriter::append(const void* values, std::int64_t elements) {
  left_ -= elements;
  file_.write(values, static_cast<std::size_t>(elements * element_bytes_));
}

void NpyWriter::commit() {
  if (left_ != 0)
    throw UsageError(fmt::format("{}: {} elements are missing of what its shape says", file_.path(), left_));
  file_.commit();
}

}  // namespace genexx
