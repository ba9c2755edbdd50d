// SPDX-License-Identifier: Apache-2.0
#include "io/binary_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include <fmt/core.h>

#include "engine/error.h"

namespace genexx {

BinaryFile::BinaryFile(std::string path) : path_(std::move(path)) {
  descriptor_ = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  struct stat status = {};
  if (descriptor_ < 0 || ::fstat(descriptor_, &status) != 0) {
    const int error = errno;
    if (descriptor_ >= 0) ::close(descriptor_);
    throw InputError(fmt::format("cannot open {}: {}; check the path", path_, std::strerror(error)));
  }
  if (!S_ISREG(status.st_mode)) {
    ::close(descriptor_);
    throw InputError(fmt::format("{} is {}, expected a file", path_,
                                 S_ISDIR(status.st_mode) ? "a directory" : "not a regular file"));
  }
  size_ = status.st_size;
}

BinaryFile::~BinaryFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

BinaryFile::BinaryFile(BinaryFile&& other) noexcept
    : path_(std::move(other.path_)), size_(other.size_), descriptor_(std::exchange(other.descriptor_, -1)) {}

BinaryFile& BinaryFile::operator=(BinaryFile&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(size_, other.size_);
  std::swap(descriptor_, other.descriptor_);
  return *this;
}

void BinaryFile::read(void* to, std::int64_t offset, std::int64_t count) const {
  auto* place = static_cast<char*>(to);
  for (std::int64_t done = 0; done < count;) {
    const ssize_t got = ::pread(descriptor_, place + done, static_cast<std::size_t>(count - done), offset + done);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw InputError(fmt::format("cannot read {}: {}; check the disk", path_, std::strerror(errno)));
    if (got == 0) {
      throw InputError(fmt::format("{} ends at byte {}, expected {} bytes from byte {}; it is truncated", path_,
                                   offset + done, count, offset));
    }
    done += got;
  }
}

}  // namespace genexx
