// SPDX-License-Identifier: Apache-2.0
// genexx select-genes and genexx split: the two stages before training, alone.
#include <fmt/format.h>

#include "io/h5ad_writer.h"
#include "models/config.h"
#include "models/scannonet/preparation.h"
#include "tools/train_options.h"
#include "tools/train_outputs.h"

namespace genexx::tools {
namespace {

// Everything the two verbs share: the data read, split and fitted.
struct Stages {
  TrainOptions options;
  ThreadPool pool;
  std::unique_ptr<Context> ctx;
  scannonet::Config config;
  Dataset data;
  CellInput input;
  scannonet::Prepared prepared;

  Stages(const TrainOptions& o, Console& console, const char* fit_on)
      : options(o),
        pool(thread_count(o.reading)),
        ctx(device_context(o.on, pool)),
        config(with_fit(resolve_scannonet_config(o), fit_on)),
        data(read_dataset(o.reading, Labels::required, console)),
        input(preparation_input(data, o.reading)),
        prepared(scannonet::prepare(*ctx, input, config, {.folds = 0, .seed = o.seed})) {
    for (const std::string& warning : prepared.warnings) console.warn(warning);
  }
  static scannonet::Config with_fit(scannonet::Config config, const char* fit_on) {
    if (fit_on) config.fit_on = fit_on;
    return config;
  }
};

RunDirectory::Use use_of_stage(const TrainOptions& o) {
  return o.reading.overwrite ? RunDirectory::Use::add : RunDirectory::Use::fresh;
}

// Some cells as h5ad: the z-scored features, with the named columns about the cells.
void write_cells(const std::string& path, const Stages& s, const std::vector<std::int64_t>& cells, ObsTable table) {
  std::vector<std::string> names, genes;
  std::vector<float> values;
  const Preparation& p = s.prepared.set.preparations[0];
  const CsrMatrix& m = s.prepared.set.data;
  for (const std::int64_t cell : cells) {
    names.push_back(s.data.source->cell_names()[static_cast<std::size_t>(cell)]);
    const std::size_t row = values.size();
    for (std::size_t g = 0; g < p.shift.size(); ++g) values.push_back((0 - p.shift[g]) * p.factor[g]);
    for (std::int64_t k = m.row_begin[static_cast<std::size_t>(cell)];
         k < m.row_begin[static_cast<std::size_t>(cell + 1)]; ++k) {
      const auto g = static_cast<std::size_t>(m.column[static_cast<std::size_t>(k)]);
      values[row + g] = (m.value[static_cast<std::size_t>(k)] - p.shift[g]) * p.factor[g];
    }
  }
  for (const std::int64_t f : s.prepared.fitted.columns) genes.push_back(s.data.genes[static_cast<std::size_t>(f)]);
  H5adWriter writer(path, {.threads = s.pool.threads()});
  writer.write_cells(names, table);
  writer.write_genes(genes, {{{"gene", genes}}});
  writer.write_dense_matrix(values, static_cast<std::int64_t>(genes.size()));
  writer.commit();
}

void select_genes(const TrainOptions& o, Console& console) {
  RunDirectory::expect(o.out, use_of_stage(o));
  const Stages s(o, console, "all");  // stage 1 alone looks at every labelled cell
  const RunDirectory out(o.out, use_of_stage(o));
  out.write("gene_list.csv", gene_list_csv(s.data.genes, s.prepared.classes, s.prepared.selections));
  out.write("feature_list.csv", feature_list_csv(s.data.genes, s.prepared.fitted.columns));
  const scannonet::Selection& selection = s.prepared.selections[0];
  Numbers totals, factors;
  Strings types;
  for (std::size_t i = 0; i < selection.cells.size(); ++i) {
    types.push_back(s.data.labels[static_cast<std::size_t>(selection.cells[i])]);
    totals.values.push_back(selection.cell_totals.empty() ? 0 : selection.cell_totals[i]);
    factors.values.push_back(selection.target_sum > 0 ? totals.values.back() / selection.target_sum : 1);
  }
  write_cells(out.file("matrix.h5ad"), s, selection.cells,
              {{{"celltype", as_categorical({"celltype", types})}, {"n_counts", totals}, {"size_factors", factors}}});
  console.say(fmt::format("{} genes of {} chosen for {} cell types: {}", s.prepared.fitted.columns.size(),
                          s.data.genes.size(), s.prepared.classes.size(), out.file("feature_list.csv")));
}

void split(const TrainOptions& o, Console& console) {
  RunDirectory::expect(o.out, use_of_stage(o));
  const Stages s(o, console, nullptr);
  const RunDirectory out(o.out, use_of_stage(o));
  nlohmann::json codes = nlohmann::json::object();
  for (std::size_t k = 0; k < s.prepared.classes.size(); ++k) codes[s.prepared.classes[k]] = k;
  const CellSplit& parts = s.prepared.splits[0];
  for (const auto& [name, cells] :
       {std::pair{"Train", &parts.train}, std::pair{"Val", &parts.validation}, std::pair{"Test", &parts.test}}) {
    Numbers label;
    label.kind = NumberKind::integer;
    for (const std::int64_t c : *cells) label.values.push_back(s.prepared.set.labels[static_cast<std::size_t>(c)]);
    write_cells(out.file(std::string(name) + ".h5ad"), s, *cells, {{{"label", label}}});
  }
  out.write_json("label.json", codes);
  console.say(fmt::format("{} cells to train, {} to validate, {} to test: {}", parts.train.size(),
                          parts.validation.size(), parts.test.size(), o.out));
}

void add_stage(CLI::App& app, Program& program, const char* name, const char* text,
               void (*run)(const TrainOptions&, Console&)) {
  CLI::App* verb = app.add_subcommand(name, text);
  const auto o = std::make_shared<TrainOptions>();
  add_train_options(*verb, *o);
  verb->get_option("--out")->required();
  verb->callback([&program, o, run] { program.action = [&program, o, run] { run(*o, program.console); }; });
}

}  // namespace

void add_select_genes(CLI::App& app, Program& program) {
  add_stage(app, program, "select-genes", "Stage 1 of scAnnoNet alone: the genes that tell the cell types apart.",
            select_genes);
}

void add_split(CLI::App& app, Program& program) {
  add_stage(app, program, "split", "Stages 1 and 2 of scAnnoNet alone: training, validation and test cells.", split);
}

}  // namespace genexx::tools
