// SPDX-License-Identifier: Apache-2.0
// Reads byte ranges of a file whose size is known first.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace genexx {

// A regular file opened for reading. All members throw InputError with the path. Not thread-safe; moving is allowed.
class BinaryFile {
 public:
  // Throws for a missing or unreadable file and for anything that is not a regular file.
  explicit BinaryFile(std::string path);
  ~BinaryFile();
  BinaryFile(BinaryFile&& other) noexcept;
  BinaryFile& operator=(BinaryFile&& other) noexcept;

  std::int64_t size() const { return size_; }
  const std::string& path() const { return path_; }

  // Fills `to` with the bytes [offset, offset + count). Throws where the file ends before.
  void read(void* to, std::int64_t offset, std::int64_t count) const;

 private:
  std::string path_;
  std::int64_t size_ = 0;
  int descriptor_ = -1;
};

}  // namespace genexx
