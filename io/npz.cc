// SPDX-License-Identifier: Apache-2.0
#include "io/npz.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>
#include <zlib.h>

#include "engine/error.h"
#include "io/atomic_file.h"
#include "io/npy_header.h"

namespace genexx {
namespace {

constexpr std::uint64_t kWide = 0xFFFFFFFF;                       // in a 32-bit field: the number is in the ZIP64 field
constexpr std::uint16_t kDate = (1980 - 1980) << 9 | 1 << 5 | 1;  // 1980-01-01: the same arrays give the same file
constexpr std::uint16_t kStoredVersion = 20, kZip64Version = 45, kUtf8Names = 1 << 11, kZip64Field = 1;

void append(std::string& to, std::uint64_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) to += static_cast<char>(value >> (8 * i) & 0xFF);
}

struct Member {
  std::string name;
  std::uint32_t crc = 0;
  std::uint64_t size = 0, begin = 0;

  bool wide_size() const { return size >= kWide; }
  bool wide_begin() const { return begin >= kWide; }
};

std::uint32_t crc_of(std::uint32_t crc, const void* data, std::size_t bytes) {
  if (bytes == 0) return crc;  // zlib takes a null pointer for a wish to start anew
  return static_cast<std::uint32_t>(crc32_z(crc, static_cast<const Bytef*>(data), bytes));
}

// Version to extra field: what the local and the central header have in common.
std::string common_fields(const Member& m, std::size_t extra) {
  std::string h;
  append(h, m.wide_size() || m.wide_begin() ? kZip64Version : kStoredVersion, 2);
  append(h, kUtf8Names, 2);
  append(h, 0, 2);  // stored
  append(h, 0, 2);  // time of day
  append(h, kDate, 2);
  append(h, m.crc, 4);
  append(h, std::min(m.size, kWide), 4);
  append(h, std::min(m.size, kWide), 4);
  append(h, m.name.size(), 2);
  append(h, extra, 2);
  return h;
}

std::string local_header(const Member& m) {
  std::string extra;
  if (m.wide_size()) {
    append(extra, kZip64Field, 2);
    append(extra, 16, 2);
    append(extra, m.size, 8);
    append(extra, m.size, 8);
  }
  return "PK\x03\x04" + common_fields(m, extra.size()) + m.name + extra;
}

std::string central_header(const Member& m) {
  std::string numbers, extra;
  if (m.wide_size()) {
    append(numbers, m.size, 8);
    append(numbers, m.size, 8);
  }
  if (m.wide_begin()) append(numbers, m.begin, 8);
  if (!numbers.empty()) {
    append(extra, kZip64Field, 2);
    append(extra, numbers.size(), 2);
    extra += numbers;
  }
  std::string h = "PK\x01\x02";
  append(h, kZip64Version, 2);
  h += common_fields(m, extra.size());
  append(h, 0, 2 + 2 + 2 + 4);  // comment, disk, attributes
  append(h, std::min(m.begin, kWide), 4);
  return h + m.name + extra;
}

std::string archive_end(std::uint64_t members, std::uint64_t begin, std::uint64_t size) {
  std::string end;
  if (begin >= kWide || members >= 0xFFFF) {
    end += "PK\x06\x06";
    append(end, 44, 8);
    append(end, kZip64Version, 2);
    append(end, kZip64Version, 2);
    append(end, 0, 8);  // disks
    append(end, members, 8);
    append(end, members, 8);
    append(end, size, 8);
    append(end, begin, 8);
    end += "PK\x06\x07";
    append(end, 0, 4);
    append(end, begin + size, 8);
    append(end, 1, 4);
  }
  end += "PK\x05\x06";
  append(end, 0, 4);  // disks
  append(end, std::min<std::uint64_t>(members, 0xFFFF), 2);
  append(end, std::min<std::uint64_t>(members, 0xFFFF), 2);
  append(end, std::min(size, kWide), 4);
  append(end, std::min(begin, kWide), 4);
  append(end, 0, 2);
  return end;
}

class Archive {
 public:
  explicit Archive(const std::string& path) : file_(path) {}

  void add(const std::string& name, const std::string& header, const std::vector<std::byte>& data) {
    if (!names_.insert(name).second) throw UsageError(file_.path() + ": two arrays are called '" + name + "'");
    Member m = {.name = name + ".npy", .size = header.size() + data.size(), .begin = at()};
    m.crc = crc_of(crc_of(0, header.data(), header.size()), data.data(), data.size());
    file_.write(local_header(m));
    file_.write(header);
    file_.write(data.data(), data.size());
    members_.push_back(std::move(m));
  }

  void commit() {
    const std::uint64_t begin = at();
    for (const Member& m : members_) file_.write(central_header(m));
    const std::uint64_t size = at() - begin;
    file_.write(archive_end(members_.size(), begin, size));
    file_.commit();
  }

 private:
  std::uint64_t at() const { return static_cast<std::uint64_t>(file_.size()); }

  AtomicFile file_;
  std::set<std::string> names_;
  std::vector<Member> members_;
};

}  // namespace

void write_npz(const std::string& path, const std::vector<NamedTensor>& tensors, const std::vector<NpzTexts>& texts) {
  Archive archive(path);
  for (const NamedTensor& t : tensors) {
    std::int64_t expected = size_of(t.dtype);
    for (const std::int64_t extent : t.shape) expected *= extent;
    if (static_cast<std::int64_t>(t.bytes.size()) != expected)
      throw UsageError(fmt::format("array '{}' for {} has {} bytes, its shape ({}) of {} needs {}", t.name, path,
                                   t.bytes.size(), fmt::join(t.shape, ", "), name_of(t.dtype), expected));
    archive.add(t.name, npy_header_bytes(t.dtype, t.shape), t.bytes);
  }
  for (const NpzTexts& t : texts) archive.add(t.name, npy_texts(t.texts, t.shape), {});
  archive.commit();
}

}  // namespace genexx
