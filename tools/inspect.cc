// SPDX-License-Identifier: Apache-2.0
// genexx inspect FILE: what is in a file, and what each matrix looks like.
#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "engine/error.h"
#include "io/file_info.h"
#include "io/labels.h"
#include "tools/dataset.h"
#include "tools/verbs.h"

namespace genexx::tools {
namespace {

nlohmann::json describe_matrix(const MatrixInfo& m, const ReadingOptions& o) {
  nlohmann::json out = {{"name", m.name},   {"cells", m.rows},      {"genes", m.cols},
                        {"dtype", m.dtype}, {"storage", m.storage}, {"filters", m.filters}};
  if (m.stored_values >= 0) out["stored_values"] = m.stored_values;
  if (!m.problem.empty()) {
    out["problem"] = m.problem;
    return out;
  }
  try {
    ReadOptions read = reader_options(o);
    read.matrix = m.name;
    const std::unique_ptr<MatrixSource> source = open_matrix(o.data, read);
    const MatrixKindReport kind = classify_source(*source);
    out["kind"] = name_of(kind.kind);
    out["evidence"] = kind.evidence;
    out["looked_at_cells"] = kind.rows;
    const double density =
        kind.rows > 0 && m.cols > 0 ? static_cast<double>(kind.stored) / static_cast<double>(kind.rows * m.cols) : 0;
    out["density"] = density;
    out["memory_bytes"] =
        static_cast<std::int64_t>(density * static_cast<double>(m.rows) * static_cast<double>(m.cols) * 8) +
        8 * (m.rows + 1);
  } catch (const InputError& error) {
    out["problem"] = error.what();
  }
  return out;
}

// --matrix: that one alone. --labels: its labels beside those of the file.
void apply_options(const ReadingOptions& o, FileInfo& info) {
  if (!o.matrix.empty()) {
    const auto other = [&](const MatrixInfo& m) { return m.name != o.matrix; };
    if (std::all_of(info.matrices.begin(), info.matrices.end(), other)) {
      open_matrix(o.data, reader_options(o));  // says which there are
      throw RefusedError(o.data + ": there is no matrix called '" + o.matrix + "'");
    }
    info.matrices.erase(std::remove_if(info.matrices.begin(), info.matrices.end(), other), info.matrices.end());
  }
  if (o.labels_file.empty()) return;
  const std::unique_ptr<MatrixSource> source = open_matrix(o.data, reader_options(o));
  if (const Column* labels = source->cells().find(kLabelColumn)) describe_columns({{*labels}}, {}, info);
}

nlohmann::json describe(const ReadingOptions& o) {
  FileInfo info = describe_file(o.data, reader_options(o));
  apply_options(o, info);
  nlohmann::json out = {
      {"file", o.data},      {"format", format_name(info.format)}, {"layout", info.layout},
      {"bytes", info.bytes}, {"cell_columns", info.cell_columns},  {"gene_columns", info.gene_columns}};
  out["matrices"] = nlohmann::json::array();
  for (const MatrixInfo& m : info.matrices) out["matrices"].push_back(describe_matrix(m, o));
  out["labels"] = nlohmann::json::array();
  for (const LabelInfo& label : info.labels) {
    nlohmann::json counts = nlohmann::json::object();
    for (const auto& count : label.counts) counts[count.first] = count.second;
    out["labels"].push_back({{"column", label.name}, {"missing", label.missing}, {"counts", counts}});
  }
  out["unreadable_columns"] = nlohmann::json::array();
  for (const UnreadColumn& column : info.unread_cell_columns)
    out["unreadable_columns"].push_back({{"column", column.name}, {"problem", column.reason}});
  return out;
}

// A file of which no matrix can be read is an error, whatever else could be said of it.
void refuse_unreadable(const nlohmann::json& described) {
  for (const nlohmann::json& m : described["matrices"])
    if (!m.contains("problem")) return;
  if (!described["matrices"].empty()) throw InputError(described["matrices"][0]["problem"].get<std::string>());
}

void print_text(const nlohmann::json& d) {
  fmt::print("{}: {} {}, {} bytes\n", d["file"].get<std::string>(), d["format"].get<std::string>(),
             d["layout"].get<std::string>(), d["bytes"].get<std::int64_t>());
  for (const nlohmann::json& m : d["matrices"]) {
    std::string filters;
    for (const nlohmann::json& f : m["filters"]) filters += (filters.empty() ? "" : ", ") + f.get<std::string>();
    fmt::print("matrix {}: {} cells x {} genes, {} {}, filters: {}\n", m["name"].get<std::string>(),
               m["cells"].get<std::int64_t>(), m["genes"].get<std::int64_t>(), m["storage"].get<std::string>(),
               m["dtype"].get<std::string>(), filters.empty() ? "none" : filters);
    if (m.contains("problem")) {
      fmt::print("  cannot be read: {}\n", m["problem"].get<std::string>());
      continue;
    }
    fmt::print("  looks like {}: {}\n", m["kind"].get<std::string>(), m["evidence"].get<std::string>());
    fmt::print("  {:.2f} % stored in {} cells looked at; about {:.1f} MB in memory\n", 100 * m["density"].get<double>(),
               m["looked_at_cells"].get<std::int64_t>(), 1e-6 * m["memory_bytes"].get<double>());
  }
  for (const nlohmann::json& label : d["labels"]) {
    fmt::print("label column {}: {} categories, {} cells without\n", label["column"].get<std::string>(),
               label["counts"].size(), label["missing"].get<std::int64_t>());
    for (const auto& [name, count] : label["counts"].items())
      fmt::print("  {:8} {}\n", count.get<std::int64_t>(), name);
  }
  for (const nlohmann::json& column : d["unreadable_columns"])
    fmt::print("cell column {} cannot be read: {}\n", column["column"].get<std::string>(),
               column["problem"].get<std::string>());
}

}  // namespace

void add_inspect(CLI::App& app, Program& program) {
  CLI::App* verb = app.add_subcommand("inspect", "Says what is in a file.");
  const auto o = std::make_shared<ReadingOptions>();
  const auto json = std::make_shared<bool>(false);
  verb->add_option("FILE", o->data, "any readable file or directory")->required();
  verb->add_flag("--json", *json, "print JSON");
  add_reading_options(*verb, *o);
  verb->callback([&program, o, json] {
    program.action = [o, json] {
      refuse_unused(*o, "inspect",
                    {Unused::label, Unused::exclude_label, Unused::batch, Unused::group, Unused::input_kind,
                     Unused::duplicates, Unused::min_overlap, Unused::time_limit});
      const nlohmann::json described = describe(*o);
      refuse_unreadable(described);
      *json ? fmt::print("{}\n", described.dump(2, ' ', false, nlohmann::json::error_handler_t::replace))
            : print_text(described);
    };
  });
}

}  // namespace genexx::tools
