// SPDX-License-Identifier: Apache-2.0
// genexx simulate: realistic data of any size, as h5ad.
#include "models/simulate.h"

#include <thread>

#include <fmt/format.h>

#include "io/h5ad_writer.h"
#include "tools/dataset.h"
#include "tools/verbs.h"

namespace genexx::tools {
namespace {

struct SimulateOptions {
  std::string kind = "cells", out;
  CellSimulation cells;
  LandmarkSimulation samples;
  std::uint64_t seed = 0;
  int threads = 0;
  bool overwrite = false;
};

void simulate_to_file(const SimulateOptions& o, Console& console) {
  refuse_existing(o.out, o.overwrite);
  ThreadPool pool(o.threads > 0 ? o.threads : static_cast<int>(std::max(1u, std::thread::hardware_concurrency())));
  H5adWriter writer(o.out, {.threads = pool.threads()});
  if (o.kind == "cells") {
    CellSimulation request = o.cells;
    request.seed = o.seed;
    const SimulatedCells s = simulate_cells(request, pool);
    writer.write_cells(s.cell_names, {{{"cell_type", as_categorical({"cell_type", s.cell_types})},
                                       {"donor", as_categorical({"donor", s.donors})}}});
    writer.write_genes(s.gene_names, {});
    writer.write_matrix(s.counts);
    console.say(fmt::format("{}: {} cells, {} genes, {} types, {} counts stored", o.out, s.counts.rows, s.counts.cols,
                            request.types, s.counts.nnz()));
  } else {
    LandmarkSimulation request = o.samples;
    request.seed = o.seed;
    const SimulatedLandmarks s = simulate_landmarks(request, pool);
    writer.write_cells(s.sample_names, {});
    writer.write_genes(s.gene_names, {});
    writer.write_matrix(s.expression);
    console.say(fmt::format("{}: {} samples, {} landmarks, {} targets", o.out, s.expression.rows, request.landmarks,
                            request.targets));
  }
  writer.commit();
}

}  // namespace

void add_simulate(CLI::App& app, Program& program) {
  CLI::App* verb = app.add_subcommand("simulate", "Makes realistic data of any size.");
  const auto o = std::make_shared<SimulateOptions>();
  verb->add_option("--kind", o->kind, "cells or landmarks")
      ->check(CLI::IsMember({"cells", "landmarks"}))
      ->capture_default_str();
  verb->add_option("--out", o->out, "h5ad file to write")->required();
  verb->add_option("--seed", o->seed, "the same seed gives the same data")->capture_default_str();
  verb->add_option("--cells", o->cells.cells, "number of cells")->capture_default_str();
  verb->add_option("--genes", o->cells.genes, "number of genes")->capture_default_str();
  verb->add_option("--types", o->cells.types, "number of cell types")->capture_default_str();
  verb->add_option("--donors", o->cells.donors, "number of donors")->capture_default_str();
  verb->add_option("--density", o->cells.density, "part of the counts that are not zero")->capture_default_str();
  verb->add_option("--separation", o->cells.separation, "how far types lie apart; 0: not at all")
      ->capture_default_str();
  verb->add_option("--samples", o->samples.samples, "landmarks: number of samples")->capture_default_str();
  verb->add_option("--landmarks", o->samples.landmarks, "landmarks: number of landmark genes")->capture_default_str();
  verb->add_option("--targets", o->samples.targets, "landmarks: number of target genes")->capture_default_str();
  verb->add_option("--threads", o->threads, "0: as many as the machine has")->check(CLI::Range(0, 4096));
  verb->add_flag("--overwrite,!--no-overwrite", o->overwrite, "replace the file if it is there");
  verb->callback([&program, o] { program.action = [&program, o] { simulate_to_file(*o, program.console); }; });
}

}  // namespace genexx::tools
