// SPDX-License-Identifier: Apache-2.0
#include "io/gctx_writer.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>
#include <variant>
#include <vector>

#include <fmt/format.h>

#include "engine/error.h"
#include "io/cmap_metadata.h"
#include "io/dense_rows.h"

namespace genexx {
namespace {

constexpr std::int64_t kRowsAtOnce = 256;

// Strings of one fixed length, as the tools of the format expect them.
void write_fixed(const hdf5::Node& group, const std::string& name, const std::vector<std::string>& values) {
  std::size_t length = 1;
  for (const std::string& value : values) length = std::max(length, value.size());
  std::vector<char> bytes(length * values.size(), '\0');
  for (std::size_t i = 0; i < values.size(); ++i)
    std::memcpy(bytes.data() + i * length, values[i].data(), values[i].size());
  const hdf5::Id type(H5Tcopy(H5T_C_S1));
  H5Tset_size(type.get(), length);
  H5Tset_strpad(type.get(), H5T_STR_NULLPAD);
  H5Tset_cset(type.get(), H5T_CSET_UTF8);
  const hdf5::Node dataset =
      hdf5::create_dataset(group, name, {.file_type = type.get(), .shape = {static_cast<std::int64_t>(values.size())}});
  if (!values.empty()) hdf5::write_all(dataset, type.get(), bytes.data());
}

void write_column(const hdf5::Node& group, const Column& column) {
  const Numbers* numbers = std::get_if<Numbers>(&column.values);
  if (!numbers || numbers->kind == NumberKind::boolean) return write_fixed(group, column.name, cmap_text(column));
  std::vector<double> values = numbers->values;
  for (double& value : values)
    if (std::isnan(value)) value = static_cast<double>(kCmapMissingNumber);
  if (numbers->kind == NumberKind::real) {
    hdf5::write_doubles(group, column.name, values);
    return;
  }
  hdf5::write_int64s(group, column.name, std::vector<std::int64_t>(values.begin(), values.end()));
}

void write_frame(const hdf5::Node& meta, const std::string& name, const std::vector<std::string>& ids,
                 const ObsTable& table) {
  const hdf5::Node group = hdf5::create_group(meta, name);
  write_fixed(group, "id", ids);
  for (const Column& column : table.columns) {
    if (column.name == "id" || column.name.empty() || column.name.find('/') != std::string::npos) continue;
    write_column(group, column);
  }
}

}  // namespace

GctxWriter::GctxWriter(const std::string& path, const Annotations& about)
    : path_(path),
      samples_(static_cast<std::int64_t>(about.cell_names.size())),
      genes_(static_cast<std::int64_t>(about.gene_names.size())),
      file_(path),
      root_(hdf5::create_file(file_.temporary_path(), path)) {
  expect_ids(path, "column", about.cell_names);
  expect_ids(path, "row", about.gene_names);
  hdf5::write_attribute(*root_, "version", "GCTX1.0");
  hdf5::write_attribute(*root_, "src", path.substr(path.rfind('/') + 1));
  const hdf5::Node zero = hdf5::create_group(*root_, "0");
  const hdf5::Node meta = hdf5::create_group(zero, "META");
  write_frame(meta, "COL", about.cell_names, about.cells);
  write_frame(meta, "ROW", about.gene_names, about.genes);
  const hdf5::Node data = hdf5::create_group(hdf5::create_group(zero, "DATA"), "0");
  matrix_ = hdf5::create_dataset(data, "matrix", {.file_type = H5T_IEEE_F32LE, .shape = {samples_, genes_}});
}

void GctxWriter::append(const float* values, std::int64_t rows) {
  if (written_ + rows > samples_)
    throw UsageError(fmt::format("{}: {} rows were appended, expected {}", path_, written_ + rows, samples_));
  if (rows > 0) hdf5::write_rows(*matrix_, {.begin = written_, .rows = rows, .cols = genes_, .values = values});
  written_ += rows;
}

void GctxWriter::append(const CsrMatrix& block) {
  if (block.cols != genes_)
    throw UsageError(fmt::format("{}: a block has {} columns, expected {}", path_, block.cols, genes_));
  append(dense_rows(block).data(), block.rows);
}

void GctxWriter::commit() {
  if (written_ != samples_)
    throw UsageError(fmt::format("{}: {} rows were appended, expected {}", path_, written_, samples_));
  matrix_.reset();
  hdf5::close_file(root_);
  file_.commit();
}

void write_gctx(const std::string& path, MatrixSource& source) {
  GctxWriter writer(path, {source.cell_names(), source.gene_names(), source.cells(), source.genes()});
  source.rewind();
  CsrMatrix block;
  while (source.next(block, kRowsAtOnce)) writer.append(block);
  writer.commit();
}

}  // namespace genexx
