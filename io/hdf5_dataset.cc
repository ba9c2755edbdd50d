// SPDX-License-Identifier: Apache-2.0
#include "io/hdf5_dataset.h"

#include <algorithm>
#include <array>
#include <limits>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "io/hdf5_limits.h"

namespace genexx::hdf5 {
namespace {

// Product that stops at the largest number instead of overflowing.
std::int64_t saturating_product(std::int64_t a, std::int64_t b) {
  std::int64_t product = 0;
  return __builtin_mul_overflow(a, b, &product) ? std::numeric_limits<std::int64_t>::max() : product;
}

std::int64_t volume(const std::vector<std::int64_t>& shape) {
  std::int64_t product = 1;
  for (const std::int64_t extent : shape) {
    if (extent == 0) return 0;
    product = saturating_product(product, extent);
  }
  return product;
}

std::int64_t to_signed(hsize_t value) {
  const auto limit = static_cast<hsize_t>(std::numeric_limits<std::int64_t>::max());
  return static_cast<std::int64_t>(value > limit ? limit : value);
}

std::vector<std::int64_t> to_signed(const std::array<hsize_t, H5S_MAX_RANK>& values, int rank) {
  std::vector<std::int64_t> out;
  for (int i = 0; i < rank; ++i) out.push_back(to_signed(values[static_cast<std::size_t>(i)]));
  return out;
}

std::vector<Filter> filters_of(hid_t plist) {
  std::vector<Filter> filters;
  const int count = H5Pget_nfilters(plist);
  for (int i = 0; i < count; ++i) {
    std::array<unsigned, 32> values{};
    std::size_t value_count = values.size();
    unsigned flags = 0;
    const H5Z_filter_t id =
        H5Pget_filter2(plist, static_cast<unsigned>(i), &flags, &value_count, values.data(), 0, nullptr, nullptr);
    Filter filter;
    filter.id = id;
    filter.values.assign(values.begin(),
                         values.begin() + static_cast<std::ptrdiff_t>(std::min(value_count, values.size())));
    filters.push_back(filter);
  }
  return filters;
}

std::string filter_problem(const Node& dataset, const std::vector<Filter>& filters) {
  int compressors = 0;
  for (const Filter& filter : filters) {
    if (!is_supported(filter)) {
      const std::string file = dataset.file().name;
      return fmt::format(
          "is compressed with HDF5 filter {} ({}), which is not built in (built in: gzip, shuffle, "
          "fletcher32, lzf). Rewrite the file once where that filter is installed: "
          "`h5repack -f GZIP=4 {} repacked.h5`.",
          filter.id, filter_name(filter.id), file);
    }
    if (filter.id == H5Z_FILTER_SHUFFLE && !filter.values.empty() && filter.values[0] > (1u << 20)) {
      return "has a shuffle filter with an absurd element size. The file is damaged.";
    }
    compressors += filter.id == H5Z_FILTER_DEFLATE || filter.id > 255 ? 1 : 0;
  }
  if (compressors > 1 || filters.size() > 4)
    return fmt::format(
        "has {} filters in a row, expected at most 4 of which one "
        "compresses.",
        filters.size());
  return "";
}

}  // namespace

std::int64_t DatasetInfo::elements() const { return null ? 0 : volume(shape); }

std::int64_t DatasetInfo::chunk_bytes() const {
  return chunk.empty() ? 0 : saturating_product(volume(chunk), type.size);
}

DatasetInfo describe_dataset(const Node& dataset) {
  const QuietErrors quiet;
  const Id space(H5Dget_space(dataset.id()));
  const Id type(H5Dget_type(dataset.id()));
  const Id plist(H5Dget_create_plist(dataset.id()));
  if (!space.valid() || !type.valid() || !plist.valid()) {
    dataset.fail(fmt::format("its shape or type cannot be read: damaged file ({})", last_error()));
  }
  DatasetInfo info;
  info.null = H5Sget_simple_extent_type(space.get()) == H5S_NULL;
  std::array<hsize_t, H5S_MAX_RANK> extents{};
  const int rank = info.null ? 0 : H5Sget_simple_extent_dims(space.get(), extents.data(), nullptr);
  if (rank < 0) dataset.fail(fmt::format("its shape cannot be read: damaged file ({})", last_error()));
  info.shape = to_signed(extents, rank);
  info.type = element_type(type.get());
  if (H5Pget_layout(plist.get()) == H5D_CHUNKED) {
    const int chunk_rank = H5Pget_chunk(plist.get(), H5S_MAX_RANK, extents.data());
    if (chunk_rank != rank) dataset.fail(fmt::format("has {} extents and {} chunk extents", rank, chunk_rank));
    info.chunk = to_signed(extents, rank);
  }
  info.filters = filters_of(plist.get());
  info.stored_bytes = to_signed(H5Dget_storage_size(dataset.id()));
  return info;
}

std::string reading_problem(const Node& dataset, const DatasetInfo& info) {
  const std::string shape = fmt::format("[{}]", fmt::join(info.shape, " x "));
  if (static_cast<std::int64_t>(info.shape.size()) > kMaximumRank) {
    return fmt::format("has {} dimensions, expected at most {}", info.shape.size(), kMaximumRank);
  }
  if (std::string problem = filter_problem(dataset, info.filters); !problem.empty()) return problem;
  if (info.type.kind == ElementKind::fixed_string && info.type.size > kMaximumStringBytes) {
    return fmt::format("has strings of {} bytes, expected at most {}", info.type.size, kMaximumStringBytes);
  }
  if (info.chunk_bytes() > kMaximumChunkBytes) {
    return fmt::format(
        "has chunks of [{}] elements, {} MB each; at most {} MB are read. Rewrite it with smaller chunks: "
        "`h5repack -l CHUNK=...`.",
        fmt::join(info.chunk, " x "), info.chunk_bytes() >> 20, kMaximumChunkBytes >> 20);
  }
  if (info.stored_bytes > dataset.file().bytes) {
    return fmt::format("claims {} stored bytes in a file of {} bytes. The file is truncated or damaged.",
                       info.stored_bytes, dataset.file().bytes);
  }
  const std::int64_t longest = info.shape.empty() ? 0 : *std::max_element(info.shape.begin(), info.shape.end());
  if (info.elements() == 0 && longest > kFreeExtentBytes) {
    return fmt::format("claims an extent of {} without any element. The file is damaged.", shape);
  }
  const std::int64_t extent_bytes = saturating_product(info.elements(), info.type.size);
  if (extent_bytes > kFreeExtentBytes && extent_bytes / kMaximumExpansion > info.stored_bytes) {
    return fmt::format(
        "claims {} elements, {} bytes, but only {} bytes are stored. Expected at most {} times the stored "
        "bytes; the file is damaged or was never filled.",
        shape, extent_bytes, info.stored_bytes, kMaximumExpansion);
  }
  return "";
}

std::string placed_problem(const Node& dataset, const DatasetInfo& info) {
  const std::string problem = reading_problem(dataset, info);
  return problem.empty() ? "" : dataset.place() + ": " + problem;
}

DatasetInfo readable_dataset(const Node& dataset) {
  DatasetInfo info = describe_dataset(dataset);
  const std::string problem = reading_problem(dataset, info);
  if (!problem.empty()) dataset.fail(problem);
  return info;
}

}  // namespace genexx::hdf5
