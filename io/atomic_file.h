// SPDX-License-Identifier: Apache-2.0
// Files appear under their final name whole or not at all: bytes go to a temporary name in the same directory, are
// flushed to the disk, and only then take the final name.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace genexx {

// The system calls a file is written with. Tests put failing ones in their place.
struct FileCalls {
  std::function<ssize_t(int, const void*, std::size_t)> write;
  std::function<int(int)> sync;
  std::function<int(const char*, const char*)> rename;

  static FileCalls system();
};

// One file being written. The temporary name is `.NAME.genexx-PID-N`; permissions follow the umask; a symbolic link is
// followed and its target replaced. Without commit(), or after any failure, the temporary file is removed and a file
// that had the final name before is untouched. A path that names a device or a pipe (/dev/stdout) is written directly.
// All members throw RuntimeError with path, operation, bytes and the system's reason. Not thread-safe.
//
// The process should ignore SIGXFSZ so that a file-size limit becomes an error; the library changes no signal.
class AtomicFile {
 public:
  explicit AtomicFile(std::string path, FileCalls calls = FileCalls::system());
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  void write(const void* data, std::size_t bytes);
  void write(std::string_view text) { write(text.data(), text.size()); }

  // Hands all bytes written so far to the system, so that others see them under temporary_path().
  void flush();
  // Flushes to the disk, takes the final name, flushes the directory. Nothing may be written afterwards.
  void commit();

  const std::string& path() const { return path_; }
  // For libraries that open a file by name (HDF5): they may truncate and fill it, must close it before commit(), and
  // nothing is written after that but by them.
  const std::string& temporary_path() const { return temporary_; }
  // Bytes given to write() so far.
  std::int64_t size() const { return size_; }

 private:
  void open_temporary();
  void close_and_check();
  void sync_directory();
  void discard();
  [[noreturn]] void fail(const char* operation, std::size_t bytes, int error);

  std::string path_;       // as given
  std::string target_;     // links resolved
  std::string temporary_;  // equals target_ when written directly
  FileCalls calls_;
  std::string buffer_;
  std::int64_t size_ = 0;
  int descriptor_ = -1;
  bool direct_ = false;
  bool finished_ = false;
};

// Writes a whole file: AtomicFile, write, commit.
void write_file_atomically(const std::string& path, std::string_view bytes);

}  // namespace genexx
