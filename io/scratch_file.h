// SPDX-License-Identifier: Apache-2.0
// Disk space for the time of one job, for matrices that do not fit in memory.
#pragma once

#include <cstdint>
#include <string>

namespace genexx {

// A file without a name in `directory`: the system frees its space when the object goes or the process ends, however
// it ends. Reading and writing at separate places may happen from several threads at once. All members throw
// RuntimeError with directory, operation and reason (disk full, file size limit).
class ScratchFile {
 public:
  explicit ScratchFile(std::string directory);
  ~ScratchFile();
  ScratchFile(ScratchFile&& other) noexcept;
  ScratchFile& operator=(ScratchFile&& other) noexcept;
  ScratchFile(const ScratchFile&) = delete;
  ScratchFile& operator=(const ScratchFile&) = delete;

  void write(const void* from, std::int64_t offset, std::int64_t bytes);
  // Throws where the bytes were never written.
  void read(void* to, std::int64_t offset, std::int64_t bytes) const;

 private:
  [[noreturn]] void fail(const char* operation, std::int64_t bytes, int error) const;

  std::string directory_;
  int descriptor_ = -1;
};

}  // namespace genexx
