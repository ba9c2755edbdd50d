// SPDX-License-Identifier: Apache-2.0
#include "io/scratch_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

#include <fmt/format.h>

#include "engine/error.h"

namespace genexx {

ScratchFile::ScratchFile(std::string directory) : directory_(directory.empty() ? "." : std::move(directory)) {
  std::string name = directory_ + "/.genexx-scratch-XXXXXX";
  descriptor_ = ::mkostemp(name.data(), O_CLOEXEC);
  if (descriptor_ < 0) fail("create", 0, errno);
  ::unlink(name.c_str());
}

ScratchFile::~ScratchFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

ScratchFile::ScratchFile(ScratchFile&& other) noexcept
    : directory_(std::move(other.directory_)), descriptor_(std::exchange(other.descriptor_, -1)) {}

ScratchFile& ScratchFile::operator=(ScratchFile&& other) noexcept {
  std::swap(directory_, other.directory_);
  std::swap(descriptor_, other.descriptor_);
  return *this;
}

void ScratchFile::write(const void* from, std::int64_t offset, std::int64_t bytes) {
  const char* at = static_cast<const char*>(from);
  while (bytes > 0) {
    const ssize_t wrote = ::pwrite(descriptor_, at, static_cast<std::size_t>(bytes), offset);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote <= 0) fail("write", bytes, wrote < 0 ? errno : ENOSPC);
    at += wrote;
    offset += wrote;
    bytes -= wrote;
  }
}

void ScratchFile::read(void* to, std::int64_t offset, std::int64_t bytes) const {
  char* at = static_cast<char*>(to);
  while (bytes > 0) {
    const ssize_t got = ::pread(descriptor_, at, static_cast<std::size_t>(bytes), offset);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) fail("read", bytes, got < 0 ? errno : EINVAL);
    at += got;
    offset += got;
    bytes -= got;
  }
}

void ScratchFile::fail(const char* operation, std::int64_t bytes, int error) const {
  throw RuntimeError(
      fmt::format("scratch file in {}: cannot {} {} bytes ({}). Free some space, raise the file size "
                  "limit (ulimit -f), or choose another directory.",
                  directory_, operation, bytes, std::strerror(error)));
}

}  // namespace genexx
