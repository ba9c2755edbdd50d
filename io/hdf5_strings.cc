// SPDX-License-Identifier: Apache-2.0
// Strings of fixed and of variable length out of a dataset.
#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <fstream>

#include <fmt/format.h>

#include "io/hdf5_limits.h"
#include "io/hdf5_values.h"

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

// The lengths that the elements claim, before HDF5 allocates by them.
void check_claimed_lengths(const Node& dataset, const std::uint8_t* elements, std::int64_t count, std::int64_t& left) {
  for (std::int64_t i = 0; i < count; ++i) {
    const std::uint8_t* at = elements + i * kVariableStringBytes;
    const std::int64_t length =
        std::int64_t{at[0]} | std::int64_t{at[1]} << 8 | std::int64_t{at[2]} << 16 | std::int64_t{at[3]} << 24;
    left -= length;
    if (length > kMaximumStringBytes || left < 0) {
      dataset.fail(
          fmt::format("string {} claims {} bytes; expected at most {} for one and {} for all. The file is damaged.", i,
                      length, kMaximumStringBytes, kMaximumStringsBytes));
    }
  }
}

void check_claimed_lengths(const Node& dataset, const DatasetInfo& info) {
  std::int64_t left = kMaximumStringsBytes;
  if (!info.chunk.empty()) {
    const ChunkGrid grid(dataset, {1, 1});
    for (std::int64_t chunk = 0; chunk < grid.grid_rows(); ++chunk) {
      const LoadedChunk loaded = grid.load(chunk, 0);
      if (loaded.data.shuffled) return;  // strings are not shuffled by any known writer; the budget still holds
      check_claimed_lengths(dataset, loaded.data.bytes.data(), loaded.block.rows, left);
    }
    return;
  }
  const haddr_t address = H5Dget_offset(dataset.id());
  if (address == HADDR_UNDEF) return;  // inside the object header: at most 64 KB
  std::ifstream file(dataset.file().path, std::ios::binary);
  file.seekg(static_cast<std::streamoff>(address));
  std::vector<std::uint8_t> elements(static_cast<std::size_t>(info.elements() * kVariableStringBytes));
  if (!file.read(reinterpret_cast<char*>(elements.data()), static_cast<std::streamsize>(elements.size()))) {
    dataset.fail("its values lie beyond the end of the file, which is truncated or damaged");
  }
  check_claimed_lengths(dataset, elements.data(), info.elements(), left);
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
  check_claimed_lengths(dataset, info);
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
  if (info.type.kind == ElementKind::variable_string) return read_variable(dataset, info);
  return info.shape.empty() ? read_fixed_scalar(dataset, info) : read_fixed(dataset, info);
}

}  // namespace genexx::hdf5
