// SPDX-License-Identifier: Apache-2.0
// Writing a vector piece by piece, compressed on several threads.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "io/hdf5_write.h"

namespace genexx::hdf5 {

struct AppendPlan {
  hid_t type = H5I_INVALID_HID;  // stored as in memory: H5T_IEEE_F32LE, H5T_STD_I32LE, H5T_STD_I64LE
  int gzip_level = 4;            // 0: not compressed
  int threads = 0;               // 0: as many as the machine has
};

// A growing dataset in chunks of 64K elements. Holds at most 16 chunks.
class VectorAppender {
 public:
  VectorAppender(const Node& parent, const std::string& name, const AppendPlan& plan);

  // `bytes` holds `count` elements of the plan's type.
  void append(const void* bytes, std::int64_t count);

  // Writes what is left and sets the length. Nothing may be appended afterwards.
  void finish();

  std::int64_t size() const { return size_; }

 private:
  void write_chunks(std::int64_t chunks);

  AppendPlan plan_;
  std::int64_t element_bytes_;
  Node dataset_;
  std::vector<std::uint8_t> pending_;
  std::int64_t size_ = 0;            // elements appended
  std::int64_t chunks_written_ = 0;  // whole chunks in the file
};

}  // namespace genexx::hdf5
