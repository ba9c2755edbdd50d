// SPDX-License-Identifier: Apache-2.0
// Strings of fixed and of variable length out of a dataset.
#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <optional>

#include <fmt/format.h>

#include "io/hdf5_heap.h"
#include "io/hdf5_limits.h"
#include "io/hdf5_values.h"
#include "io/utf8_text.h"

namespace genexx::hdf5 {
namespace {

constexpr std::int64_t kStringsAtOnce = std::int64_t{1} << 16;

// Counts what HDF5 allocates for variable-length strings and stops at the limits.
struct StringBudget {
  std::int64_t left = kMaximumStringsBytes;
};

extern "C" void* allocate_string(std::size_t bytes, void* budget) {
  auto& left = static_cast<StringBudget*>(budget)->left;
  const auto wanted = static_cast<std::int64_t>(bytes);
  if (wanted > kMaximumStringBytes + 1 || wanted > left) return nullptr;
  left -= wanted;
  return std::malloc(bytes);
}

extern "C" void free_string(void* memory, void*) { std::free(memory); }

std::string trimmed(std::string text, char padding) {
  text.erase(std::find(text.begin(), text.end(), '\0'), text.end());
  if (padding == ' ') text.erase(text.find_last_not_of(' ') + 1);
  return text;
}

std::vector<std::string> read_fixed(const Node& dataset, const DatasetInfo& info) {
  const Id type(H5Dget_type(dataset.id()));
  const char padding = H5Tget_strpad(type.get()) == H5T_STR_SPACEPAD ? ' ' : '\0';
  const std::int64_t size = info.type.size;
  const ChunkGrid grid(dataset, {std::max<std::int64_t>(1, (std::int64_t{1} << 20) / size), 1});
  if (grid.cols() != 1) dataset.fail(fmt::format("is a matrix of {} columns, expected a vector", grid.cols()));
  std::vector<std::string> strings;
  for (std::int64_t chunk = 0; chunk < grid.grid_rows(); ++chunk) {
    const LoadedChunk loaded = grid.load(chunk, 0);
    const RawElements& raw = loaded.block.raw;
    for (std::int64_t i = 0; i < loaded.block.rows; ++i) {
      std::string text(static_cast<std::size_t>(size), '\0');
      for (std::int64_t b = 0; b < size; ++b) {
        text[static_cast<std::size_t>(b)] =
            static_cast<char>(raw.bytes[raw.shuffled ? b * raw.count + i : i * size + b]);
      }
      strings.push_back(trimmed(std::move(text), padding));
    }
  }
  return strings;
}

// Descriptors of one chunk, 16 bytes each; shuffled ones are put together again.
void append_from_heap(GlobalHeap& heap, const Node& dataset, const RawElements& raw, std::int64_t count,
                      std::vector<std::string>& strings) {
  std::array<std::uint8_t, kVariableStringBytes> stored;
  for (std::int64_t i = 0; i < count; ++i) {
    for (std::int64_t b = 0; b < kVariableStringBytes; ++b) {
      stored[static_cast<std::size_t>(b)] = raw.bytes[raw.shuffled ? b * raw.count + i : i * kVariableStringBytes + b];
    }
    strings.push_back(heap.read(dataset, stored.data()));
  }
}

// nullopt where the strings' descriptors are not at a place of their own in the file: inside the object header, or in
// an unusual or half-written file.
std::optional<std::vector<std::string>> read_from_heap(const Node& dataset, const DatasetInfo& info) {
  if (dataset.file().outcome) return std::nullopt;
  RawFile file(dataset);
  if (!file.is_usual()) return std::nullopt;
  GlobalHeap heap(file);
  std::vector<std::string> strings;
  if (!info.chunk.empty()) {
    const ChunkGrid grid(dataset, {1, 1});
    for (std::int64_t chunk = 0; chunk < grid.grid_rows(); ++chunk) {
      const LoadedChunk loaded = grid.load(chunk, 0);
      append_from_heap(heap, dataset, loaded.block.raw, loaded.block.rows, strings);
    }
    return strings;
  }
  if (info.elements() == 0) return strings;
  const haddr_t address = H5Dget_offset(dataset.id());
  if (address == HADDR_UNDEF) return std::nullopt;
  const std::vector<std::uint8_t> stored =
      file.read(dataset, address - file.base(), info.elements() * kVariableStringBytes);
  append_from_heap(heap, dataset, {stored.data(), info.elements(), false}, info.elements(), strings);
  return strings;
}

struct StringPiece {
  hid_t memory_type, transfer;
  hsize_t begin, count;  // count 0: a scalar
};

void read_variable_piece(const Node& dataset, const StringPiece& piece, std::vector<std::string>& strings) {
  const Id file_space(H5Dget_space(dataset.id()));
  const hsize_t count = std::max<hsize_t>(piece.count, 1);
  const Id memory_space(H5Screate_simple(1, &count, nullptr));
  if (piece.count > 0) {
    const hsize_t start[2] = {piece.begin, 0};
    const hsize_t extent[2] = {piece.count, 1};
    H5Sselect_hyperslab(file_space.get(), H5S_SELECT_SET, start, nullptr, extent, nullptr);
  }
  std::vector<char*> pointers(count, nullptr);
  const bool read = H5Dread(dataset.id(), piece.memory_type, memory_space.get(), file_space.get(), piece.transfer,
                            pointers.data()) >= 0;
  const std::string error = read ? "" : last_error();
  for (const char* text : pointers) {
    if (read) strings.emplace_back(text ? text : "");
  }
  H5Dvlen_reclaim(piece.memory_type, memory_space.get(), piece.transfer, pointers.data());
  if (!read) {
    dataset.fail(
        fmt::format("its strings cannot be read ({}). Expected at most {} bytes for one and {} for all; the file "
                    "is truncated or damaged.",
                    error, kMaximumStringBytes, kMaximumStringsBytes));
  }
}

std::vector<std::string> read_variable(const Node& dataset, const DatasetInfo& info) {
  if (info.shape.size() > 2 || (info.shape.size() == 2 && info.shape[1] != 1)) {
    dataset.fail(fmt::format("is an array of {} dimensions, expected a vector", info.shape.size()));
  }
  if (auto strings = read_from_heap(dataset, info)) return std::move(*strings);
  const Id file_type(H5Dget_type(dataset.id()));
  const Id memory_type(H5Tcopy(H5T_C_S1));
  H5Tset_size(memory_type.get(), H5T_VARIABLE);
  H5Tset_cset(memory_type.get(), H5Tget_cset(file_type.get()));
  StringBudget budget;
  const Id transfer(H5Pcreate(H5P_DATASET_XFER));
  H5Pset_vlen_mem_manager(transfer.get(), allocate_string, &budget, free_string, nullptr);
  std::vector<std::string> strings;
  if (info.shape.empty()) {
    read_variable_piece(dataset, {memory_type.get(), transfer.get(), 0, 0}, strings);
    return strings;
  }
  const std::int64_t chunk = info.chunk.empty() ? 1 : info.chunk[0];
  const std::int64_t step = std::max<std::int64_t>(1, kStringsAtOnce / chunk) * chunk;  // whole chunks: each read once
  strings.reserve(static_cast<std::size_t>(info.shape[0]));
  for (std::int64_t begin = 0; begin < info.shape[0]; begin += step) {
    const auto count = static_cast<hsize_t>(std::min(step, info.shape[0] - begin));
    read_variable_piece(dataset, {memory_type.get(), transfer.get(), static_cast<hsize_t>(begin), count}, strings);
  }
  return strings;
}

std::vector<std::string> read_fixed_scalar(const Node& dataset, const DatasetInfo& info) {
  const Id type(H5Dget_type(dataset.id()));
  std::string text(static_cast<std::size_t>(info.type.size), '\0');
  if (H5Dread(dataset.id(), type.get(), H5S_ALL, H5S_ALL, H5P_DEFAULT, text.data()) < 0) {
    dataset.fail(fmt::format("its string cannot be read ({})", last_error()));
  }
  return {trimmed(std::move(text), H5Tget_strpad(type.get()) == H5T_STR_SPACEPAD ? ' ' : '\0')};
}

}  // namespace

std::vector<std::string> read_strings(const Node& dataset) {
  const QuietErrors quiet;
  const DatasetInfo info = readable_dataset(dataset);
  if (!info.type.is_string()) {
    dataset.fail(fmt::format("holds elements of type {}, expected strings", dtype_name(info.type)));
  }
  if (info.null) dataset.fail("is a null dataset, expected strings");
  std::vector<std::string> strings = info.type.kind == ElementKind::variable_string ? read_variable(dataset, info)
                                     : info.shape.empty()                           ? read_fixed_scalar(dataset, info)
                                                                                    : read_fixed(dataset, info);
  for (std::string& text : strings) text = utf8_text(std::move(text));
  return strings;
}

}  // namespace genexx::hdf5
