// SPDX-License-Identifier: Apache-2.0
#include "io/hdf5_chunks.h"

#include <algorithm>
#include <cstring>
#include <mutex>

#include <fmt/format.h>

#include "io/hdf5_limits.h"
#include "io/parallel_for.h"

namespace genexx::hdf5 {
namespace {

constexpr std::int64_t kLargeChunk = std::int64_t{16} << 20;

std::int64_t divide_up(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

// The whole piece [rows, cols] at (row, col), as stored, through HDF5's own reader.
std::vector<std::uint8_t> read_piece(const Node& dataset, hid_t type, int rank, const Block& block) {
  const std::array<hsize_t, 2> start{static_cast<hsize_t>(block.row), static_cast<hsize_t>(block.col)};
  const std::array<hsize_t, 2> count{static_cast<hsize_t>(block.rows), static_cast<hsize_t>(block.cols)};
  std::vector<std::uint8_t> bytes(static_cast<std::size_t>(block.rows * block.cols) * H5Tget_size(type));
  const Id file_space(H5Dget_space(dataset.id()));
  const Id memory_space(H5Screate_simple(rank, count.data(), nullptr));
  if (H5Sselect_hyperslab(file_space.get(), H5S_SELECT_SET, start.data(), nullptr, count.data(), nullptr) < 0 ||
      H5Dread(dataset.id(), type, memory_space.get(), file_space.get(), H5P_DEFAULT, bytes.data()) < 0) {
    dataset.fail(
        fmt::format("its values cannot be read ({}). The file is truncated or damaged; fetch it again.", last_error()));
  }
  return bytes;
}

// A chunk that was never written holds the fill value everywhere.
std::vector<std::uint8_t> filled_chunk(const Node& dataset, hid_t type, std::int64_t bytes) {
  std::vector<std::uint8_t> value(H5Tget_size(type));
  const Id plist(H5Dget_create_plist(dataset.id()));
  if (H5Pget_fill_value(plist.get(), type, value.data()) < 0) std::fill(value.begin(), value.end(), std::uint8_t{0});
  std::vector<std::uint8_t> chunk(static_cast<std::size_t>(bytes));
  for (std::size_t at = 0; at + value.size() <= chunk.size(); at += value.size()) {
    std::memcpy(chunk.data() + at, value.data(), value.size());
  }
  return chunk;
}

}  // namespace

ChunkGrid::ChunkGrid(Node dataset, std::array<std::int64_t, 2> piece)
    : dataset_(std::move(dataset)), info_(readable_dataset(dataset_)) {
  const QuietErrors quiet;
  if (info_.null || info_.shape.empty() || info_.shape.size() > 2) {
    dataset_.fail(fmt::format("has {} dimensions, expected 1 or 2", info_.shape.size()));
  }
  file_type_ = Id(H5Dget_type(dataset_.id()));
  rows_ = info_.shape[0];
  if (info_.shape.size() == 2) cols_ = info_.shape[1];
  if (info_.chunk.empty()) {
    chunk_ = {std::clamp<std::int64_t>(rows_, 1, piece[0]), std::clamp<std::int64_t>(cols_, 1, piece[1])};
  } else {
    chunk_ = {info_.chunk[0], info_.chunk.size() == 2 ? info_.chunk[1] : 1};
  }
}

std::int64_t ChunkGrid::grid_rows() const { return divide_up(rows_, chunk_[0]); }
std::int64_t ChunkGrid::grid_cols() const { return divide_up(cols_, chunk_[1]); }

Block ChunkGrid::place(std::int64_t i, std::int64_t j) const {
  Block block;
  block.row = i * chunk_[0];
  block.col = j * chunk_[1];
  block.rows = std::min(chunk_[0], rows_ - block.row);
  block.cols = std::min(chunk_[1], cols_ - block.col);
  block.pitch = info_.chunk.empty() ? block.cols : chunk_[1];
  block.raw.count = info_.chunk.empty() ? block.rows * block.cols : chunk_[0] * chunk_[1];
  return block;
}

StoredChunk ChunkGrid::fetch(const Block& block) const {
  const QuietErrors quiet;
  const int rank = static_cast<int>(info_.shape.size());
  if (info_.chunk.empty()) return {read_piece(dataset_, file_type_.get(), rank, block), 0};
  const std::array<hsize_t, 2> offset{static_cast<hsize_t>(block.row), static_cast<hsize_t>(block.col)};
  hsize_t bytes = 0;
  if (H5Dget_chunk_storage_size(dataset_.id(), offset.data(), &bytes) < 0) {
    dataset_.fail(fmt::format("the chunk index is damaged ({}). Fetch the file again.", last_error()));
  }
  if (bytes == 0) return {filled_chunk(dataset_, file_type_.get(), chunk_bytes()), ~std::uint32_t{0}};
  if (bytes > static_cast<hsize_t>(dataset_.file().bytes) || bytes > static_cast<hsize_t>(2 * kMaximumChunkBytes)) {
    dataset_.fail(fmt::format("a chunk claims {} bytes in a file of {} bytes", bytes, dataset_.file().bytes));
  }
  StoredChunk stored;
  stored.bytes.resize(bytes);
  if (H5Dread_chunk(dataset_.id(), H5P_DEFAULT, offset.data(), &stored.skipped, stored.bytes.data()) < 0) {
    dataset_.fail(
        fmt::format("a chunk cannot be read ({}). The file is truncated or damaged; fetch it again.", last_error()));
  }
  return stored;
}

void ChunkGrid::finish(StoredChunk&& stored, const Block& block, LoadedChunk& chunk) const {
  undo_filters(dataset_, info_.filters, std::move(stored), block.raw.count * info_.type.size, chunk.data);
  chunk.block = block;
  chunk.block.raw.bytes = chunk.data.bytes.data();
  chunk.block.raw.shuffled = chunk.data.shuffled;
}

LoadedChunk ChunkGrid::load(std::int64_t i, std::int64_t j) const {
  const Block block = place(i, j);
  LoadedChunk chunk;
  finish(fetch(block), block, chunk);
  return chunk;
}

void ChunkGrid::for_each(const std::vector<Place>& places, int threads,
                         const std::function<void(std::int64_t, LoadedChunk&)>& consume) const {
  std::mutex library;  // HDF5 serializes its calls anyway; one mutex keeps its lock out of the workers' way
  const int workers = chunk_bytes() > kLargeChunk ? 1 : threads;
  parallel_for(static_cast<std::int64_t>(places.size()), workers, [&](std::int64_t index) {
    const Place& at = places[static_cast<std::size_t>(index)];
    const Block block = place(at.i, at.j);
    StoredChunk stored;
    {
      const std::lock_guard<std::mutex> lock(library);
      stored = fetch(block);
    }
    LoadedChunk chunk;
    finish(std::move(stored), block, chunk);
    consume(index, chunk);
  });
}

}  // namespace genexx::hdf5
