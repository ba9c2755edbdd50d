// SPDX-License-Identifier: Apache-2.0
#include "io/atomic_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <utility>

#include <fmt/core.h>

#include "engine/error.h"

namespace genexx {
namespace {

constexpr std::size_t kBufferBytes = std::size_t{1} << 20;
constexpr std::size_t kMaximumName = 255;  // NAME_MAX of every file system in use
constexpr int kMaximumAttempts = 10000;

std::string advice(int error) {
  switch (error) {
    case ENOSPC:
    case EDQUOT:
      return "free some space or choose another place";
    case EFBIG:
      return "raise the file size limit (ulimit -f) or choose another place";
    case EACCES:
    case EPERM:
    case EROFS:
      return "choose a directory you may write to";
    case ENOENT:
    case ENOTDIR:
      return "make the directory first or correct the path";
    default:
      return "check the disk and the path";
  }
}

std::string resolve_link(const std::string& path) {
  std::error_code error;
  if (!std::filesystem::is_symlink(path, error)) return path;
  const std::filesystem::path resolved = std::filesystem::weakly_canonical(path, error);
  return error ? path : resolved.string();
}

// Directory part with its slash, empty for a bare name.
std::string directory_of(const std::string& path) { return path.substr(0, path.rfind('/') + 1); }

}  // namespace

FileCalls FileCalls::system() {
  return {[](int file, const void* data, std::size_t bytes) { return ::write(file, data, bytes); },
          [](int file) { return ::fsync(file); },
          [](const char* from, const char* to) { return std::rename(from, to); }};
}

AtomicFile::AtomicFile(std::string path, FileCalls calls)
    : path_(std::move(path)), target_(resolve_link(path_)), calls_(std::move(calls)) {
  struct stat status = {};
  if (::stat(target_.c_str(), &status) == 0) {
    if (S_ISDIR(status.st_mode)) fail("open", 0, EISDIR);
    direct_ = !S_ISREG(status.st_mode);
  }
  if (direct_) {
    temporary_ = target_;
    descriptor_ = ::open(target_.c_str(), O_WRONLY | O_CLOEXEC);
    if (descriptor_ < 0) fail("open", 0, errno);
  } else {
    open_temporary();
  }
}

AtomicFile::~AtomicFile() { discard(); }

void AtomicFile::open_temporary() {
  const std::string directory = directory_of(target_);
  const std::string name = target_.substr(directory.size());
  if (name.empty()) fail("open", 0, EISDIR);
  for (int attempt = 0; attempt < kMaximumAttempts; ++attempt) {
    const std::string ending = fmt::format(".genexx-{}-{}", ::getpid(), attempt);
    temporary_ = directory + "." + name.substr(0, kMaximumName - 1 - ending.size()) + ending;
    descriptor_ = ::open(temporary_.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (descriptor_ >= 0) return;
    if (errno != EEXIST && errno != EINTR) break;
  }
  const int error = errno;
  fail("create", 0, error);
}

void AtomicFile::write(const void* data, std::size_t bytes) {
  if (descriptor_ < 0) fail("write", bytes, EBADF);
  size_ += static_cast<std::int64_t>(bytes);
  const char* from = static_cast<const char*>(data);
  while (bytes > 0) {
    const std::size_t part = std::min(bytes, kBufferBytes - buffer_.size());
    buffer_.append(from, part);
    from += part;
    bytes -= part;
    if (buffer_.size() == kBufferBytes) flush();
  }
}

void AtomicFile::flush() {
  std::size_t done = 0;
  while (done < buffer_.size()) {
    const ssize_t wrote = calls_.write(descriptor_, buffer_.data() + done, buffer_.size() - done);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) fail("write", buffer_.size() - done, errno);
    if (wrote == 0) fail("write", buffer_.size() - done, ENOSPC);
    done += static_cast<std::size_t>(wrote);
  }
  buffer_.clear();
}

void AtomicFile::commit() {
  if (descriptor_ < 0) fail("commit", 0, EBADF);
  flush();
  if (direct_) {
    close_and_check();
    finished_ = true;
    return;
  }
  int result = 0;
  while ((result = calls_.sync(descriptor_)) != 0 && errno == EINTR) {
  }
  if (result != 0) fail("sync", static_cast<std::size_t>(size_), errno);
  close_and_check();
  if (calls_.rename(temporary_.c_str(), target_.c_str()) != 0) fail("rename", static_cast<std::size_t>(size_), errno);
  finished_ = true;
  sync_directory();
}

void AtomicFile::close_and_check() {
  // Linux releases the descriptor even when close reports EINTR, so it is not repeated.
  const int result = ::close(std::exchange(descriptor_, -1));
  if (result != 0 && errno != EINTR) fail("close", static_cast<std::size_t>(size_), errno);
}

void AtomicFile::sync_directory() {
  const std::string directory = directory_of(target_);
  const int handle = ::open(directory.empty() ? "." : directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (handle < 0) return;  // a directory that may be written but not read: the file is there, its name not yet durable
  int result = 0;
  while ((result = calls_.sync(handle)) != 0 && errno == EINTR) {
  }
  const int error = errno;
  ::close(handle);
  // Some network file systems cannot sync a directory and say EINVAL.
  if (result != 0 && error != EINVAL) fail("sync the directory of", static_cast<std::size_t>(size_), error);
}

void AtomicFile::discard() {
  if (descriptor_ >= 0) ::close(std::exchange(descriptor_, -1));
  if (!finished_ && !direct_ && !temporary_.empty()) ::unlink(temporary_.c_str());
  finished_ = true;
}

void AtomicFile::fail(const char* operation, std::size_t bytes, int error) {
  if (error != EEXIST) discard();
  const std::string size = bytes > 0 ? fmt::format(" ({} bytes)", bytes) : "";
  throw RuntimeError(fmt::format("cannot {} {}{}: {} (errno {}); {}", operation, path_, size, std::strerror(error),
                                 error, advice(error)));
}

void write_file_atomically(const std::string& path, std::string_view bytes) {
  AtomicFile file(path);
  file.write(bytes);
  file.commit();
}

}  // namespace genexx
