// SPDX-License-Identifier: Apache-2.0
#include "io/npy.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <utility>

#include <fmt/format.h>

#include "engine/error.h"
#include "io/atomic_file.h"
#include "io/csr_transposer.h"
#include "io/memory_source.h"
#include "io/npy_header.h"

namespace genexx {
namespace {

constexpr std::int64_t kReadBytes = std::int64_t{4} << 20;

// Lines of the file in its own order: rows in C order, columns in Fortran order.
class LineReader {
 public:
  LineReader(BinaryFile file, NpyHeader header) : file_(std::move(file)), header_(std::move(header)) {}

  std::int64_t lines() const { return header_.shape[header_.order == NpyOrder::c ? 0 : 1]; }
  std::int64_t length() const { return header_.shape[header_.order == NpyOrder::c ? 1 : 0]; }

  // Numbers of line `line`; valid until the next call.
  const float* read(std::int64_t line) {
    const std::int64_t line_bytes = length() * header_.item_bytes;
    if (line < first_ || line >= first_ + held_) {
      first_ = line;
      held_ = std::min(std::max<std::int64_t>(1, kReadBytes / std::max<std::int64_t>(line_bytes, 1)), lines() - line);
      bytes_.resize(static_cast<std::size_t>(held_ * line_bytes));
      file_.read(bytes_.data(), header_.data_begin + line * line_bytes, held_ * line_bytes);
    }
    numbers_.resize(static_cast<std::size_t>(length()));
    decode_npy(header_, bytes_.data() + (line - first_) * line_bytes, length(), numbers_.data());
    return numbers_.data();
  }

 private:
  BinaryFile file_;
  NpyHeader header_;
  std::vector<char> bytes_;
  std::vector<float> numbers_;
  std::int64_t first_ = 0, held_ = 0;
};

// The file lies cell by cell.
class NpySource final : public MatrixSource {
 public:
  NpySource(Annotations annotations, LineReader lines)
      : MatrixSource(std::move(annotations)), lines_(std::move(lines)) {}

  bool next(CsrMatrix& block, std::int64_t max_rows) override {
    block.rows = std::min(std::max<std::int64_t>(max_rows, 1), rows() - next_row_);
    block.cols = cols();
    block.row_begin.assign(1, 0);
    block.column.clear();
    block.value.clear();
    for (std::int64_t row = 0; row < block.rows; ++row) {
      const float* numbers = lines_.read(next_row_ + row);
      for (std::int64_t col = 0; col < cols(); ++col) {
        if (numbers[col] == 0.0f) continue;
        block.column.push_back(static_cast<std::int32_t>(col));
        block.value.push_back(numbers[col]);
      }
      block.row_begin.push_back(static_cast<std::int64_t>(block.column.size()));
    }
    next_row_ += block.rows;
    return block.rows > 0;
  }

  void rewind() override { next_row_ = 0; }

 private:
  LineReader lines_;
  std::int64_t next_row_ = 0;
};

struct Layout {
  NpyHeader header;
  bool genes_in_rows = false;
  std::int64_t cells = 0, genes = 0;
};

Layout read_layout(const BinaryFile& file, const ReadOptions& options) {
  Layout layout;
  layout.header = read_npy_header(file);
  const auto& shape = layout.header.shape;
  if (shape.size() != 2) {
    throw InputError(
        fmt::format("{} has the shape ({}), expected a matrix of two dimensions", file.path(), fmt::join(shape, ", ")));
  }
  layout.genes_in_rows = options.orientation == Orientation::genes_rows;
  layout.cells = shape[layout.genes_in_rows ? 1 : 0];
  layout.genes = shape[layout.genes_in_rows ? 0 : 1];
  // A shape with a zero needs no bytes, so only its other extent could ask for unlimited memory here.
  constexpr std::int64_t kMost = std::numeric_limits<std::int32_t>::max();
  if (layout.header.elements() == 0 || layout.cells > kMost || layout.genes > kMost) {
    throw InputError(fmt::format("{} has the shape ({}), expected from 1 to {} rows and columns", file.path(),
                                 fmt::join(shape, ", "), kMost));
  }
  return layout;
}

CsrMatrix turn_around(LineReader lines, std::int64_t cells) {
  CsrTransposer transposer(cells);
  for (std::int64_t gene = 0; gene < lines.lines(); ++gene) {
    const float* numbers = lines.read(gene);
    for (std::int64_t cell = 0; cell < cells; ++cell) {
      if (numbers[cell] != 0.0f) transposer.add(cell, numbers[cell]);
    }
    transposer.end_gene();
  }
  return transposer.finish();
}

std::string type_text(const NpyHeader& header) {
  switch (header.kind) {
    case NpyKind::boolean:
      return "bool";
    case NpyKind::integer:
      return fmt::format("int{}", 8 * header.item_bytes);
    case NpyKind::unsigned_integer:
      return fmt::format("uint{}", 8 * header.item_bytes);
    case NpyKind::real:
      return fmt::format("float{}", 8 * header.item_bytes);
  }
  return "";
}

DType type_that_holds(const NpyHeader& header) {
  switch (header.kind) {
    case NpyKind::boolean:
      return DType::u8;
    case NpyKind::integer:
      return header.item_bytes == 8 ? DType::i64 : DType::i32;
    case NpyKind::unsigned_integer:
      return header.item_bytes == 1 ? DType::u8 : header.item_bytes == 2 ? DType::i32 : DType::i64;
    case NpyKind::real:
      return header.item_bytes == 8 ? DType::f64 : DType::f32;
  }
  return DType::f64;
}

// Moves items from Fortran to C order.
void reorder(const std::vector<std::int64_t>& shape, std::int64_t item, std::vector<std::byte>& bytes) {
  const std::vector<std::byte> from = bytes;
  std::vector<std::int64_t> index(shape.size(), 0);
  const std::int64_t count = static_cast<std::int64_t>(from.size()) / item;
  for (std::int64_t at = 0; at < count; ++at) {
    std::int64_t place = 0;
    for (std::size_t axis = 0; axis < shape.size(); ++axis) place = place * shape[axis] + index[axis];
    std::memcpy(bytes.data() + place * item, from.data() + at * item, static_cast<std::size_t>(item));
    for (std::size_t axis = 0; axis < shape.size() && ++index[axis] == shape[axis]; ++axis) index[axis] = 0;
  }
}

template <typename To>
void decode_into(const NpyHeader& header, const std::vector<char>& items, NamedTensor& array) {
  decode_npy(header, items.data(), header.elements(), reinterpret_cast<To*>(array.bytes.data()));
}

}  // namespace

std::unique_ptr<MatrixSource> open_npy(const std::string& path, const ReadOptions& options) {
  BinaryFile file(path);
  Layout layout = read_layout(file, options);
  Annotations annotations;
  for (std::int64_t i = 0; i < layout.cells; ++i) annotations.cell_names.push_back(fmt::format("cell_{}", i));
  for (std::int64_t i = 0; i < layout.genes; ++i) annotations.gene_names.push_back(fmt::format("gene_{}", i));
  if (options.limit_cells) limit_cells(annotations, *options.limit_cells);
  const auto cells = static_cast<std::int64_t>(annotations.cell_names.size());
  annotations.stored_values = cells * layout.genes;
  annotations.description =
      fmt::format("{}; no names; rows are {}", path,
                  layout.genes_in_rows ? "genes: as --orientation says" : "cells (--orientation genes-rows if not)");
  const bool by_cells = (layout.header.order == NpyOrder::c) != layout.genes_in_rows;
  auto lines = std::make_shared<LineReader>(std::move(file), std::move(layout.header));
  if (by_cells) return std::make_unique<NpySource>(std::move(annotations), std::move(*lines));
  return std::make_unique<MemorySource>(std::move(annotations),
                                        [lines, cells] { return turn_around(std::move(*lines), cells); });
}

FileInfo describe_npy(const std::string& path, const ReadOptions& options) {
  const BinaryFile file(path);
  const Layout layout = read_layout(file, options);
  FileInfo info;
  info.format = FileFormat::npy;
  info.layout = layout.header.order == NpyOrder::c ? "C order" : "Fortran order";
  info.bytes = file.size();
  MatrixInfo matrix;
  matrix.name = "X";
  matrix.rows = layout.cells;
  matrix.cols = layout.genes;
  matrix.dtype = type_text(layout.header);
  matrix.storage = "dense";
  info.matrices.push_back(std::move(matrix));
  return info;
}

NamedTensor read_npy(const std::string& path) {
  const BinaryFile file(path);
  const NpyHeader header = read_npy_header(file);
  std::vector<char> items(static_cast<std::size_t>(file.size() - header.data_begin));
  file.read(items.data(), header.data_begin, static_cast<std::int64_t>(items.size()));
  NamedTensor array;
  array.dtype = type_that_holds(header);
  array.shape = header.shape;
  array.bytes.resize(static_cast<std::size_t>(header.elements() * size_of(array.dtype)));
  switch (array.dtype) {
    case DType::f64:
      decode_into<double>(header, items, array);
      break;
    case DType::i64:
      decode_into<std::int64_t>(header, items, array);
      break;
    case DType::i32:
      decode_into<std::int32_t>(header, items, array);
      break;
    case DType::u8:
      decode_into<std::uint8_t>(header, items, array);
      break;
    default:
      decode_into<float>(header, items, array);
  }
  if (header.kind == NpyKind::unsigned_integer && header.item_bytes == 8) {
    const auto* numbers = reinterpret_cast<const std::int64_t*>(array.bytes.data());
    if (std::any_of(numbers, numbers + header.elements(), [](std::int64_t number) { return number < 0; })) {
      throw InputError(fmt::format("{} holds unsigned numbers over 2^63 - 1; save it as float64", path));
    }
  }
  if (header.order == NpyOrder::fortran) reorder(array.shape, size_of(array.dtype), array.bytes);
  return array;
}

void write_npy(const std::string& path, const NamedTensor& array) {
  std::int64_t expected = size_of(array.dtype);
  for (const std::int64_t extent : array.shape) expected *= extent;
  if (static_cast<std::int64_t>(array.bytes.size()) != expected) {
    throw UsageError(fmt::format("array for {} has {} bytes, its shape ({}) of {} needs {}", path, array.bytes.size(),
                                 fmt::join(array.shape, ", "), name_of(array.dtype), expected));
  }
  const std::string header = npy_header_bytes(array.dtype, array.shape);
  AtomicFile out(path);
  out.write(header);
  out.write(array.bytes.data(), array.bytes.size());
  out.commit();
}

}  // namespace genexx
