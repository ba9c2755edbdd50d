// SPDX-License-Identifier: Apache-2.0
#include "io/hdf5_append.h"

#include <zlib.h>

#include <algorithm>

#include "io/parallel_for.h"

namespace genexx::hdf5 {
namespace {

constexpr std::int64_t kChunk = std::int64_t{1} << 16;
constexpr std::int64_t kChunksAtOnce = 16;

// The byte shuffle of HDF5: byte b of element i goes to b * elements + i.
std::vector<std::uint8_t> shuffled(const std::uint8_t* bytes, std::int64_t elements, std::int64_t size) {
  std::vector<std::uint8_t> out(static_cast<std::size_t>(elements * size));
  for (std::int64_t b = 0; b < size; ++b) {
    for (std::int64_t i = 0; i < elements; ++i) out[static_cast<std::size_t>(b * elements + i)] = bytes[i * size + b];
  }
  return out;
}

std::vector<std::uint8_t> compressed(const std::vector<std::uint8_t>& bytes, int level) {
  uLongf size = compressBound(bytes.size());
  std::vector<std::uint8_t> out(size);
  compress2(out.data(), &size, bytes.data(), bytes.size(),
            level);  // cannot fail: the bound is kept and the level valid
  out.resize(size);
  return out;
}

}  // namespace

VectorAppender::VectorAppender(const Node& parent, const std::string& name, const AppendPlan& plan)
    : plan_(plan),
      element_bytes_(static_cast<std::int64_t>(H5Tget_size(plan.type))),
      dataset_(create_dataset(
          parent, name,
          {.file_type = plan.type, .shape = {0}, .chunk = {kChunk}, .can_grow = true, .gzip_level = plan.gzip_level})) {
}

void VectorAppender::append(const void* bytes, std::int64_t count) {
  const auto* begin = static_cast<const std::uint8_t*>(bytes);
  size_ += count;
  const std::int64_t batch = kChunksAtOnce * kChunk * element_bytes_;
  for (std::int64_t left = count * element_bytes_; left > 0;) {
    const std::int64_t n = std::min(left, batch - static_cast<std::int64_t>(pending_.size()));
    pending_.insert(pending_.end(), begin, begin + n);
    begin += n;
    left -= n;
    if (static_cast<std::int64_t>(pending_.size()) == batch) write_chunks(kChunksAtOnce);
  }
}

void VectorAppender::write_chunks(std::int64_t chunks) {
  const QuietErrors quiet;
  const std::int64_t chunk_bytes = kChunk * element_bytes_;
  pending_.resize(static_cast<std::size_t>(chunks * chunk_bytes));  // the last chunk of all is padded with zeros
  std::vector<std::vector<std::uint8_t>> stored(static_cast<std::size_t>(chunks));
  parallel_for(chunks, plan_.threads, [&](std::int64_t i) {
    const std::uint8_t* chunk = pending_.data() + i * chunk_bytes;
    stored[static_cast<std::size_t>(i)] = plan_.gzip_level > 0
                                              ? compressed(shuffled(chunk, kChunk, element_bytes_), plan_.gzip_level)
                                              : std::vector<std::uint8_t>(chunk, chunk + chunk_bytes);
  });
  const auto extent = static_cast<hsize_t>(std::min(size_, (chunks_written_ + chunks) * kChunk));
  if (H5Dset_extent(dataset_.id(), &extent) < 0) fail_write(dataset_, "", "the dataset cannot grow");
  for (const std::vector<std::uint8_t>& bytes : stored) {
    const auto offset = static_cast<hsize_t>(chunks_written_++ * kChunk);
    if (H5Dwrite_chunk(dataset_.id(), H5P_DEFAULT, 0, &offset, bytes.size(), bytes.data()) < 0) {
      fail_write(dataset_, "", "a chunk cannot be written");
    }
  }
  pending_.clear();
  check_written(dataset_.file());
}

void VectorAppender::finish() {
  const std::int64_t chunk_bytes = kChunk * element_bytes_;
  const std::int64_t left = static_cast<std::int64_t>(pending_.size());
  if (left > 0) write_chunks((left + chunk_bytes - 1) / chunk_bytes);
}

}  // namespace genexx::hdf5
