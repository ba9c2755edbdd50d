// SPDX-License-Identifier: Apache-2.0
#include "io/npy_header.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cstring>
#include <string_view>

#include <fmt/format.h>

#include "engine/error.h"
#include "io/utf8_text.h"

static_assert(std::endian::native == std::endian::little, "file items are compared with a little-endian machine");

namespace genexx {
namespace {

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr std::size_t kMaximumRank = 32;  // NumPy's own limit

// Cuts the Python literal {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), } into its parts.
class HeaderScanner {
 public:
  HeaderScanner(const std::string& path, std::string_view text) : path_(path), rest_(text) {}

  bool accept(char c) {
    skip_blanks();
    if (rest_.empty() || rest_.front() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }

  void expect(char c) {
    if (!accept(c)) fail(fmt::format("expected '{}'", c));
  }

  std::string quoted() {
    skip_blanks();
    if (rest_.empty() || (rest_.front() != '\'' && rest_.front() != '"')) fail("expected a string");
    const std::size_t end = rest_.find(rest_.front(), 1);
    if (end == std::string_view::npos) fail("a string is not closed");
    const std::string text(rest_.substr(1, end - 1));
    rest_.remove_prefix(end + 1);
    return text;
  }

  bool boolean() {
    skip_blanks();
    for (const bool value : {false, true}) {
      const std::string_view word = value ? "True" : "False";
      if (!rest_.starts_with(word)) continue;
      rest_.remove_prefix(word.size());
      return value;
    }
    fail("expected True or False");
  }

  std::int64_t whole_number() {
    skip_blanks();
    std::int64_t value = 0;
    const std::from_chars_result read = std::from_chars(rest_.data(), rest_.data() + rest_.size(), value);
    if (read.ec != std::errc() || value < 0) fail("expected a whole number from 0");
    rest_.remove_prefix(static_cast<std::size_t>(read.ptr - rest_.data()));
    if (rest_.starts_with('L')) rest_.remove_prefix(1);  // as Python 2 wrote long integers
    return value;
  }

  void expect_end() {
    skip_blanks();
    if (!rest_.empty()) fail("expected the end");
  }

  [[noreturn]] void fail(const std::string& message) const {
    throw InputError(fmt::format("{}: malformed npy header at '{}': {}", path_, rest_.substr(0, 30), message));
  }

 private:
  void skip_blanks() {
    while (!rest_.empty() && (rest_.front() == ' ' || rest_.front() == '\n')) rest_.remove_prefix(1);
  }

  const std::string& path_;
  std::string_view rest_;
};

void read_type(const std::string& path, const std::string& descr, NpyHeader& header) {
  const std::string_view sizes = "1248";
  const bool shaped = descr.size() == 3 && std::string_view("<>|=").find(descr[0]) != std::string_view::npos &&
                      std::string_view("biuf").find(descr[1]) != std::string_view::npos &&
                      sizes.find(descr[2]) != std::string_view::npos;
  const std::int64_t bytes = shaped ? descr[2] - '0' : 0;
  const bool known = shaped && (descr[1] != 'f' || bytes >= 4) && (descr[1] != 'b' || bytes == 1);
  if (!known) {
    throw InputError(
        fmt::format("{}: items of type '{}'{}, expected bool, integers or floats of 4 or 8 bytes; save it "
                    "as float32",
                    path, descr.substr(0, 40), descr.find('O') == std::string::npos ? "" : " (Python objects)"));
  }
  header.item_bytes = bytes;
  header.swapped = descr[0] == '>' && bytes > 1;
  switch (descr[1]) {
    case 'b':
      header.kind = NpyKind::boolean;
      break;
    case 'i':
      header.kind = NpyKind::integer;
      break;
    case 'u':
      header.kind = NpyKind::unsigned_integer;
      break;
    default:
      header.kind = NpyKind::real;
  }
}

void read_shape(HeaderScanner& scan, NpyHeader& header) {
  scan.expect('(');
  while (!scan.accept(')')) {
    header.shape.push_back(scan.whole_number());
    if (header.shape.size() > kMaximumRank) scan.fail("too many dimensions");
    if (!scan.accept(',')) {
      scan.expect(')');
      break;
    }
  }
}

void read_dictionary(const std::string& path, std::string_view text, NpyHeader& header) {
  HeaderScanner scan(path, text);
  bool has_type = false;
  bool has_order = false;
  bool has_shape = false;
  scan.expect('{');
  while (!scan.accept('}')) {
    const std::string key = scan.quoted();
    scan.expect(':');
    bool* seen = key == "descr"           ? &has_type
                 : key == "fortran_order" ? &has_order
                 : key == "shape"         ? &has_shape
                                          : nullptr;
    if (!seen || *seen) scan.fail(fmt::format("the key '{}' is unknown or there twice", key));
    *seen = true;
    if (seen == &has_type) {
      if (scan.accept('[')) scan.fail("a structured type; expected one number for each item");
      read_type(path, scan.quoted(), header);
    } else if (seen == &has_order) {
      header.order = scan.boolean() ? NpyOrder::fortran : NpyOrder::c;
    } else {
      read_shape(scan, header);
    }
    if (!scan.accept(',')) {
      scan.expect('}');
      break;
    }
  }
  scan.expect_end();
  if (!has_type || !has_order || !has_shape) scan.fail("descr, fortran_order or shape is missing");
}

template <typename Item>
Item load(const char* from, bool swapped) {
  char bytes[sizeof(Item)];
  std::memcpy(bytes, from, sizeof(Item));
  if (swapped) std::reverse(bytes, bytes + sizeof(Item));
  Item item;
  std::memcpy(&item, bytes, sizeof(Item));
  return item;
}

template <typename Item, typename To>
void decode_items(const NpyHeader& header, const char* items, std::int64_t count, To* to) {
  for (std::int64_t i = 0; i < count; ++i) {
    to[i] = static_cast<To>(load<Item>(items + i * static_cast<std::int64_t>(sizeof(Item)), header.swapped));
  }
}

template <typename To>
void decode(const NpyHeader& header, const char* items, std::int64_t count, To* to) {
  const bool is_signed = header.kind == NpyKind::integer;
  if (header.kind == NpyKind::real) {
    if (header.item_bytes == 4) return decode_items<float>(header, items, count, to);
    return decode_items<double>(header, items, count, to);
  }
  switch (header.item_bytes) {
    case 1:
      return is_signed ? decode_items<std::int8_t>(header, items, count, to)
                       : decode_items<std::uint8_t>(header, items, count, to);
    case 2:
      return is_signed ? decode_items<std::int16_t>(header, items, count, to)
                       : decode_items<std::uint16_t>(header, items, count, to);
    case 4:
      return is_signed ? decode_items<std::int32_t>(header, items, count, to)
                       : decode_items<std::uint32_t>(header, items, count, to);
    default:
      return is_signed ? decode_items<std::int64_t>(header, items, count, to)
                       : decode_items<std::uint64_t>(header, items, count, to);
  }
}

}  // namespace

std::int64_t NpyHeader::elements() const {
  std::int64_t product = 1;
  for (const std::int64_t extent : shape) product *= extent;
  return product;
}

NpyHeader read_npy_header(const BinaryFile& file) {
  const std::string& path = file.path();
  unsigned char start[12] = {};
  if (file.size() < 10) throw InputError(fmt::format("{}: {} bytes are too few for a npy file", path, file.size()));
  file.read(start, 0, std::min<std::int64_t>(12, file.size()));
  const int version = start[6];
  if (std::memcmp(start, kMagic.data(), kMagic.size()) != 0 || version < 1 || version > 3) {
    throw InputError(fmt::format("{} does not start as a npy file of version 1 to 3 does", path));
  }
  std::int64_t length = start[8] + 256 * start[9];
  if (version > 1) length += 65536 * (start[10] + std::int64_t{256} * start[11]);
  const std::int64_t begin = version == 1 ? 10 : 12;
  if (length > kMaximumNpyHeader || length > file.size() - begin) {
    throw InputError(
        fmt::format("{}: the npy header is said to be {} bytes long; at most {} are accepted, {} are there", path,
                    length, kMaximumNpyHeader, std::max<std::int64_t>(file.size() - begin, 0)));
  }
  std::string text(static_cast<std::size_t>(length), '\0');
  file.read(text.data(), begin, length);
  NpyHeader header;
  read_dictionary(path, text, header);
  header.data_begin = begin + length;
  std::int64_t bytes = header.item_bytes;
  bool overflow = false;
  for (const std::int64_t extent : header.shape) overflow = overflow || __builtin_mul_overflow(bytes, extent, &bytes);
  const std::int64_t there = file.size() - header.data_begin;
  if (overflow || bytes != there) {
    throw InputError(fmt::format(
        "{}: shape ({}) of {}-byte items needs {} bytes, {} follow the header; the file is "
        "truncated or damaged",
        path, fmt::join(header.shape, ", "), header.item_bytes, overflow ? "too many" : std::to_string(bytes), there));
  }
  return header;
}

namespace {

// Magic, version 1.0 and dictionary of items that NumPy calls `descr`.
std::string header_of(const std::string& descr, const std::vector<std::int64_t>& shape) {
  std::string dictionary = fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': ({}{}), }}", descr,
                                       fmt::join(shape, ", "), shape.size() == 1 ? "," : "");
  constexpr std::size_t kAlignment = 64;
  const std::size_t unpadded = 10 + dictionary.size() + 1;
  dictionary.append((kAlignment - unpadded % kAlignment) % kAlignment, ' ');
  dictionary.push_back('\n');
  std::string bytes(kMagic);
  bytes.append(
      {'\x01', '\x00', static_cast<char>(dictionary.size() & 0xFF), static_cast<char>(dictionary.size() >> 8)});
  return bytes + dictionary;
}

// The characters of well-formed UTF-8.
std::vector<char32_t> characters_of(std::string_view text) {
  std::vector<char32_t> characters;
  for (std::size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i++]);
    const int more = lead < 0x80 ? 0 : lead < 0xE0 ? 1 : lead < 0xF0 ? 2 : 3;
    char32_t c = more == 0 ? lead : lead & (0x3Fu >> more);
    for (int k = 0; k < more; ++k) c = c << 6 | (static_cast<unsigned char>(text[i++]) & 0x3Fu);
    characters.push_back(c);
  }
  return characters;
}

}  // namespace

std::string npy_header_bytes(DType dtype, const std::vector<std::int64_t>& shape) {
  std::string descr;
  switch (dtype) {
    case DType::f64:
      descr = "<f8";
      break;
    case DType::f32:
      descr = "<f4";
      break;
    case DType::i64:
      descr = "<i8";
      break;
    case DType::i32:
      descr = "<i4";
      break;
    case DType::u8:
      descr = "|u1";
      break;
    case DType::bf16:
      throw UsageError("NumPy has no bf16; convert the tensor to f32 before writing it as npy");
  }
  return header_of(descr, shape);
}

std::string npy_texts(const std::vector<std::string>& texts, const std::vector<std::int64_t>& shape) {
  std::vector<std::vector<char32_t>> all;
  std::size_t longest = 1;
  for (const std::string& text : texts) {
    all.push_back(characters_of(utf8_text(text)));
    longest = std::max(longest, all.back().size());
  }
  std::string bytes = header_of(fmt::format("<U{}", longest), shape);
  for (std::vector<char32_t>& characters : all) {
    characters.resize(longest, 0);
    bytes.append(reinterpret_cast<const char*>(characters.data()), characters.size() * sizeof(char32_t));
  }
  return bytes;
}

void decode_npy(const NpyHeader& header, const char* items, std::int64_t count, float* to) {
  decode(header, items, count, to);
}
void decode_npy(const NpyHeader& header, const char* items, std::int64_t count, double* to) {
  decode(header, items, count, to);
}
void decode_npy(const NpyHeader& header, const char* items, std::int64_t count, std::int64_t* to) {
  decode(header, items, count, to);
}
void decode_npy(const NpyHeader& header, const char* items, std::int64_t count, std::int32_t* to) {
  decode(header, items, count, to);
}
void decode_npy(const NpyHeader& header, const char* items, std::int64_t count, std::uint8_t* to) {
  decode(header, items, count, to);
}

}  // namespace genexx
