// SPDX-License-Identifier: Apache-2.0
// genexx prepare-dgex: the preprocessing of D-GEX alone.
#include "tools/option_checks.h"
#include "tools/prepare_dgex_job.h"
#include "tools/verbs.h"

namespace genexx::tools {

void add_prepare_dgex(CLI::App& app, Program& program) {
  CLI::App* verb = app.add_subcommand("prepare-dgex", "D-GEX preprocessing alone: a directory for train --model dgex.");
  const auto o = std::make_shared<PrepareDgexOptions>();
  verb->add_option("--geo", o->geo, "reference set: profiles by probes (gctx, gct, h5ad, ...)")->required();
  verb->add_option("--gtex", o->gtex, "RNA-seq set: profiles by Ensembl ids");
  verb->add_option("--geuvadis", o->geuvadis, "1000 Genomes RNA-seq: text table, values from column 5");
  verb->add_option("--map", o->map, "symbol TAB Ensembl id TAB probes separated by commas")->required();
  verb->add_option("--landmarks", o->landmarks, "landmark genes: a list of names, or a map as --map takes")->required();
  verb->add_option("--out", o->out, "directory to write")->required();
  verb->add_option("--gene-column", o->gene_column, "column of the reference set's genes that holds the probes");
  verb->add_option("--missing", o->missing, "genes and probes that a set lacks: error, or drop the genes everywhere")
      ->check(CLI::IsMember({"error", "drop"}))
      ->capture_default_str();
  verb->add_option("--dtype", o->dtype, "of the matrices written")
      ->check(CLI::IsMember({"float32", "float64"}))
      ->capture_default_str();
  verb->add_option("--clusters", o->clusters, "of the search for near-duplicates")
      ->check(CLI::Range(1, 100000))
      ->capture_default_str();
  verb->add_option("--batch-size", o->batch, "profiles of a k-means batch")
      ->check(CLI::Range(1, 1000000))
      ->capture_default_str();
  verb->add_option("--passes", o->passes, "of k-means over the profiles")
      ->check(CLI::Range(1, 10000))
      ->capture_default_str();
  verb->add_option("--distance", o->distance, "nearer profiles are near-duplicates; 0 keeps all")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  verb->add_option("--seed", o->seed, "of clusters, of the order of genes and of samples")
      ->check(whole_number())
      ->capture_default_str();
  verb->add_option("--device", o->device, "auto, cpu or cuda:N")->capture_default_str();
  verb->add_option("--threads", o->threads, "0: as many as the machine has")->check(CLI::Range(0, 4096));
  verb->add_flag("--overwrite,!--no-overwrite", o->overwrite, "replace a prepared directory");
  verb->callback([&program, o] { program.action = [&program, o] { prepare_dgex(*o, program.console); }; });
}

}  // namespace genexx::tools
