// SPDX-License-Identifier: Apache-2.0
// Strings of variable length, taken from the file's global heap by our own reader. The library's (1.10.8) follows
// damaged heaps out of its buffers and allocates what a damaged length claims. Layout: HDF5 file format specification,
// III.E (global heap) and IV.A.1 (object headers).
#pragma once

#include <cstdint>
#include <fstream>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "io/hdf5.h"
#include "io/hdf5_limits.h"

namespace genexx::hdf5 {

// The bytes of a file beside the library. Only for files opened for reading: what the library has not written yet is
// not seen.
class RawFile {
 public:
  // Throws InputError when the file cannot be opened.
  explicit RawFile(const Node& node);

  // Whether addresses and lengths have 8 bytes, as in every file of our time. Otherwise nothing here may be used.
  bool is_usual() const { return usual_; }

  // Bytes before the address 0, where there is a user block.
  std::uint64_t base() const { return base_; }

  // [address, address + size) of HDF5 addresses; throws InputError naming `node` when it is not in the file.
  std::vector<std::uint8_t> read(const Node& node, std::uint64_t address, std::int64_t size);

 private:
  std::ifstream file_;
  std::uint64_t base_ = 0;  // size of the user block
  bool usual_ = false;
};

class GlobalHeap {
 public:
  explicit GlobalHeap(RawFile& file) : file_(file) {}

  // The string behind 16 stored bytes: its length, the address of a collection, its index there. Ends at a null byte.
  // Throws InputError naming `node` when these do not fit together or go beyond kMaximumStringBytes and
  // kMaximumStringsBytes (all strings of this heap object).
  std::string read(const Node& node, const std::uint8_t* stored);

 private:
  struct Place {
    std::int64_t offset = 0, size = 0;
  };
  struct Collection {
    std::vector<std::uint8_t> bytes;
    std::map<std::uint32_t, Place> objects;
  };
  const Collection& collection(const Node& node, std::uint64_t address);

  RawFile& file_;
  std::map<std::uint64_t, Collection> collections_;  // at most a few MB of them
  std::int64_t cached_bytes_ = 0;
  std::int64_t budget_ = kMaximumStringsBytes;
};

// Little-endian unsigned number of `bytes` bytes.
std::uint64_t little_endian(const std::uint8_t* at, int bytes);

}  // namespace genexx::hdf5
