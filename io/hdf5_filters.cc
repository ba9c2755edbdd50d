// SPDX-License-Identifier: Apache-2.0
#include "io/hdf5_filters.h"

#include <hdf5.h>
#include <lzf.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <utility>

#include <fmt/format.h>

#include "io/hdf5.h"
#include "io/hdf5_limits.h"

namespace genexx::hdf5 {
namespace {

constexpr int kLzf = 32000;
using Bytes = std::vector<std::uint8_t>;

// The decoder HDF5 calls for datasets that it reads itself (variable-length strings). h5py stores the chunk size in
// values[2], but counts 8 bytes for a variable-length string that takes 16: it is where to begin, not a bound.
extern "C" std::size_t decode_lzf(unsigned flags, std::size_t value_count, const unsigned* values, std::size_t bytes,
                                  std::size_t* buffer_size, void** buffer) {
  if (!(flags & H5Z_FLAG_REVERSE)) return 0;
  std::size_t room = value_count >= 3 && values[2] > 0 ? values[2] : 4 * bytes;
  for (; room <= static_cast<std::size_t>(kMaximumChunkBytes); room *= 2) {
    void* out = std::malloc(room);
    if (!out) return 0;
    const unsigned length = lzf_decompress(*buffer, static_cast<unsigned>(bytes), out, static_cast<unsigned>(room));
    if (length > 0) {
      std::free(*buffer);
      *buffer = out;
      *buffer_size = room;
      return length;
    }
    const bool too_small = errno == E2BIG;
    std::free(out);
    if (!too_small) return 0;
  }
  return 0;
}

Bytes inflate_chunk(const Node& dataset, const Bytes& in, std::int64_t expected) {
  Bytes out(static_cast<std::size_t>(expected));
  z_stream stream{};
  if (inflateInit(&stream) != Z_OK) dataset.fail("zlib cannot start (no memory)");
  stream.next_in = const_cast<Bytef*>(in.data());  // zlib does not write to it
  stream.avail_in = static_cast<uInt>(in.size());
  stream.next_out = out.data();
  stream.avail_out = static_cast<uInt>(out.size());
  const int status = inflate(&stream, Z_FINISH);
  const auto written = static_cast<std::int64_t>(stream.total_out);
  inflateEnd(&stream);
  if (status != Z_STREAM_END || written != expected) {
    dataset.fail(
        fmt::format("a gzip chunk of {} bytes is damaged: it gives {} bytes, expected {}. Fetch the file again.",
                    in.size(), written, expected));
  }
  return out;
}

Bytes decompress_lzf(const Node& dataset, const Bytes& in, std::int64_t expected) {
  Bytes out(static_cast<std::size_t>(expected));
  const unsigned written =
      lzf_decompress(in.data(), static_cast<unsigned>(in.size()), out.data(), static_cast<unsigned>(out.size()));
  if (written != out.size()) {
    dataset.fail(
        fmt::format("an LZF chunk of {} bytes is damaged: it gives {} bytes, expected {}. Fetch the file again.",
                    in.size(), written, expected));
  }
  return out;
}

// Fletcher-32 over big-endian 16-bit words, an odd last byte being the high byte of a word (HDF5 file format
// specification, filter 3; the checksum follows the data, little endian).
std::uint32_t fletcher32(const Bytes& bytes, std::size_t length) {
  std::uint64_t low = 0;
  std::uint64_t high = 0;
  for (std::size_t i = 0; i < length; i += 2) {
    const std::uint32_t next = i + 1 < length ? bytes[i + 1] : 0u;
    low = (low + ((std::uint32_t{bytes[i]} << 8) | next)) % 65535;
    high = (high + low) % 65535;
  }
  return static_cast<std::uint32_t>((high << 16) | low);
}

void drop_checksum(const Node& dataset, Bytes& bytes) {
  if (bytes.size() < 4) dataset.fail("a chunk is too short to hold its Fletcher-32 checksum. Fetch the file again.");
  const std::size_t length = bytes.size() - 4;
  std::uint32_t stored = 0;
  for (std::size_t i = 0; i < 4; ++i) stored |= std::uint32_t{bytes[length + i]} << (8 * i);
  const std::uint32_t found = fletcher32(bytes, length);
  // 0 and 65535 are the same residue, and writers differ in which they keep.
  const auto residue = [](std::uint32_t half) { return half % 65535; };
  if (residue(stored >> 16) != residue(found >> 16) || residue(stored & 0xFFFF) != residue(found & 0xFFFF)) {
    dataset.fail(fmt::format("the Fletcher-32 checksum of a chunk is {:08x}, expected {:08x}. Fetch the file again.",
                             found, stored));
  }
  bytes.resize(length);
}

Bytes unshuffle(const Bytes& in, std::size_t size) {
  const std::size_t count = in.size() / size;
  Bytes out(in);
  for (std::size_t b = 0; b < size; ++b) {
    for (std::size_t i = 0; i < count; ++i) out[i * size + b] = in[b * count + i];
  }
  return out;
}

}  // namespace

std::string filter_name(int id) {
  static constexpr std::array<std::pair<int, const char*>, 15> kNames{{{1, "gzip"},
                                                                       {2, "shuffle"},
                                                                       {3, "fletcher32"},
                                                                       {4, "szip"},
                                                                       {5, "nbit"},
                                                                       {6, "scaleoffset"},
                                                                       {307, "bzip2"},
                                                                       {kLzf, "lzf"},
                                                                       {32001, "blosc"},
                                                                       {32004, "lz4"},
                                                                       {32008, "bitshuffle"},
                                                                       {32013, "zfp"},
                                                                       {32015, "zstd"},
                                                                       {32017, "sz"},
                                                                       {32026, "blosc2"}}};
  const auto at = std::find_if(kNames.begin(), kNames.end(), [&](const auto& entry) { return entry.first == id; });
  return at == kNames.end() ? fmt::format("filter {}", id) : at->second;
}

bool is_supported(const Filter& filter) {
  return filter.id == H5Z_FILTER_DEFLATE || filter.id == H5Z_FILTER_SHUFFLE || filter.id == H5Z_FILTER_FLETCHER32 ||
         filter.id == kLzf;
}

void register_lzf() {
  if (H5Zfilter_avail(kLzf) > 0) return;
  const H5Z_class2_t lzf{H5Z_CLASS_T_VERS, kLzf, 0, 1, "lzf", nullptr, nullptr, decode_lzf};
  H5Zregister(&lzf);
}

void undo_filters(const Node& dataset, const std::vector<Filter>& filters, StoredChunk&& stored,
                  std::int64_t expected_bytes, ChunkBytes& chunk) {
  chunk.bytes = std::move(stored.bytes);
  chunk.shuffled = false;
  for (std::size_t i = filters.size(); i-- > 0;) {
    if (i < 32 && (stored.skipped >> i & 1u)) continue;
    std::int64_t expected = expected_bytes;  // checksums that were appended before this filter are still there
    for (std::size_t before = 0; before < i; ++before) {
      if (filters[before].id == H5Z_FILTER_FLETCHER32 && !(stored.skipped >> before & 1u)) expected += 4;
    }
    if (filters[i].id == H5Z_FILTER_DEFLATE) chunk.bytes = inflate_chunk(dataset, chunk.bytes, expected);
    if (filters[i].id == kLzf) chunk.bytes = decompress_lzf(dataset, chunk.bytes, expected);
    if (filters[i].id == H5Z_FILTER_FLETCHER32) drop_checksum(dataset, chunk.bytes);
    if (filters[i].id == H5Z_FILTER_SHUFFLE && !filters[i].values.empty() && filters[i].values[0] > 1) {
      if (i == 0) {
        chunk.shuffled = true;
      } else {
        chunk.bytes = unshuffle(chunk.bytes, filters[i].values[0]);
      }
    }
  }
  if (static_cast<std::int64_t>(chunk.bytes.size()) != expected_bytes) {
    dataset.fail(fmt::format("a chunk has {} bytes, expected {}. The file is damaged; fetch it again.",
                             chunk.bytes.size(), expected_bytes));
  }
}

}  // namespace genexx::hdf5
