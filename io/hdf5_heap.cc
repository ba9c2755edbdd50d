// SPDX-License-Identifier: Apache-2.0
#include "io/hdf5_heap.h"

#include <algorithm>
#include <cstring>

#include <fmt/format.h>

namespace genexx::hdf5 {
namespace {

constexpr std::int64_t kHeaderBytes = 16;  // of a collection, and of each object in it
constexpr std::int64_t kMaximumCollection = std::int64_t{16} << 20;
constexpr std::int64_t kCacheBytes = std::int64_t{4} << 20;

[[noreturn]] void fail_heap(const Node& node, const std::string& what) {
  node.fail(fmt::format("its strings cannot be read: {}. The file is truncated or damaged; fetch it again.", what));
}

}  // namespace

std::uint64_t little_endian(const std::uint8_t* at, int bytes) {
  std::uint64_t value = 0;
  for (int i = bytes; i-- > 0;) value = value << 8 | at[i];
  return value;
}

RawFile::RawFile(const Node& node) : file_(node.file().path, std::ios::binary) {
  const QuietErrors quiet;
  if (!file_) node.fail("the file cannot be opened a second time");
  const Id file(H5Iget_file_id(node.id()));
  const Id plist(H5Fget_create_plist(file.get()));
  std::size_t address_bytes = 0;
  std::size_t length_bytes = 0;
  hsize_t user_block = 0;
  usual_ = H5Pget_sizes(plist.get(), &address_bytes, &length_bytes) >= 0 && address_bytes == 8 && length_bytes == 8 &&
           H5Pget_userblock(plist.get(), &user_block) >= 0;
  base_ = user_block;
}

std::vector<std::uint8_t> RawFile::read(const Node& node, std::uint64_t address, std::int64_t size) {
  const auto end = static_cast<std::uint64_t>(node.file().bytes);
  const std::uint64_t first = base_ + address;
  if (first < base_ || first > end || size < 0 || static_cast<std::uint64_t>(size) > end - first) {
    fail_heap(node, fmt::format("{} bytes at address {} lie outside of the file of {} bytes", size, address, end));
  }
  std::vector<std::uint8_t> bytes(static_cast<std::size_t>(size));
  file_.clear();
  file_.seekg(static_cast<std::streamoff>(first));
  if (!file_.read(reinterpret_cast<char*>(bytes.data()), size)) {
    fail_heap(node, fmt::format("{} bytes at address {} cannot be read", size, address));
  }
  return bytes;
}

const GlobalHeap::Collection& GlobalHeap::collection(const Node& node, std::uint64_t address) {
  const auto known = collections_.find(address);
  if (known != collections_.end()) return known->second;
  const std::vector<std::uint8_t> header = file_.read(node, address, kHeaderBytes);
  const auto size = static_cast<std::int64_t>(little_endian(header.data() + 8, 8));
  if (std::memcmp(header.data(), "GCOL", 4) != 0 || header[4] != 1 || size < kHeaderBytes ||
      size > kMaximumCollection) {
    fail_heap(node, fmt::format("there is no heap at address {}", address));
  }
  if (cached_bytes_ > kCacheBytes) {
    collections_.clear();
    cached_bytes_ = 0;
  }
  Collection found;
  found.bytes = file_.read(node, address, size);
  for (std::int64_t at = kHeaderBytes; at + kHeaderBytes <= size;) {
    const auto index = static_cast<std::uint32_t>(little_endian(found.bytes.data() + at, 2));
    const std::uint64_t bytes = little_endian(found.bytes.data() + at + 8, 8);
    if (index == 0) break;  // the free space, which is the last
    if (bytes > static_cast<std::uint64_t>(size - at - kHeaderBytes)) {
      fail_heap(node, fmt::format("object {} of the heap at address {} is longer than the heap", index, address));
    }
    const auto length = static_cast<std::int64_t>(bytes);
    found.objects[index] = {at + kHeaderBytes, length};
    at += kHeaderBytes + (length + 7) / 8 * 8;
  }
  cached_bytes_ += size;
  return collections_[address] = std::move(found);
}

std::string GlobalHeap::read(const Node& node, const std::uint8_t* stored) {
  const auto length = static_cast<std::int64_t>(little_endian(stored, 4));
  const std::uint64_t address = little_endian(stored + 4, 8);
  const auto index = static_cast<std::uint32_t>(little_endian(stored + 12, 4));
  if (length == 0) return "";
  budget_ -= length;
  if (length > kMaximumStringBytes || budget_ < 0) {
    node.fail(fmt::format("a string claims {} bytes; expected at most {} for one and {} for all. The file is damaged.",
                          length, kMaximumStringBytes, kMaximumStringsBytes));
  }
  const Collection& heap = collection(node, address);
  const auto place = heap.objects.find(index);
  if (place == heap.objects.end() || length > place->second.size) {
    fail_heap(node, fmt::format("object {} of the heap at address {} is missing or shorter than {} bytes", index,
                                address, length));
  }
  const auto begin = heap.bytes.begin() + place->second.offset;
  return std::string(begin, std::find(begin, begin + length, std::uint8_t{0}));
}

}  // namespace genexx::hdf5
