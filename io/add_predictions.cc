// SPDX-License-Identifier: Apache-2.0
#include "io/add_predictions.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>
#include <optional>
#include <set>

#include <fmt/format.h>

#include "engine/error.h"
#include "io/atomic_file.h"
#include "io/file_format.h"
#include "io/h5ad_elements.h"
#include "io/h5ad_writer.h"
#include "io/hdf5_attributes.h"
#include "io/open_matrix.h"

namespace genexx {
namespace {

using hdf5::Node;

constexpr float kMissing = std::numeric_limits<float>::quiet_NaN();

// The elements that predictions become, filled up to the number of cells of the file.
struct Elements {
  std::vector<Column> columns;       // KEY, KEY_probability, KEY_margin
  std::vector<float> probabilities;  // [cells, classes]
};

void check_predictions(const H5adPredictions& p) {
  const std::size_t n = p.labels.codes.size();
  if (p.probability.size() != n || p.margin.size() != n || p.probabilities.size() != n * p.classes.size()) {
    throw UsageError(
        fmt::format("predictions of {} cells and {} classes have {} probabilities of the label, {} margins and "
                    "{} probabilities",
                    n, p.classes.size(), p.probability.size(), p.margin.size(), p.probabilities.size()));
  }
  if (p.key.empty() || p.key.find('/') != std::string::npos || p.key[0] == '.' || p.key == "_index") {
    throw UsageError(
        fmt::format("'{}' cannot be the name of a column: expected a name without '/' that does not begin with "
                    "a dot and is not _index. Try --obs-key genexx_label.",
                    p.key));
  }
}

Numbers as_numbers(const std::vector<float>& values, std::size_t cells) {
  Numbers numbers{std::vector<double>(values.begin(), values.end())};
  numbers.values.resize(cells, kMissing);
  return numbers;
}

Elements make_elements(const H5adPredictions& p, const std::string& file, std::size_t cells) {
  if (p.labels.codes.size() > cells) {
    throw UsageError(
        fmt::format("there are predictions for {} cells, but {} has {}", p.labels.codes.size(), file, cells));
  }
  Elements elements;
  Categorical labels = p.labels;
  labels.codes.resize(cells, -1);
  elements.columns.push_back({p.key, std::move(labels)});
  elements.columns.push_back({p.key + "_probability", as_numbers(p.probability, cells)});
  elements.columns.push_back({p.key + "_margin", as_numbers(p.margin, cells)});
  elements.probabilities = p.probabilities;
  elements.probabilities.resize(cells * p.classes.size(), kMissing);
  return elements;
}

void fail_existing(const Node& group, const std::string& name) {
  throw UsageError(fmt::format("{}: {}/{} exists already. Choose another name with --obs-key, or --overwrite.",
                               group.file().name, group.path(), name));
}

// Makes room for `name`, or throws where it must not be replaced.
void make_room(const Node& group, const std::string& name, ExistingKey existing) {
  if (!group.has(name)) return;
  if (existing == ExistingKey::refuse) fail_existing(group, name);
  hdf5::remove_link(group, name);
}

void edit_obs(const Node& obs, const Elements& elements, h5ad::Encoding encoding, ExistingKey existing) {
  std::vector<std::string> order = hdf5::strings_attribute(obs, "column-order").value_or(std::vector<std::string>{});
  const std::string index = hdf5::string_attribute(obs, "_index").value_or("_index");
  for (const Column& column : elements.columns) {
    if (column.name == index || column.name == "__categories") {
      throw UsageError(
          fmt::format("{}: {}/{} is not a column of labels and cannot be replaced. Choose another name with "
                      "--obs-key.",
                      obs.file().name, obs.path(), column.name));
    }
    make_room(obs, column.name, existing);
    if (std::find(order.begin(), order.end(), column.name) == order.end()) order.push_back(column.name);
  }
  for (const Column& column : elements.columns) h5ad::write_column(obs, column, encoding);
  hdf5::write_attribute(obs, "column-order", order);
}

void edit_file(const Node& root, const H5adPredictions& p, h5ad::Generation generation, ExistingKey existing) {
  const auto encoding = generation == h5ad::Generation::encoded ? h5ad::Encoding::marked : h5ad::Encoding::unmarked;
  const Node obs = root.open_group("obs");
  const auto cells = h5ad::frame_rows(obs);
  const Elements elements = make_elements(p, root.file().name, static_cast<std::size_t>(cells));
  const Node obsm = h5ad::open_or_create_dict(root, "obsm", encoding);
  make_room(obsm, p.key + "_probabilities", existing);
  edit_obs(obs, elements, encoding, existing);
  const auto classes = static_cast<std::int64_t>(p.classes.size());
  h5ad::write_dense(obsm, p.key + "_probabilities", {cells, classes, elements.probabilities.data(), 0}, encoding);
  const Node uns = h5ad::open_or_create_dict(root, "uns", encoding);
  const Node ours = h5ad::open_or_create_dict(h5ad::open_or_create_dict(uns, "genexx", encoding), p.key, encoding);
  make_room(ours, "classes", ExistingKey::replace);
  h5ad::write_string_array(ours, "classes", p.classes, encoding);
}

void copy_bytes(const std::string& from, AtomicFile& to) {
  std::ifstream in(from, std::ios::binary);
  std::vector<char> buffer(std::size_t{4} << 20);
  while (in) {
    in.read(buffer.data(), static_cast<std::streamsize>(buffer.size()));
    to.write(buffer.data(), static_cast<std::size_t>(in.gcount()));
  }
  if (in.bad()) throw InputError(fmt::format("{}: cannot be read to its end. Check the disk.", from));
  to.flush();
}

// Gives the file that takes the place of `original` its owner, group and permissions.
void keep_owner(const std::string& original, const std::string& replacement) {
  struct stat before {
  }, now{};
  if (stat(original.c_str(), &before) != 0 || stat(replacement.c_str(), &now) != 0)
    throw RuntimeError(fmt::format("{}: the file went away while it was read", original));
  const bool same = before.st_uid == now.st_uid && before.st_gid == now.st_gid;
  if (!same && chown(replacement.c_str(), before.st_uid, before.st_gid) != 0)
    throw RuntimeError(
        fmt::format("{}: it belongs to another user or group ({}:{}), which a changed file could not keep. Write a "
                    "copy with --out FILE.h5ad.",
                    original, before.st_uid, before.st_gid));
  if (chmod(replacement.c_str(), before.st_mode & 07777) != 0)
    throw RuntimeError(fmt::format("{}: its permissions cannot be kept. Write a copy with --out FILE.h5ad.", original));
}

void edit_copy(const H5adPredictions& predictions, const PredictionTarget& target, h5ad::Generation generation) {
  std::error_code missing;
  const bool in_place = std::filesystem::equivalent(target.input, target.output, missing);
  if (in_place) check_replaceable(target.output);
  AtomicFile file(target.output);
  copy_bytes(target.input, file);
  std::optional<Node> root = hdf5::open_file_for_editing(file.temporary_path(), target.output);
  edit_file(*root, predictions, generation, target.existing);
  hdf5::close_file(root);
  if (in_place) keep_owner(target.input, file.temporary_path());
  file.commit();
}

ObsTable with_predictions(const ObsTable& cells, const Elements& elements, ExistingKey existing,
                          const std::string& file) {
  ObsTable table = cells;
  for (const Column& column : elements.columns) {
    const auto same = [&](const Column& c) { return c.name == column.name; };
    const auto found = std::find_if(table.columns.begin(), table.columns.end(), same);
    if (found == table.columns.end()) {
      table.columns.push_back(column);
    } else if (existing == ExistingKey::replace) {
      *found = column;
    } else {
      throw UsageError(
          fmt::format("{}: the cell column '{}' exists already. Choose another name with --obs-key, or "
                      "--overwrite.",
                      file, column.name));
    }
  }
  return table;
}

void write_anew(const H5adPredictions& predictions, const PredictionTarget& target) {
  std::error_code missing;
  if (std::filesystem::equivalent(target.input, target.output, missing)) {
    throw UsageError(
        fmt::format("{}: only AnnData files of 0.7 and later can be changed in place. Write to another file "
                    "with --out FILE.h5ad.",
                    target.input));
  }
  const auto source = open_matrix(target.input, target.reading);
  const Elements elements = make_elements(predictions, target.input, static_cast<std::size_t>(source->rows()));
  H5adWriter writer(target.output);
  writer.write_cells(source->cell_names(), with_predictions(source->cells(), elements, target.existing, target.input));
  writer.write_genes(source->gene_names(), source->genes());
  writer.write_matrix(*source);
  writer.write_obsm(predictions.key + "_probabilities", elements.probabilities,
                    static_cast<std::int64_t>(predictions.classes.size()));
  writer.write_uns("genexx/" + predictions.key + "/classes", predictions.classes);
  writer.commit();
}

}  // namespace

void check_replaceable(const std::string& path) {
  struct stat status {};
  if (stat(path.c_str(), &status) != 0) return;  // its reader says so
  constexpr mode_t kAnyWriter = S_IWUSR | S_IWGRP | S_IWOTH;
  if ((status.st_mode & kAnyWriter) != 0 && access(path.c_str(), W_OK) == 0) return;
  throw RuntimeError(
      fmt::format("{}: it is read-only (permissions {:o}), so it is not changed in place. Write a copy with --out "
                  "FILE.h5ad, or allow writing with chmod u+w.",
                  path, status.st_mode & 07777));
}

void add_predictions(const H5adPredictions& predictions, const PredictionTarget& target) {
  check_predictions(predictions);
  if (recognise_format(target.input) == FileFormat::h5ad) {
    const h5ad::Generation generation = h5ad::generation(hdf5::open_file(target.input));
    if (generation != h5ad::Generation::compound) return edit_copy(predictions, target, generation);
  }
  write_anew(predictions, target);
}

}  // namespace genexx
