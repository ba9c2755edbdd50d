// SPDX-License-Identifier: Apache-2.0
#include "io/open_matrix.h"

#include <stdexcept>

#include <fmt/format.h>

#include "engine/error.h"
#include "io/delimited_text.h"
#include "io/file_format.h"
#include "io/file_info.h"
#include "io/gct.h"
#include "io/gctx.h"
#include "io/geuvadis.h"
#include "io/h5ad.h"
#include "io/labels.h"
#include "io/loom.h"
#include "io/matrix_market.h"
#include "io/npy.h"
#include "io/plain_hdf5.h"
#include "io/tenx_hdf5.h"

namespace genexx {
namespace {

// Formats that may hold several matrices know what --matrix asks for; the others have one.
void check_only_matrix(const std::string& path, FileFormat format, const ReadOptions& options) {
  const bool has_several = format == FileFormat::h5ad || format == FileFormat::loom || format == FileFormat::tenx_hdf5;
  if (has_several || options.matrix.value_or("X") == "X") return;
  throw InputError(fmt::format("{}: there is no matrix '{}': a {} file has one, called X. Leave --matrix out.", path,
                               *options.matrix, format_name(format)));
}

std::unique_ptr<MatrixSource> open_format(const std::string& path, const ReadOptions& options) {
  const FileFormat format = recognise_format(path);
  check_only_matrix(path, format, options);
  switch (format) {
    case FileFormat::h5ad:
      return open_h5ad(path, options);
    case FileFormat::tenx_hdf5:
      return open_tenx_hdf5(path, options);
    case FileFormat::loom:
      return open_loom(path, options);
    case FileFormat::plain_hdf5:
      return open_plain_hdf5(path, options);
    case FileFormat::matrix_market:
      return open_matrix_market(path, options);
    case FileFormat::delimited:
      return open_delimited(path, options);
    case FileFormat::npy:
      return open_npy(path, options);
    case FileFormat::gctx:
      return open_gctx(path, options);
    case FileFormat::gct:
      return open_gct(path, options);
    case FileFormat::geuvadis:
      return open_geuvadis(path, options);
  }
  throw std::logic_error("a file format without a reader");
}

}  // namespace

std::unique_ptr<MatrixSource> open_matrix(const std::string& path, const ReadOptions& options) {
  std::unique_ptr<MatrixSource> source = open_format(path, options);
  if (options.gene_column) source->use_gene_column(*options.gene_column);
  if (options.labels_file) apply_labels_file(*options.labels_file, *source);
  return source;
}

FileInfo describe_file(const std::string& path, const ReadOptions& options) {
  const FileFormat format = recognise_format(path);
  switch (format) {
    case FileFormat::h5ad:
      return describe_h5ad(path, options);
    case FileFormat::tenx_hdf5:
      return describe_tenx_hdf5(path, options);
    case FileFormat::loom:
      return describe_loom(path, options);
    case FileFormat::plain_hdf5:
      return describe_plain_hdf5(path, options);
    case FileFormat::matrix_market:
      return describe_matrix_market(path, options);
    case FileFormat::delimited:
      return describe_delimited(path, options);
    case FileFormat::npy:
      return describe_npy(path, options);
    case FileFormat::gctx:
      return describe_gctx(path, options);
    case FileFormat::gct:
      return describe_gct(path, options);
    case FileFormat::geuvadis:
      return describe_geuvadis(path, options);
  }
  throw std::logic_error("a file format without a reader");
}

}  // namespace genexx
