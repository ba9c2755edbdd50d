// SPDX-License-Identifier: Apache-2.0
#include "io/text_reader.h"

#include <zlib.h>

#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include "engine/error.h"
#include "io/field_text.h"

namespace genexx {
namespace {

constexpr std::size_t kReadBytes = std::size_t{1} << 20;

struct CloseGz {
  void operator()(gzFile file) const { gzclose(file); }
};
using GzHandle = std::unique_ptr<std::remove_pointer_t<gzFile>, CloseGz>;

GzHandle open_gz(const std::string& path) {
  struct stat status = {};
  if (::stat(path.c_str(), &status) != 0) {
    throw InputError(fmt::format("cannot open {}: {}; check the path", path, std::strerror(errno)));
  }
  if (S_ISDIR(status.st_mode)) throw InputError(fmt::format("{} is a directory, expected a text file", path));
  GzHandle handle(gzopen(path.c_str(), "rb"));
  if (!handle) throw InputError(fmt::format("cannot open {}: {}; check the permissions", path, std::strerror(errno)));
  gzbuffer(handle.get(), 1 << 18);
  return handle;
}

}  // namespace

struct TextReader::State {
  std::string path;
  GzHandle file;
  std::vector<char> buffer = std::vector<char>(2 * kReadBytes);
  std::size_t begin = 0;  // first byte not returned yet
  std::size_t end = 0;    // one past the last byte read
  std::int64_t line = 0;
  bool at_end = false;

  [[noreturn]] void fail(const std::string& message) const {
    throw InputError(fmt::format("{}: line {}: {}", path, line, message));
  }

  void start() {
    if (file) {
      if (gzrewind(file.get()) != 0) file = open_gz(path);
    } else {
      file = open_gz(path);
    }
    begin = end = 0;
    line = 0;
    at_end = false;
    fill();
    if (std::string_view(buffer.data(), end).substr(0, 3) == "\xEF\xBB\xBF") begin = 3;
  }

  // Reads more bytes behind `end`; the unread ones move to the front first.
  void fill() {
    if (begin > 0) {
      std::memmove(buffer.data(), buffer.data() + begin, end - begin);
      end -= begin;
      begin = 0;
    }
    if (buffer.size() - end < kReadBytes) buffer.resize(end + kReadBytes);
    const int got = gzread(file.get(), buffer.data() + end, static_cast<unsigned>(kReadBytes));
    int error = Z_OK;
    const char* text = gzerror(file.get(), &error);
    if (got < 0 || (error != Z_OK && error != Z_STREAM_END)) {
      const std::string reason = error == Z_ERRNO ? std::strerror(errno) : text;
      throw InputError(
          fmt::format("{}: cannot read after line {}: {}; the file may be truncated or damaged", path, line, reason));
    }
    if (end == 0) refuse_utf16(std::string_view(buffer.data(), static_cast<std::size_t>(got)).substr(0, 2));
    const void* zero = got > 0 ? std::memchr(buffer.data() + end, 0, static_cast<std::size_t>(got)) : nullptr;
    if (zero) {
      throw InputError(fmt::format("{}: zero byte after line {}: a binary file, expected text", path, line));
    }
    end += static_cast<std::size_t>(got);
    at_end = got == 0;
  }

  void refuse_utf16(std::string_view start_of_file) const {
    if (line > 0 || (start_of_file != "\xFF\xFE" && start_of_file != "\xFE\xFF")) return;
    throw InputError(fmt::format("{} is UTF-16 text, expected UTF-8; save it as UTF-8 or plain csv", path));
  }

  bool next(std::string_view& out) {
    std::size_t searched = begin;
    for (;;) {
      const char* from = buffer.data() + searched;
      const void* newline = end > searched ? std::memchr(from, '\n', end - searched) : nullptr;
      if (newline) {
        take(out, static_cast<std::size_t>(static_cast<const char*>(newline) - buffer.data()));
        ++begin;
        return true;
      }
      if (static_cast<std::int64_t>(end - begin) > kMaximumLineBytes) {
        ++line;
        fail(fmt::format("longer than {} bytes, the most a line may have", kMaximumLineBytes));
      }
      if (at_end) {
        if (begin == end) return false;
        take(out, end);
        return true;
      }
      const std::size_t pending = end - begin;
      fill();
      searched = begin + pending;
    }
  }

  // Returns [begin, stop) as the next line, its carriage return cut off, and moves to `stop`.
  void take(std::string_view& out, std::size_t stop) {
    ++line;
    std::size_t length = stop - begin;
    if (static_cast<std::int64_t>(length) > kMaximumLineBytes) {
      fail(fmt::format("{} bytes long, at most {} are accepted", length, kMaximumLineBytes));
    }
    if (length > 0 && buffer[begin + length - 1] == '\r') --length;
    out = std::string_view(buffer.data() + begin, length);
    begin = stop;
  }
};

TextReader::TextReader(std::string path) : state_(std::make_unique<State>()) {
  state_->path = std::move(path);
  state_->start();
}

TextReader::~TextReader() = default;
TextReader::TextReader(TextReader&&) noexcept = default;
TextReader& TextReader::operator=(TextReader&&) noexcept = default;

bool TextReader::next(std::string_view& line) { return state_->next(line); }
void TextReader::rewind() { state_->start(); }
std::int64_t TextReader::line_number() const { return state_->line; }
const std::string& TextReader::path() const { return state_->path; }
void TextReader::fail(const std::string& message) const { state_->fail(message); }

void TextReader::check_field(std::string_view field) const {
  if (static_cast<std::int64_t>(field.size()) <= kMaximumFieldBytes) return;
  fail(fmt::format("a field of {} bytes ('{}'), at most {} are accepted; is the delimiter or a quote missing?",
                   field.size(), excerpt(field), kMaximumFieldBytes));
}

}  // namespace genexx
