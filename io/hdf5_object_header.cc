// SPDX-License-Identifier: Apache-2.0
#include "io/hdf5_object_header.h"

#include <cstring>

#include <fmt/format.h>

namespace genexx::hdf5 {
namespace {

using Bytes = std::vector<std::uint8_t>;

constexpr std::uint64_t kAttributeMessage = 0x0C;
constexpr std::uint64_t kContinuationMessage = 0x10;
constexpr std::int64_t kMaximumBlock = std::int64_t{4} << 20;
constexpr std::int64_t kMaximumHeader = std::int64_t{16} << 20;  // all blocks of an object

// A stretch of messages: [begin, end) of `bytes`.
struct Block {
  Bytes bytes;
  std::size_t begin = 0, end = 0;
};

struct HeaderForm {
  bool is_version_2 = false;
  bool has_creation_order = false;
  std::size_t message_header() const { return is_version_2 ? (has_creation_order ? 6 : 4) : 8; }
};

struct Message {
  std::uint64_t type = 0;
  bool is_shared = false;
  const std::uint8_t* data = nullptr;
  std::size_t size = 0;
};

[[noreturn]] void fail_header(const Node& node) {
  node.fail("its object header is damaged. The file is truncated or damaged; fetch it again.");
}

Bytes read_block(RawFile& file, const Node& node, std::uint64_t address, std::uint64_t size) {
  if (size > static_cast<std::uint64_t>(kMaximumBlock)) fail_header(node);
  return file.read(node, address, static_cast<std::int64_t>(size));
}

Block first_block(RawFile& file, const Node& node, std::uint64_t address, HeaderForm& form) {
  const Bytes start = file.read(node, address, 16);
  if (std::memcmp(start.data(), "OHDR", 4) != 0) {
    if (start[0] != 1) fail_header(node);
    const std::uint64_t size = little_endian(start.data() + 8, 4);
    return {read_block(file, node, address, 16 + size), 16, static_cast<std::size_t>(16 + size)};
  }
  const std::uint8_t flags = start[5];
  form.is_version_2 = true;
  form.has_creation_order = flags & 0x04;
  const std::size_t before = 6 + (flags & 0x20 ? 16u : 0u) + (flags & 0x10 ? 4u : 0u);
  const int size_bytes = 1 << (flags & 3);
  const std::size_t prefix = before + static_cast<std::size_t>(size_bytes);
  const Bytes head = file.read(node, address, static_cast<std::int64_t>(prefix));
  const std::uint64_t size = little_endian(head.data() + before, size_bytes);
  if (size > static_cast<std::uint64_t>(kMaximumBlock)) fail_header(node);
  return {read_block(file, node, address, prefix + size), prefix, static_cast<std::size_t>(prefix + size)};
}

Block continuation(RawFile& file, const Node& node, const Message& message, const HeaderForm& form) {
  if (message.size < 16) fail_header(node);
  const std::uint64_t size = little_endian(message.data + 8, 8);
  Block block{read_block(file, node, little_endian(message.data, 8), size), 0, static_cast<std::size_t>(size)};
  if (form.is_version_2) {  // "OCHK" before, a checksum behind
    if (size < 8 || std::memcmp(block.bytes.data(), "OCHK", 4) != 0) fail_header(node);
    block.begin = 4;
    block.end -= 4;
  }
  return block;
}

// The next message of the block, which advances; false at its end.
bool next_message(Block& block, const HeaderForm& form, Message& message) {
  const std::size_t header = form.message_header();
  if (block.begin + header > block.end) return false;
  const std::uint8_t* at = block.bytes.data() + block.begin;
  message.type = form.is_version_2 ? at[0] : little_endian(at, 2);
  message.size = static_cast<std::size_t>(form.is_version_2 ? little_endian(at + 1, 2) : little_endian(at + 2, 2));
  message.is_shared = (form.is_version_2 ? at[3] : at[4]) & 0x02;
  message.data = at + header;
  if (message.size > block.end - block.begin - header) return false;
  block.begin += header + message.size;
  return true;
}

bool is_attribute(const Message& message, const std::string& name) {
  if (message.type != kAttributeMessage || message.is_shared || message.size < 9) return false;
  const std::size_t name_at = message.data[0] == 3 ? 9 : 8;
  const std::uint64_t name_size = little_endian(message.data + 2, 2);  // its null byte included
  if (name_size != name.size() + 1 || name_at + name_size > message.size) return false;
  return std::memcmp(message.data + name_at, name.c_str(), name.size() + 1) == 0;
}

// Where the value begins within the message; in version 1 every part is padded to 8 bytes.
std::size_t value_offset(const Message& message) {
  const bool is_padded = message.data[0] == 1;
  std::size_t offset = message.data[0] == 3 ? 9 : 8;
  for (int part = 0; part < 3; ++part) {
    const auto size = static_cast<std::size_t>(little_endian(message.data + 2 + 2 * part, 2));
    offset += is_padded ? (size + 7) / 8 * 8 : size;
  }
  return offset;
}

std::optional<std::uint64_t> header_address(const Node& node) {
  const QuietErrors quiet;
  H5O_info_t info;
  if (H5Oget_info2(node.id(), &info, H5O_INFO_BASIC) < 0) return std::nullopt;
  return static_cast<std::uint64_t>(info.addr);
}

}  // namespace

std::optional<std::vector<std::uint8_t>> stored_attribute(RawFile& file, const Node& node, const std::string& name,
                                                          std::int64_t size) {
  const std::optional<std::uint64_t> address = header_address(node);
  if (!address) return std::nullopt;
  HeaderForm form;
  std::vector<Block> blocks;
  blocks.push_back(first_block(file, node, *address, form));
  std::size_t read = blocks.front().bytes.size();
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    for (Message message; next_message(blocks[i], form, message);) {
      if (message.type == kContinuationMessage && !message.is_shared) {
        Block next = continuation(file, node, message, form);
        read += next.bytes.size() + 1;  // blocks may lead back to one another
        if (read > static_cast<std::size_t>(kMaximumHeader)) fail_header(node);
        blocks.push_back(std::move(next));
      } else if (is_attribute(message, name)) {
        const std::size_t offset = value_offset(message);
        if (offset > message.size || static_cast<std::size_t>(size) > message.size - offset) fail_header(node);
        return Bytes(message.data + offset, message.data + offset + size);
      }
    }
  }
  return std::nullopt;
}

}  // namespace genexx::hdf5
