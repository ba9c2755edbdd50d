// SPDX-License-Identifier: Apache-2.0
// genexx embed MODEL DATA --out FILE: values of an inner layer for every cell, or for the mean cell of each group.
#include <fmt/format.h>

#include "engine/error.h"
#include "io/atomic_file.h"
#include "io/field_text.h"
#include "io/h5ad_writer.h"
#include "io/npy.h"
#include "tools/application.h"
#include "tools/embedding_files.h"
#include "tools/group_means.h"
#include "tools/output_place.h"
#include "tools/verbs.h"

namespace genexx::tools {
namespace {

struct EmbedOptions {
  ApplicationOptions application;
  std::string out, layer, group_by;
  std::int64_t replica = 0;
};

// Rows with names: cells, or groups of them.
struct Embedding {
  std::vector<std::string> names;
  std::vector<float> values;  // [names, width]
  std::int64_t width = 0;
};

// The default layer: what the output layer reads.
int layer_of(const Network& network, const std::string& name) {
  if (!name.empty()) return network.find(name);
  return network.nodes().back().inputs[0];
}

Embedding embed_cells(Application& application, const EmbedOptions& o) {
  Embedding e;
  const int node = layer_of(application.model().network, o.layer);
  e.width = application.model().network.nodes()[static_cast<std::size_t>(node)].width;
  e.names = application.source().cell_names();
  application.for_blocks([&](Predictor& predictor, const CsrMatrix& rows, std::int64_t) {
    const std::vector<float> values = predictor.values(rows, o.replica, node, 0);
    e.values.insert(e.values.end(), values.begin(), values.end());
  });
  return e;
}

// The network's values for the mean expression of each group: averaged before the network, not after it. The means are
// of what the network reads, normalised as the model's recipe says.
Embedding embed_groups(Application& application, const EmbedOptions& o) {
  const Groups groups = groups_of(application.source(), o.group_by);
  GroupMeans means(groups, application.model().recipe.genes());
  Embedding e;
  const int node = layer_of(application.model().network, o.layer);
  e.names = groups.names;
  e.width = application.model().network.nodes()[static_cast<std::size_t>(node)].width;
  application.for_blocks([&](Predictor& predictor, const CsrMatrix& rows, std::int64_t first) {
    means.add(rows, first);
    if (first + rows.rows == application.source().rows())
      e.values = predictor.values(means.matrix(), o.replica, node, 0);
  });
  return e;
}

enum class Rows { cells, groups };

std::string dimension(std::int64_t j) { return fmt::format("dim_{}", j); }

// Names of the rows of an npy file, where genexx homology looks for them.
void write_names(const std::string& path, const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += name + "\n";
  write_file_atomically(path, text);
}

void write_embedding(const std::string& path, const Embedding& e, const std::string& kind, Rows rows) {
  if (kind == "npy") {
    NamedTensor t;
    t.shape = {static_cast<std::int64_t>(e.names.size()), e.width};
    const auto* bytes = reinterpret_cast<const std::byte*>(e.values.data());
    t.bytes.assign(bytes, bytes + e.values.size() * sizeof(float));
    write_npy(path, t);
    return write_names(names_file_of(path), e.names);
  }
  if (kind == "h5ad") {
    std::vector<std::string> columns;
    for (std::int64_t j = 0; j < e.width; ++j) columns.push_back(dimension(j));
    H5adWriter writer(path);
    writer.write_cells(e.names, {});
    writer.write_genes(columns, {});
    writer.write_dense_matrix(e.values, e.width);
    return writer.commit();
  }
  if (rows == Rows::groups) return write_region_csv(path, "region_id", e.names, e.values);
  AtomicFile file(path);
  std::string header = "name";
  for (std::int64_t j = 0; j < e.width; ++j) header += "," + dimension(j);
  file.write(header + "\n");
  for (std::size_t i = 0; i < e.names.size(); ++i) {
    std::string line = csv_field(e.names[i]);
    for (std::int64_t j = 0; j < e.width; ++j)
      line += fmt::format(",{}", e.values[i * static_cast<std::size_t>(e.width) + static_cast<std::size_t>(j)]);
    file.write(line + "\n");
  }
  file.commit();
}

void embed(const EmbedOptions& o, Console& console) {
  refuse_unused(o.application.reading, "embed", {Unused::exclude_label});
  const std::size_t dot = o.out.rfind('.');
  const std::string kind = dot == std::string::npos ? "" : o.out.substr(dot + 1);
  if (kind != "h5ad" && kind != "csv" && kind != "npy")
    throw UsageError("--out " + o.out + ": expected a name that ends in .h5ad, .csv or .npy");
  expect_output(o.out, o.application.reading.overwrite);
  Application application(o.application, console);
  if (o.replica >= application.model().replicas)
    throw UsageError(
        fmt::format("--replica is {}, expected less than the model's {}", o.replica, application.model().replicas));
  const Embedding e = o.group_by.empty() ? embed_cells(application, o) : embed_groups(application, o);
  write_embedding(o.out, e, kind, o.group_by.empty() ? Rows::cells : Rows::groups);
  console.say(fmt::format("{}: {} rows of {} numbers", o.out, e.names.size(), e.width));
}

}  // namespace

void add_embed(CLI::App& app, Program& program) {
  CLI::App* verb = app.add_subcommand("embed", "Values of an inner layer for every cell.");
  const auto o = std::make_shared<EmbedOptions>();
  add_application_options(*verb, o->application);
  verb->add_option("--out", o->out, "FILE.h5ad, FILE.csv or FILE.npy")->required();
  verb->add_option("--layer", o->layer, "node of the network; what the output layer reads when not given");
  verb->add_option("--replica", o->replica, "replicas have spaces of their own: which one")
      ->check(CLI::NonNegativeNumber);
  verb->add_option("--group-by", o->group_by,
                   "column of the cells: average each of its groups, then embed the averages");
  verb->callback([&program, o] { program.action = [&program, o] { embed(*o, program.console); }; });
}

}  // namespace genexx::tools
