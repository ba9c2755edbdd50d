// SPDX-License-Identifier: Apache-2.0
#include "io/file_format.h"

#include <sys/stat.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <string_view>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "engine/error.h"
#include "io/geuvadis.h"
#include "io/hdf5.h"
#include "io/hdf5_attributes.h"
#include "io/tab_fields.h"

namespace genexx {
namespace {

// The first bytes of the file, decompressed where it is gzip.
std::string first_bytes(const std::string& path) {
  const std::unique_ptr<gzFile_s, int (*)(gzFile)> file(gzopen(path.c_str(), "rb"), gzclose);
  if (!file) {
    throw InputError(fmt::format("{}: cannot open the file ({}). Check the permissions.", path, std::strerror(errno)));
  }
  std::array<char, 4096> bytes;
  const int count = gzread(file.get(), bytes.data(), static_cast<unsigned>(bytes.size()));
  if (count < 0) {
    throw InputError(fmt::format("{}: the gzip compression is damaged. Fetch the file again.", path));
  }
  return std::string(bytes.data(), static_cast<std::size_t>(count));
}

bool starts_with(std::string_view text, std::string_view start) { return text.substr(0, start.size()) == start; }

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::tolower(c); });
  return text;
}

FileFormat recognise_hdf5(const std::string& path) {
  const hdf5::Node root = hdf5::open_file(path);
  if (hdf5::string_attribute(root, "encoding-type") == "anndata") return FileFormat::h5ad;
  if (root.has("obs") && root.has("var")) return FileFormat::h5ad;
  if (root.has("matrix/barcodes") && root.has("matrix/features")) return FileFormat::tenx_hdf5;
  if (root.has("matrix") && root.has("row_attrs") && root.has("col_attrs")) return FileFormat::loom;
  if (root.has("0/DATA") || root.has("0/META")) return FileFormat::gctx;
  const std::vector<std::string> names = root.names();
  for (const std::string& name : names) {
    if (root.has(name + "/barcodes") && root.has(name + "/genes")) return FileFormat::tenx_hdf5;
  }
  if (root.has("X")) return FileFormat::plain_hdf5;
  const std::size_t shown = std::min<std::size_t>(names.size(), 10);
  throw InputError(fmt::format(
      "{}: an HDF5 file of a kind we do not know. Its root holds: {}{}. Expected an AnnData file (obs, "
      "var), 10x counts "
      "(matrix or a genome), loom (matrix, row_attrs, col_attrs), GCTX (0/DATA, 0/META), or a plain matrix X.",
      path, fmt::join(names.begin(), names.begin() + static_cast<std::ptrdiff_t>(shown), ", "),
      shown < names.size() ? ", ..." : ""));
}

// Refuses text, a web page for instance, that is named as HDF5.
void expect_no_hdf5_name(const std::string& path, const std::string& start) {
  const std::string name = lower(path);
  for (const char* ending : {".h5ad", ".h5", ".hdf5", ".loom", ".gctx"}) {
    const std::string_view end = ending;
    if (name.size() < end.size() || name.compare(name.size() - end.size(), end.size(), end) != 0) continue;
    const std::string line = start.substr(0, std::min<std::size_t>(start.find_first_of("\r\n"), 40));
    throw InputError(
        fmt::format("{}: not an HDF5 file, although its name ends in {}; it begins with '{}'. Fetch it again, or name "
                    "it as what it is.",
                    path, ending, line));
  }
}

FileFormat recognise_text(const std::string& path, const std::string& start) {
  const std::size_t bom = starts_with(start, "\xEF\xBB\xBF") ? 3 : 0;
  const std::string line = start.substr(bom, start.find_first_of("\r\n", bom) - bom);
  const bool is_binary = std::any_of(start.begin(), start.end(),
                                     [](unsigned char c) { return c < 0x20 && c != '\t' && c != '\r' && c != '\n'; });
  if (starts_with(lower(line), "%%matrixmarket")) return FileFormat::matrix_market;
  const std::string_view version = without_tail(line);
  if (version == "#1.2" || version == "#1.3") return FileFormat::gct;  // under the name of a GCTX file, too
  if (!is_binary) expect_no_hdf5_name(path, start);
  if (is_geuvadis_header(line)) return FileFormat::geuvadis;
  if (is_binary) {
    throw InputError(
        fmt::format("{}: a binary file of a kind we do not know. Expected HDF5 (h5ad, 10x, loom, gctx), npy, or text "
                    "(csv, tsv, gct, Matrix Market), plain or gzip.",
                    path));
  }
  return FileFormat::delimited;
}

}  // namespace

const char* format_name(FileFormat format) {
  switch (format) {
    case FileFormat::h5ad:
      return "h5ad";
    case FileFormat::tenx_hdf5:
      return "10x HDF5";
    case FileFormat::loom:
      return "loom";
    case FileFormat::plain_hdf5:
      return "plain HDF5";
    case FileFormat::gctx:
      return "gctx";
    case FileFormat::matrix_market:
      return "Matrix Market";
    case FileFormat::delimited:
      return "delimited text";
    case FileFormat::npy:
      return "npy";
    case FileFormat::gct:
      return "gct";
    case FileFormat::geuvadis:
      return "GEUVADIS table";
  }
  return "unknown";
}

FileFormat recognise_format(const std::string& path) {
  struct stat status {};
  if (stat(path.c_str(), &status) != 0) {
    throw InputError(fmt::format("{}: cannot open the file ({}). Check the name.", path, std::strerror(errno)));
  }
  if (S_ISDIR(status.st_mode)) return FileFormat::matrix_market;
  if (hdf5::has_signature(path)) return recognise_hdf5(path);
  const std::string start = first_bytes(path);
  if (start.empty()) throw InputError(fmt::format("{}: the file is empty.", path));
  if (starts_with(start, "\x93NUMPY")) return FileFormat::npy;
  return recognise_text(path, start);
}

}  // namespace genexx
