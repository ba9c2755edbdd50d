// SPDX-License-Identifier: Apache-2.0
#include "io/atomic_file.h"

#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <filesystem>
#include <string>

#include <doctest/doctest.h>

#include "engine/error.h"
#include "tests/support/data.h"
#include "tests/support/text_file.h"

using namespace genexx;
using namespace genexx::test;
namespace fs = std::filesystem;

namespace {

std::int64_t entries(const std::string& directory) {
  return std::distance(fs::directory_iterator(directory), fs::directory_iterator());
}

template <typename Action>
std::string runtime_message(Action&& action) {
  return message_of<RuntimeError>(action);
}

}  // namespace

TEST_CASE("atomic_file: nothing has the final name before commit, everything after") {
  TemporaryDirectory directory;
  const std::string path = directory.file("a.bin");
  const std::string big(3'000'001, 'x');

  AtomicFile file(path);
  file.write("head");
  file.write(big);
  const bool there_before = fs::exists(path);
  file.commit();

  CHECK_FALSE(there_before);
  CHECK(file.size() == 3'000'005);
  CHECK(read_text(path) == "head" + big);
  CHECK(entries(directory.path()) == 1);
}

TEST_CASE("atomic_file: an abandoned file leaves nothing and keeps the old one") {
  TemporaryDirectory directory;
  const std::string path = directory.file("a.txt");
  write_file_atomically(path, "old");

  {
    AtomicFile file(path);
    file.write("new");
    CHECK(entries(directory.path()) == 2);
  }

  CHECK(read_text(path) == "old");
  CHECK(entries(directory.path()) == 1);
}

TEST_CASE("atomic_file: permissions follow the umask") {
  TemporaryDirectory directory;
  const std::string path = directory.file("a.txt");
  const mode_t before = ::umask(027);

  write_file_atomically(path, "x");

  ::umask(before);
  struct stat status = {};
  REQUIRE(::stat(path.c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0640);
}

TEST_CASE("atomic_file: a symbolic link stays and its target is replaced") {
  TemporaryDirectory directory;
  const std::string target = directory.file("real.txt");
  const std::string link = directory.file("link.txt");
  write_file_atomically(target, "old");
  fs::create_symlink(target, link);

  write_file_atomically(link, "new");

  CHECK(fs::is_symlink(link));
  CHECK(read_text(target) == "new");
}

TEST_CASE("atomic_file: interrupted and short writes are completed") {
  TemporaryDirectory directory;
  const std::string path = directory.file("a.txt");
  FileCalls calls = FileCalls::system();
  int count = 0;
  calls.write = [&](int file, const void* data, std::size_t bytes) -> ssize_t {
    if (++count % 2 == 1) {
      errno = EINTR;
      return -1;
    }
    return ::write(file, data, std::min<std::size_t>(bytes, 7));
  };
  const std::string text = "the quick brown fox jumps over the lazy dog";

  AtomicFile file(path, calls);
  file.write(text);
  file.commit();

  CHECK(read_text(path) == text);
  CHECK(count == 14);
}

TEST_CASE("atomic_file: a full disk keeps the old file and says path, bytes and reason") {
  TemporaryDirectory directory;
  const std::string path = directory.file("a.txt");
  write_file_atomically(path, "old");
  FileCalls calls = FileCalls::system();
  calls.write = [](int, const void*, std::size_t) -> ssize_t {
    errno = ENOSPC;
    return -1;
  };
  AtomicFile file(path, calls);
  file.write("twelve bytes");

  const std::string message = runtime_message([&] { file.commit(); });

  CHECK(contains(message, "cannot write " + path + " (12 bytes)"));
  CHECK(contains(message, "No space left on device"));
  CHECK(read_text(path) == "old");
  CHECK(entries(directory.path()) == 1);
}

TEST_CASE("atomic_file: a failing sync keeps the old file") {
  TemporaryDirectory directory;
  const std::string path = directory.file("a.txt");
  write_file_atomically(path, "old");
  FileCalls calls = FileCalls::system();
  calls.sync = [](int) {
    errno = EIO;
    return -1;
  };
  AtomicFile file(path, calls);
  file.write("new");

  CHECK(contains(runtime_message([&] { file.commit(); }), "cannot sync"));
  CHECK(read_text(path) == "old");
  CHECK(entries(directory.path()) == 1);
}

TEST_CASE("atomic_file: a failing rename keeps the old file") {
  TemporaryDirectory directory;
  const std::string path = directory.file("a.txt");
  write_file_atomically(path, "old");
  FileCalls calls = FileCalls::system();
  calls.rename = [](const char*, const char*) {
    errno = EACCES;
    return -1;
  };
  AtomicFile file(path, calls);
  file.write("new");

  CHECK(contains(runtime_message([&] { file.commit(); }), "cannot rename"));
  CHECK(read_text(path) == "old");
  CHECK(entries(directory.path()) == 1);
}

TEST_CASE("atomic_file: a file-size limit becomes an error and leaves nothing behind") {
  TemporaryDirectory directory;
  const std::string path = directory.file("a.bin");

  const pid_t child = ::fork();
  if (child == 0) {
    ::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit = {1 << 16, 1 << 16};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    int status = 1;
    try {
      write_file_atomically(path, std::string(1 << 20, 'x'));
    } catch (const RuntimeError& error) {
      status = contains(error.what(), "File too large") ? 0 : 2;
    }
    ::_exit(status);
  }
  int status = -1;
  REQUIRE(::waitpid(child, &status, 0) == child);

  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
  CHECK(entries(directory.path()) == 0);
}

TEST_CASE("atomic_file: a device is written directly, and a full one is an error") {
  CHECK_NOTHROW(write_file_atomically("/dev/null", "gone"));
  CHECK(fs::is_character_file("/dev/null"));
  CHECK(contains(runtime_message([] { write_file_atomically("/dev/full", "x"); }), "No space left on device"));
}

TEST_CASE("atomic_file: a missing directory and a directory as path are refused") {
  TemporaryDirectory directory;

  CHECK(contains(runtime_message([&] { AtomicFile file(directory.file("no/a.txt")); }), "No such file or directory"));
  CHECK(contains(runtime_message([&] { AtomicFile file(directory.path()); }), "Is a directory"));
}

TEST_CASE("atomic_file: a directory without write permission is refused") {
  TemporaryDirectory directory;
  const std::string inside = directory.file("locked");
  fs::create_directory(inside);
  // Root may write anywhere, so the child gives its rights away first.
  const pid_t child = ::fork();
  if (child == 0) {
    ::chmod(inside.c_str(), 0555);
    ::chmod(directory.path().c_str(), 0755);
    if (::getuid() == 0 && ::setuid(65534) != 0) ::_exit(3);
    const std::string message = runtime_message([&] { write_file_atomically(inside + "/a.txt", "x"); });
    ::_exit(contains(message, "cannot create") && contains(message, "Permission denied") ? 0 : 1);
  }
  int status = -1;
  REQUIRE(::waitpid(child, &status, 0) == child);

  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
}
