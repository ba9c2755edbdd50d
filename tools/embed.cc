// SPDX-License-Identifier: Apache-2.0
// genexx embed MODEL DATA --out FILE: values of an inner layer for every cell, or their means over groups.
#include <algorithm>

#include <fmt/format.h>

#include "engine/error.h"
#include "io/atomic_file.h"
#include "io/h5ad_writer.h"
#include "io/npy.h"
#include "tools/application.h"
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

// Mean of the rows of each group, groups in sorted order; cells without a group are left out.
Embedding group_means(const Embedding& cells, const std::vector<std::string>& group) {
  Embedding means;
  means.width = cells.width;
  means.names = group;
  std::sort(means.names.begin(), means.names.end());
  means.names.erase(std::unique(means.names.begin(), means.names.end()), means.names.end());
  if (!means.names.empty() && means.names.front().empty()) means.names.erase(means.names.begin());
  std::vector<double> sum(means.names.size() * static_cast<std::size_t>(cells.width), 0.0),
      count(means.names.size(), 0.0);
  for (std::size_t i = 0; i < group.size(); ++i) {
    if (group[i].empty()) continue;
    const auto at = static_cast<std::size_t>(std::lower_bound(means.names.begin(), means.names.end(), group[i]) -
                                             means.names.begin());
    count[at] += 1;
    for (std::size_t j = 0; j < static_cast<std::size_t>(cells.width); ++j)
      sum[at * static_cast<std::size_t>(cells.width) + j] +=
          cells.values[i * static_cast<std::size_t>(cells.width) + j];
  }
  for (std::size_t i = 0; i < sum.size(); ++i)
    means.values.push_back(static_cast<float>(sum[i] / count[i / static_cast<std::size_t>(cells.width)]));
  return means;
}

std::string dimension(std::int64_t j) { return fmt::format("dim_{}", j); }

void write_embedding(const std::string& path, const Embedding& e, const std::string& kind) {
  if (kind == "npy") {
    NamedTensor t;
    t.shape = {static_cast<std::int64_t>(e.names.size()), e.width};
    const auto* bytes = reinterpret_cast<const std::byte*>(e.values.data());
    t.bytes.assign(bytes, bytes + e.values.size() * sizeof(float));
    return write_npy(path, t);
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
  AtomicFile file(path);
  std::string header = "name";
  for (std::int64_t j = 0; j < e.width; ++j) header += "," + dimension(j);
  file.write(header + "\n");
  for (std::size_t i = 0; i < e.names.size(); ++i) {
    std::string line = e.names[i];
    for (std::int64_t j = 0; j < e.width; ++j)
      line += fmt::format(",{}", e.values[i * static_cast<std::size_t>(e.width) + static_cast<std::size_t>(j)]);
    file.write(line + "\n");
  }
  file.commit();
}

void embed(const EmbedOptions& o, Console& console) {
  const std::size_t dot = o.out.rfind('.');
  const std::string kind = dot == std::string::npos ? "" : o.out.substr(dot + 1);
  if (kind != "h5ad" && kind != "csv" && kind != "npy")
    throw UsageError("--out " + o.out + ": expected a name that ends in .h5ad, .csv or .npy");
  refuse_existing(o.out, o.application.reading.overwrite);
  Application application(o.application, console);
  if (o.replica >= application.model().replicas)
    throw UsageError(
        fmt::format("--replica is {}, expected less than the model's {}", o.replica, application.model().replicas));
  Embedding e = embed_cells(application, o);
  if (!o.group_by.empty()) e = group_means(e, labels_of(application.source(), o.group_by, {}));
  write_embedding(o.out, e, kind);
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
  verb->add_option("--group-by", o->group_by, "column of the cells: write the means of its groups");
  verb->callback([&program, o] { program.action = [&program, o] { embed(*o, program.console); }; });
}

}  // namespace genexx::tools
