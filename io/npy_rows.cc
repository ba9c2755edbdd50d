// SPDX-License-Identifier: Apache-2.0
#include "io/npy_rows.h"

#include <vector>

#include <fmt/format.h>

#include "engine/error.h"

namespace genexx {

NpyRows::NpyRows(const std::string& path) : file_(path), header_(read_npy_header(file_)) {
  if (header_.shape.size() != 2)
    throw InputError(fmt::format("{} has {} dimensions, expected 2", path, header_.shape.size()));
  if (header_.order != NpyOrder::c)
    throw InputError(path + " is in Fortran order, expected C order; save numpy.ascontiguousarray of it");
}

void NpyRows::read(std::int64_t first, std::int64_t count, float* to) const {
  const std::int64_t elements = count * cols();
  std::vector<char> items(static_cast<std::size_t>(elements * header_.item_bytes));
  file_.read(items.data(), header_.data_begin + first * cols() * header_.item_bytes,
             static_cast<std::int64_t>(items.size()));
  decode_npy(header_, items.data(), elements, to);
}

}  // namespace genexx
