// SPDX-License-Identifier: Apache-2.0
// genexx homology: which human region is most like which mouse region, and how well that finds known homologues.

#include <fmt/format.h>

#include "engine/error.h"
#include "tools/embedding_files.h"
#include "tools/homology_report.h"
#include "tools/option_checks.h"
#include "tools/pair_list.h"
#include "tools/verbs.h"

namespace genexx::tools {
namespace {

struct HomologyOptions {
  std::vector<std::string> human, mouse;
  std::string human_names, mouse_names, pairs, out;
  std::int64_t permutations = 10000, components = 10;
  std::uint64_t seed = 0;
  bool skip_absent_pairs = false, overwrite = false;
};

void expect_as_many(const std::vector<std::string>& human, const std::vector<std::string>& mouse) {
  if (human.size() == mouse.size()) return;
  throw UsageError(
      fmt::format("there are {} human and {} mouse embeddings, expected a mouse one for each human one "
                  "(the first human file is {}, the first mouse file {})",
                  human.size(), mouse.size(), human.front(), mouse.front()));
}

// Reads model after model and adds it to the averages: memory does not grow with their number.
HomologyResult compare(const HomologyOptions& o, Console& console) {
  HomologyResult r;
  r.human_files = embedding_files(o.human, "human");
  r.mouse_files = embedding_files(o.mouse, "mouse");
  expect_as_many(r.human_files, r.mouse_files);
  transbrain::SimilarityMean across, within;
  transbrain::ComponentAnalysis analysis;
  for (std::size_t i = 0; i < r.human_files.size(); ++i) {
    const transbrain::RegionTable human = read_region_table(r.human_files[i], o.human_names, console),
                                  mouse = read_region_table(r.mouse_files[i], o.mouse_names, console);
    if (human.width != mouse.width)
      throw RefusedError(fmt::format("{} has {} columns, but {} has {}; expected the embeddings of one model",
                                     r.mouse_files[i], mouse.width, r.human_files[i], human.width));
    across.add(transbrain::correlate(human, mouse));
    within.add(transbrain::correlate(human, human));
    if (o.components > 0) analysis.add(human, mouse);
  }
  r.models = across.count();
  r.undefined = across.undefined();
  r.human_by_mouse = across.mean();
  r.human_by_human = within.mean();
  r.components = analysis.components(o.components);
  return r;
}

void homology(const HomologyOptions& o, Program& program) {
  const RunDirectory::Use use = o.overwrite ? RunDirectory::Use::add : RunDirectory::Use::fresh;
  RunDirectory::expect(o.out, use);
  HomologyResult r = compare(o, program.console);
  r.seed = o.seed;
  r.pair_list = o.pairs;
  r.pairs = transbrain::resolve_pairs(
      read_pair_list(o.pairs), r.human_by_mouse.rows, r.human_by_mouse.columns,
      o.skip_absent_pairs ? transbrain::AbsentPairs::leave_out : transbrain::AbsentPairs::refuse);
  r.ranking = rank_pairs(r.human_by_mouse, r.pairs, {.permutations = o.permutations, .seed = o.seed});
  if (!r.pairs.absent.empty())
    r.warnings.push_back(fmt::format(
        "{} of {} pairs are not in the data and were left out, the first of them {} and {}", r.pairs.absent.size(),
        r.pairs.absent.size() + r.pairs.pairs.size(), r.pairs.absent[0].human, r.pairs.absent[0].mouse));
  if (r.undefined > 0)
    r.warnings.push_back(fmt::format(
        "{} correlations are undefined: a region's embedding is constant there; they rank last", r.undefined));
  for (const std::string& text : r.warnings) program.console.warn(text);
  RunDirectory out(o.out, use);
  write_homology_tables(out, r);
  write_homology_report(out, r, program.command_line);
  program.console.say(fmt::format(
      "mean rank {:.4f} of {} over {} pairs, by chance {:.1f}{}; report: {}", r.ranking.mean_rank,
      r.human_by_mouse.rows.size(), r.ranking.pairs.size(), r.ranking.chance,
      r.ranking.permutations > 0 ? fmt::format(", p = {:.2g}", r.ranking.p_value) : "", out.file("report.html")));
}

}  // namespace

void add_homology(CLI::App& app, Program& program) {
  CLI::App* verb =
      app.add_subcommand("homology", "Compares the regions of two species by their embeddings and ranks known pairs.");
  const auto o = std::make_shared<HomologyOptions>();
  verb->add_option("--human", o->human, "embeddings of the human regions: csv, tsv, npy, h5ad, or a directory of them")
      ->required()
      ->expected(1)
      ->take_all();
  verb->add_option("--mouse", o->mouse, "of the mouse regions, as many; the matrices of several are averaged")
      ->required()
      ->expected(1)
      ->take_all();
  verb->add_option("--human-names", o->human_names, "names of the rows of npy files, a name a line")
      ->check(CLI::ExistingFile);
  verb->add_option("--mouse-names", o->mouse_names, "names of the rows of npy files, a name a line")
      ->check(CLI::ExistingFile);
  verb->add_option("--pairs", o->pairs, "csv with human_region and mouse_region, or cortex, subcortex, all")
      ->required();
  verb->add_option("--out", o->out, "directory to write to")->required();
  verb->add_option("--permutations", o->permutations, "of the test of the mean rank; 0: no test")
      ->check(CLI::Range(0, 100000000))
      ->capture_default_str();
  verb->add_option("--components", o->components, "principal components of the embeddings; 0: none")
      ->check(CLI::Range(0, 1000))
      ->capture_default_str();
  verb->add_option("--seed", o->seed, "of the permutations")->check(whole_number())->capture_default_str();
  verb->add_flag("--skip-absent-pairs", o->skip_absent_pairs, "leave out pairs whose regions are not in the data");
  verb->add_flag("--overwrite,!--no-overwrite", o->overwrite, "replace the directory's files if they are there");
  verb->callback([&program, o] { program.action = [&program, o] { homology(*o, program); }; });
}

}  // namespace genexx::tools
