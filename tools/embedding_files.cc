// SPDX-License-Identifier: Apache-2.0
#include "tools/embedding_files.h"

#include <algorithm>
#include <cctype>
#include <filesystem>

#include <fmt/format.h>

#include "engine/error.h"
#include "io/atomic_file.h"
#include "io/field_text.h"
#include "io/open_matrix.h"
#include "io/text_reader.h"

namespace genexx::tools {
namespace {

namespace fs = std::filesystem;

std::string lower(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

bool is_table(const fs::path& path) {
  const std::string name = lower(path.filename().string());
  for (const char* ending : {".csv", ".tsv", ".csv.gz", ".tsv.gz", ".npy", ".h5ad"})
    if (name.size() > std::string(ending).size() && name.ends_with(ending)) return true;
  return false;
}

bool is_embedding_of(const fs::path& path, const std::string& species) {
  const std::string name = lower(path.filename().string());
  return is_table(path) && name.find(species) != std::string::npos && name.find("embedding") != std::string::npos &&
         name.find("_epoch") == std::string::npos;
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Numbers by value, the rest by bytes.
bool natural_less(const std::string& a, const std::string& b) {
  std::size_t i = 0, j = 0;
  while (i < a.size() && j < b.size()) {
    if (is_digit(a[i]) && is_digit(b[j])) {
      const auto end_of = [](const std::string& s, std::size_t at) {
        while (at < s.size() && is_digit(s[at])) ++at;
        return at;
      };
      const auto begin_of = [](const std::string& s, std::size_t at, std::size_t end) {
        while (at + 1 < end && s[at] == '0') ++at;
        return at;
      };
      const std::size_t ie = end_of(a, i), je = end_of(b, j), ib = begin_of(a, i, ie), jb = begin_of(b, j, je);
      if (ie - ib != je - jb) return ie - ib < je - jb;
      const int order = a.compare(ib, ie - ib, b, jb, je - jb);
      if (order != 0) return order < 0;
      i = ie, j = je;
    } else {
      if (a[i] != b[j]) return a[i] < b[j];
      ++i, ++j;
    }
  }
  return a.size() - i < b.size() - j;
}

std::vector<std::string> files_of_directory(const std::string& folder, const std::string& species) {
  std::vector<std::string> found;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(folder))
    if (entry.is_regular_file() && is_embedding_of(entry.path(), species)) found.push_back(entry.path().string());
  if (found.empty())
    for (const fs::directory_entry& entry : fs::directory_iterator(folder))
      if (entry.is_regular_file() && is_table(entry.path())) found.push_back(entry.path().string());
  if (found.empty())
    throw InputError(
        fmt::format("{} holds no {} embeddings, expected csv, tsv, npy or h5ad files in it, or files "
                    "called like {}_embedding.csv below it",
                    folder, species, species));
  std::sort(found.begin(), found.end(), natural_less);
  return found;
}

std::vector<std::string> read_names(const std::string& path) {
  TextReader reader(path);
  std::vector<std::string> names;
  std::string_view line;
  while (reader.next(line))
    if (!line.empty()) names.emplace_back(line);
  return names;
}

}  // namespace

std::vector<std::string> embedding_files(const std::vector<std::string>& given, const std::string& species) {
  std::vector<std::string> files;
  for (const std::string& path : given) {
    if (!fs::exists(path)) throw InputError(path + ": there is no such file or directory");
    if (!fs::is_directory(path)) {
      files.push_back(path);
      continue;
    }
    for (std::string& file : files_of_directory(path, species)) files.push_back(std::move(file));
  }
  return files;
}

std::string names_file_of(const std::string& npy) { return npy.substr(0, npy.rfind('.')) + ".names.txt"; }

transbrain::RegionTable read_region_table(const std::string& path, const std::string& names_file, Console& console) {
  ReadOptions options;
  options.orientation = Orientation::cells_rows;
  const std::unique_ptr<MatrixSource> source = open_matrix(path, options);
  for (const std::string& text : source->warnings()) console.warn(text);
  transbrain::RegionTable table;
  table.regions = source->cell_names();
  table.width = source->cols();
  if (lower(path).ends_with(".npy")) {
    const std::string beside = names_file.empty() ? names_file_of(path) : names_file;
    if (names_file.empty() && !fs::exists(beside))
      throw InputError(
          fmt::format("{} has no region names, expected them in {}, a name a line; or give "
                      "--human-names or --mouse-names",
                      path, beside));
    table.regions = read_names(beside);
    if (static_cast<std::int64_t>(table.regions.size()) != source->rows())
      throw InputError(
          fmt::format("{} has {} names, but {} has {} rows", beside, table.regions.size(), path, source->rows()));
  }
  const CsrMatrix matrix = read_all(*source);
  table.values.assign(static_cast<std::size_t>(matrix.rows * matrix.cols), 0.0);
  for (std::int64_t i = 0; i < matrix.rows; ++i)
    for (std::int64_t k = matrix.row_begin[static_cast<std::size_t>(i)];
         k < matrix.row_begin[static_cast<std::size_t>(i + 1)]; ++k)
      table.values[static_cast<std::size_t>(i * matrix.cols + matrix.column[static_cast<std::size_t>(k)])] =
          matrix.value[static_cast<std::size_t>(k)];
  transbrain::check(table, path);
  return table;
}

void write_region_csv(const std::string& path, const std::string& corner, const std::vector<std::string>& names,
                      const std::vector<float>& values) {
  const std::size_t width = names.empty() ? 0 : values.size() / names.size();
  AtomicFile file(path);
  std::string line = corner;
  for (std::size_t j = 1; j <= width; ++j) line += fmt::format(",{}", j);
  file.write(line + "\n");
  for (std::size_t i = 0; i < names.size(); ++i) {
    line = csv_field(names[i]);
    for (std::size_t j = 0; j < width; ++j) line += fmt::format(",{}", values[i * width + j]);
    file.write(line + "\n");
  }
  file.commit();
}

}  // namespace genexx::tools
