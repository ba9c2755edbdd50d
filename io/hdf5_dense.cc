// SPDX-License-Identifier: Apache-2.0
#include "io/hdf5_dense.h"

#include <algorithm>
#include <limits>

#include <fmt/format.h>

#include "io/hdf5_sparse.h"

namespace genexx::hdf5 {
namespace {

constexpr std::int64_t kBandBytes = std::int64_t{16} << 20;
constexpr std::int64_t kPieceElements = std::int64_t{1} << 19;  // of datasets that are not chunked

std::size_t at(std::int64_t i) { return static_cast<std::size_t>(i); }

// Cuts a dataset without chunks into whole rows of cells, or into groups of at least 64 cells over all genes.
std::array<std::int64_t, 2> piece_shape(const Node& dataset, CellAxis axis) {
  const DatasetInfo info = describe_dataset(dataset);
  if (info.shape.size() != 2) {
    dataset.fail(fmt::format("has {} dimensions, expected 2 (cells and genes)", info.shape.size()));
  }
  const std::int64_t genes = std::clamp<std::int64_t>(info.shape[axis == CellAxis::rows ? 1 : 0], 1, kPieceElements);
  if (axis == CellAxis::rows) return {std::max<std::int64_t>(1, kPieceElements / genes), genes};
  return {genes, std::max<std::int64_t>(64, 4 * kPieceElements / genes)};
}

std::vector<std::vector<ChunkGrid::Place>> in_batches(const std::vector<ChunkGrid::Place>& places, std::int64_t bytes) {
  const std::int64_t room = std::max<std::int64_t>(1, kBandBytes / std::max<std::int64_t>(1, bytes));
  std::vector<std::vector<ChunkGrid::Place>> batches;
  for (std::size_t begin = 0; begin < places.size(); begin += at(room)) {
    const std::size_t end = std::min(places.size(), begin + at(room));
    batches.emplace_back(places.begin() + static_cast<std::ptrdiff_t>(begin),
                         places.begin() + static_cast<std::ptrdiff_t>(end));
  }
  return batches;
}

}  // namespace

DenseRows::DenseRows(const Node& dataset, CellAxis axis, int threads)
    : grid_(dataset, piece_shape(dataset, axis)), axis_(axis), threads_(threads) {
  if (!grid_.info().type.is_number()) {
    dataset.fail(fmt::format("holds elements of type {}, expected numbers", dtype_name(grid_.info().type)));
  }
  if (genes() > std::numeric_limits<std::int32_t>::max()) {
    dataset.fail(fmt::format("has {} genes, expected fewer than 2^31", genes()));
  }
}

std::vector<LoadedChunk> DenseRows::load(const std::vector<ChunkGrid::Place>& places) const {
  std::vector<LoadedChunk> chunks(places.size());
  grid_.for_each(places, threads_,
                 [&](std::int64_t index, LoadedChunk& loaded) { chunks[at(index)] = std::move(loaded); });
  return chunks;
}

// Chunks of a band come in the order of their genes, so the columns of each row come out increasing.
void DenseRows::run(Pass pass, const std::vector<LoadedChunk>& chunks) {
  std::vector<float> row(at(grid_.chunk_cols()));
  for (const LoadedChunk& chunk : chunks) {
    const Block& block = chunk.block;
    for (std::int64_t r = 0; r < block.rows; ++r) {
      decode(grid_.info().type, block.raw, r * block.pitch, block.cols, row.data());
      for (std::int64_t c = 0; c < block.cols; ++c) {
        const float value = row[at(c)];
        if (value == 0.0f) continue;
        const std::int64_t cell = (axis_ == CellAxis::rows ? block.row + r : block.col + c) - band_begin_;
        if (pass == Pass::count) {
          ++band_.row_begin[at(cell) + 1];
        } else {
          const std::int64_t to = place_[at(cell)]++;
          band_.column[at(to)] = static_cast<std::int32_t>(axis_ == CellAxis::rows ? block.col + c : block.row + r);
          band_.value[at(to)] = value;
        }
      }
    }
  }
}

void DenseRows::load_band(std::int64_t cell) {
  const bool by_rows = axis_ == CellAxis::rows;
  const std::int64_t band_cells = by_rows ? grid_.chunk_rows() : grid_.chunk_cols();
  const std::int64_t chunks_in_band = by_rows ? grid_.grid_cols() : grid_.grid_rows();
  const std::int64_t first = cell / band_cells;
  const std::int64_t left = (by_rows ? grid_.grid_rows() : grid_.grid_cols()) - first;
  const std::int64_t band_bytes = std::max<std::int64_t>(1, chunks_in_band * grid_.chunk_bytes());
  const std::int64_t bands = std::clamp<std::int64_t>(kBandBytes / band_bytes, 1, left);
  band_begin_ = first * band_cells;
  band_end_ = std::min(cells(), (first + bands) * band_cells);
  std::vector<ChunkGrid::Place> places;
  for (std::int64_t band = first; band < first + bands; ++band) {
    for (std::int64_t k = 0; k < chunks_in_band; ++k) {
      places.push_back(by_rows ? ChunkGrid::Place{band, k} : ChunkGrid::Place{k, band});
    }
  }

  band_ = CsrMatrix();
  band_.rows = band_end_ - band_begin_;
  band_.cols = genes();
  band_.row_begin.assign(at(band_.rows) + 1, 0);
  const auto batches = in_batches(places, grid_.chunk_bytes());
  std::vector<LoadedChunk> chunks;
  for (const auto& batch : batches) {
    chunks.clear();
    chunks = load(batch);
    run(Pass::count, chunks);
  }
  for (std::int64_t r = 0; r < band_.rows; ++r) band_.row_begin[at(r) + 1] += band_.row_begin[at(r)];
  place_.assign(band_.row_begin.begin(), band_.row_begin.end() - 1);
  band_.column.resize(at(band_.nnz()));
  band_.value.resize(at(band_.nnz()));
  for (const auto& batch : batches) {
    if (batches.size() > 1) {
      chunks.clear();
      chunks = load(batch);
    }
    run(Pass::fill, chunks);
  }
}

void DenseRows::read(std::int64_t cell, std::int64_t count, CsrMatrix& block) {
  block.rows = 0;
  block.cols = genes();
  block.row_begin.assign(1, 0);
  block.column.clear();
  block.value.clear();
  while (count > 0) {
    if (cell < band_begin_ || cell >= band_end_) load_band(cell);
    const std::int64_t n = std::min(count, band_end_ - cell);
    const std::int64_t begin = band_.row_begin[at(cell - band_begin_)];
    const std::int64_t end = band_.row_begin[at(cell - band_begin_ + n)];
    const std::int64_t shift = block.nnz() - begin;
    for (std::int64_t i = 1; i <= n; ++i) {
      block.row_begin.push_back(band_.row_begin[at(cell - band_begin_ + i)] + shift);
    }
    block.column.insert(block.column.end(), band_.column.begin() + begin, band_.column.begin() + end);
    block.value.insert(block.value.end(), band_.value.begin() + begin, band_.value.begin() + end);
    block.rows += n;
    cell += n;
    count -= n;
  }
}

}  // namespace genexx::hdf5
