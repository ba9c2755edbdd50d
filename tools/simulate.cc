// SPDX-License-Identifier: Apache-2.0
// genexx simulate: realistic data of any size, as h5ad or gctx; regions of two species as a directory.
#include "models/simulate.h"

#include <algorithm>
#include <thread>

#include <fmt/format.h>

#include "engine/error.h"
#include "io/atomic_file.h"
#include "io/gctx_writer.h"
#include "io/h5ad_writer.h"
#include "tools/dataset.h"
#include "tools/option_checks.h"
#include "tools/output_place.h"
#include "tools/region_files.h"
#include "tools/simulate_regions.h"
#include "tools/stop_signal.h"
#include "tools/verbs.h"

namespace genexx::tools {
namespace {

struct SimulateOptions {
  std::string kind = "cells", out;
  CellSimulation cells;
  LandmarkSimulation landmarks;
  transbrain::RegionSimulation regions;
  std::int64_t genes = 0, samples = 0;  // 0: what the kind has
  std::uint64_t seed = 0;
  int threads = 0;
  bool overwrite = false;
};

bool ends_with(const std::string& text, const std::string& end) {
  return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

void simulate_cells_to(const SimulateOptions& o, ThreadPool& pool, Console& console) {
  CellSimulation request = o.cells;
  if (o.genes > 0) request.genes = o.genes;
  request.seed = o.seed;
  request.between_cells = [] { expect_not_stopped("simulating"); };
  const SimulatedCells s = simulate_cells(request, pool);
  H5adWriter writer(o.out, {.threads = pool.threads()});
  writer.write_cells(s.cell_names, {{{"cell_type", as_categorical({"cell_type", s.cell_types})},
                                     {"donor", as_categorical({"donor", s.donors})}}});
  writer.write_genes(s.gene_names, {});
  writer.write_matrix(s.counts);
  expect_not_stopped("simulating");
  writer.commit();
  console.say(fmt::format("{}: {} cells, {} genes, {} types, {} counts stored", o.out, s.counts.rows, s.counts.cols,
                          request.types, s.counts.nnz()));
}

void simulate_landmarks_to_h5ad(const std::string& out, const LandmarkSimulation& request, ThreadPool& pool) {
  const SimulatedLandmarks s = simulate_landmarks(request, pool);
  H5adWriter writer(out, {.threads = pool.threads()});
  writer.write_cells(s.sample_names, {});
  writer.write_genes(s.gene_names, {});
  writer.write_matrix(s.expression);
  writer.commit();
}

// Beside STEM.gctx.
struct LandmarkFiles {
  explicit LandmarkFiles(const std::string& gctx)
      : map(gctx.substr(0, gctx.size() - 5) + ".map.tsv"),
        landmarks(gctx.substr(0, gctx.size() - 5) + ".landmarks.txt") {}
  std::string map, landmarks;
};

// Streams the samples, and writes beside them the map and the landmarks that prepare-dgex takes.
void simulate_landmarks_to_gctx(const std::string& out, const LandmarkSimulation& request, ThreadPool& pool) {
  constexpr std::int64_t kSamplesAtOnce = 256;
  const LandmarkSimulator simulator(request, pool);
  const std::vector<std::string> genes = simulator.gene_names();
  GctxWriter writer(out, {.cell_names = simulator.sample_names(), .gene_names = genes});
  std::vector<float> block(static_cast<std::size_t>(kSamplesAtOnce * simulator.genes()));
  for (std::int64_t first = 0; first < request.samples; first += kSamplesAtOnce) {
    const std::int64_t count = std::min(kSamplesAtOnce, request.samples - first);
    simulator.fill(first, count, block.data());
    writer.append(block.data(), count);
    expect_not_stopped("simulating");
  }
  writer.commit();
  std::string map, landmarks;
  for (std::size_t g = 0; g < genes.size(); ++g) {
    map += fmt::format("{0}\t{0}\t{0}\n", genes[g]);
    if (static_cast<std::int64_t>(g) < request.landmarks) landmarks += genes[g] + "\n";
  }
  const LandmarkFiles beside(out);
  write_file_atomically(beside.map, map);
  write_file_atomically(beside.landmarks, landmarks);
}

void simulate_regions_of(const SimulateOptions& o, ThreadPool& pool, Console& console) {
  transbrain::RegionSimulation request = o.regions;
  request.seed = o.seed;
  if (o.genes > 0) request.genes = o.genes;
  if (o.samples > 0) request.samples = o.samples;
  simulate_regions_to(o.out, request, pool, console);
}

// Everything that will be written; throws UsageError for a name of no kind of file that is made here.
std::vector<std::string> outputs_of(const SimulateOptions& o) {
  if (o.kind == "regions") {
    const RegionFiles f = region_files_of(o.out);
    return {f.training, f.human, f.mouse, f.gene_list, f.pairs, o.out};
  }
  if (o.kind == "landmarks" && ends_with(o.out, ".gctx")) {
    const LandmarkFiles beside(o.out);
    return {o.out, beside.map, beside.landmarks};
  }
  if (!ends_with(o.out, ".h5ad"))
    throw UsageError(o.out + ": expected a name that ends in .h5ad" + (o.kind == "landmarks" ? " or .gctx" : "") +
                     "; genexx convert makes other formats of it");
  return {o.out};
}

void simulate_to_file(const SimulateOptions& o, Console& console) {
  const OutputFiles files(outputs_of(o), o.overwrite);
  ThreadPool pool(o.threads > 0 ? o.threads : static_cast<int>(std::max(1u, std::thread::hardware_concurrency())));
  if (o.kind == "cells") return simulate_cells_to(o, pool, console);
  if (o.kind == "regions") return simulate_regions_of(o, pool, console);
  LandmarkSimulation request = o.landmarks;
  if (o.samples > 0) request.samples = o.samples;
  request.seed = o.seed;
  if (ends_with(o.out, ".gctx")) {
    simulate_landmarks_to_gctx(o.out, request, pool);
  } else {
    simulate_landmarks_to_h5ad(o.out, request, pool);
  }
  console.say(fmt::format("{}: {} samples, {} landmarks, {} targets", o.out, request.samples, request.landmarks,
                          request.targets));
}

}  // namespace

void add_simulate(CLI::App& app, Program& program) {
  CLI::App* verb = app.add_subcommand("simulate", "Makes realistic data of any size.");
  const auto o = std::make_shared<SimulateOptions>();
  verb->add_option("--kind", o->kind, "cells, landmarks or regions")
      ->check(CLI::IsMember({"cells", "landmarks", "regions"}))
      ->capture_default_str();
  verb->add_option("--out", o->out,
                   "h5ad file to write; landmarks: also gctx, streamed, with STEM.map.tsv and STEM.landmarks.txt; "
                   "regions: a directory")
      ->required();
  verb->add_option("--seed", o->seed, "the same seed gives the same data")
      ->check(whole_number())
      ->capture_default_str();
  verb->add_option("--cells", o->cells.cells, "number of cells")->capture_default_str();
  verb->add_option("--genes", o->genes, "number of genes: 5000 of cells, 800 of regions when not given")
      ->check(CLI::PositiveNumber);
  verb->add_option("--types", o->cells.types, "number of cell types")->capture_default_str();
  verb->add_option("--donors", o->cells.donors, "number of donors")->capture_default_str();
  verb->add_option("--density", o->cells.density, "part of the counts that are not zero")->capture_default_str();
  verb->add_option("--separation", o->cells.separation, "how far types lie apart; 0: not at all")
      ->capture_default_str();
  verb->add_option("--samples", o->samples,
                   "landmarks: number of samples (1000); regions: of a human region on average (6)")
      ->check(CLI::PositiveNumber);
  verb->add_option("--landmarks", o->landmarks.landmarks, "landmarks: number of landmark genes")->capture_default_str();
  verb->add_option("--targets", o->landmarks.targets, "landmarks: number of target genes")->capture_default_str();
  verb->add_option("--copies", o->landmarks.copies, "landmarks: part of the samples that nearly repeat an earlier one")
      ->capture_default_str();
  verb->add_option("--regions", o->regions.human_regions, "regions: human ones")->capture_default_str();
  verb->add_option("--mouse-regions", o->regions.mouse_regions, "regions: mouse ones, each with one homologue")
      ->capture_default_str();
  verb->add_option("--cells-per-sample", o->regions.cells, "regions: cells mixed with each sample")
      ->capture_default_str();
  verb->add_option("--conservation", o->regions.conservation, "regions: how alike homologues are, 0 to 1")
      ->capture_default_str();
  verb->add_option("--species-shift", o->regions.species_shift,
                   "regions: what moves mouse regions apart from human ones")
      ->capture_default_str();
  verb->add_option("--nuisance", o->regions.nuisance, "regions: what moves samples of a region apart")
      ->capture_default_str();
  verb->add_option("--noise", o->regions.noise, "regions: of a gene in a sample")->capture_default_str();
  verb->add_option("--threads", o->threads, "0: as many as the machine has")->check(CLI::Range(0, 4096));
  verb->add_flag("--overwrite,!--no-overwrite", o->overwrite, "replace the file if it is there");
  verb->callback([&program, o] { program.action = [&program, o] { simulate_to_file(*o, program.console); }; });
}

}  // namespace genexx::tools
