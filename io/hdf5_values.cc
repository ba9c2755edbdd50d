// SPDX-License-Identifier: Apache-2.0
#include "io/hdf5_values.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace genexx::hdf5 {
namespace {

constexpr std::int64_t kWindowBytes = std::int64_t{4} << 20;
constexpr std::int64_t kPieceElements = std::int64_t{1} << 17;  // of vectors that are not chunked

void expect_numbers(const Node& dataset, const ElementType& type) {
  if (!type.is_number()) dataset.fail(fmt::format("holds elements of type {}, expected numbers", dtype_name(type)));
}

void expect_integers(const Node& dataset, const ElementType& type) {
  if (!type.is_integer() && type.kind != ElementKind::boolean) {
    dataset.fail(fmt::format("holds elements of type {}, expected integers", dtype_name(type)));
  }
}

// A scalar, read by HDF5 into `value`.
template <class T>
std::vector<T> read_scalar(const Node& dataset, hid_t memory_type) {
  const QuietErrors quiet;
  T value{};
  if (H5Dread(dataset.id(), memory_type, H5S_ALL, H5S_ALL, H5P_DEFAULT, &value) < 0) {
    dataset.fail(fmt::format("its value cannot be read ({})", last_error()));
  }
  return {value};
}

void expect_one_column(const Node& dataset, const std::vector<std::int64_t>& shape) {
  if (shape.size() == 2 && shape[1] != 1) {
    dataset.fail(fmt::format("is a matrix of {} columns, expected a vector", shape[1]));
  }
}

template <class T>
std::vector<T> read_vector(const Node& dataset) {
  VectorReader reader(dataset, 0);
  std::vector<T> values(static_cast<std::size_t>(reader.size()));
  reader.read(0, reader.size(), values.data());
  return values;
}

std::string number_as_text(double value) {
  if (std::isnan(value)) return "";
  if (value == std::floor(value) && std::abs(value) < 0x1p53) return fmt::format("{:.0f}", value + 0.0);
  return fmt::format("{}", value);
}

}  // namespace

VectorReader::VectorReader(const Node& dataset, int threads) : grid_(dataset, {kPieceElements, 1}), threads_(threads) {
  expect_numbers(dataset, grid_.info().type);
  expect_one_column(dataset, grid_.info().shape);
}

void VectorReader::load_window(std::int64_t chunk) {
  window_.clear();
  const std::int64_t room = std::max<std::int64_t>(1, kWindowBytes / std::max<std::int64_t>(1, grid_.chunk_bytes()));
  const std::int64_t count = std::min(room, grid_.grid_rows() - chunk);
  std::vector<ChunkGrid::Place> places;
  for (std::int64_t i = 0; i < count; ++i) places.push_back({chunk + i, 0});
  window_.resize(static_cast<std::size_t>(count));
  window_chunk_ = chunk;
  grid_.for_each(places, threads_, [&](std::int64_t index, LoadedChunk& loaded) {
    // Moving a vector keeps its buffer, so the block's pointer stays good.
    window_[static_cast<std::size_t>(index)] = std::move(loaded);
  });
}

template <class T>
void VectorReader::read(std::int64_t begin, std::int64_t n, T* out) {
  if constexpr (std::is_integral_v<T>) expect_integers(dataset(), type());
  while (n > 0) {
    const std::int64_t chunk = begin / grid_.chunk_rows();
    if (window_.empty() || chunk < window_chunk_ ||
        chunk >= window_chunk_ + static_cast<std::int64_t>(window_.size())) {
      load_window(chunk);
    }
    const Block& block = window_[static_cast<std::size_t>(chunk - window_chunk_)].block;
    const std::int64_t first = begin - block.row;
    const std::int64_t count = std::min(n, block.rows - first);
    decode(type(), block.raw, first, count, out);
    begin += count;
    out += count;
    n -= count;
  }
}

template void VectorReader::read(std::int64_t, std::int64_t, float*);
template void VectorReader::read(std::int64_t, std::int64_t, double*);
template void VectorReader::read(std::int64_t, std::int64_t, std::int64_t*);

std::vector<double> read_doubles(const Node& dataset) {
  const DatasetInfo info = readable_dataset(dataset);
  expect_numbers(dataset, info.type);
  if (!info.null && info.shape.empty()) {
    return info.type.kind == ElementKind::boolean ? std::vector<double>{double(read_integers(dataset)[0])}
                                                  : read_scalar<double>(dataset, H5T_NATIVE_DOUBLE);
  }
  return read_vector<double>(dataset);
}

std::vector<std::int64_t> read_integers(const Node& dataset) {
  const DatasetInfo info = readable_dataset(dataset);
  expect_integers(dataset, info.type);
  if (!info.null && info.shape.empty()) {
    if (info.type.kind != ElementKind::boolean) return read_scalar<std::int64_t>(dataset, H5T_NATIVE_INT64);
    const Id type(H5Dget_type(dataset.id()));
    return {read_scalar<std::int8_t>(dataset, type.get())[0]};
  }
  return read_vector<std::int64_t>(dataset);
}

std::vector<std::string> read_as_text(const Node& dataset) {
  const DatasetInfo info = readable_dataset(dataset);
  if (info.type.is_string()) return read_strings(dataset);
  if (!info.type.is_number()) {
    dataset.fail(fmt::format("holds elements of type {}, expected strings or numbers", dtype_name(info.type)));
  }
  std::vector<std::string> text;
  if (info.type.is_integer()) {
    for (const std::int64_t value : read_integers(dataset)) text.push_back(std::to_string(value));
  } else if (info.type.kind == ElementKind::boolean) {
    for (const std::int64_t value : read_integers(dataset)) text.push_back(value ? "True" : "False");
  } else {
    for (const double value : read_doubles(dataset)) text.push_back(number_as_text(value));
  }
  return text;
}

}  // namespace genexx::hdf5
