// SPDX-License-Identifier: Apache-2.0
#include "tools/simulate_regions.h"

#include <filesystem>

#include <fmt/format.h>

#include "engine/error.h"
#include "io/atomic_file.h"
#include "io/h5ad_writer.h"
#include "models/transbrain/region_names.h"
#include "tools/region_files.h"

namespace genexx::tools {
namespace {

void write_rows(const std::string& path, const transbrain::SimulatedRows& rows, const std::vector<std::string>& genes,
                const ThreadPool& pool) {
  H5adWriter writer(path, {.threads = pool.threads()});
  std::vector<std::string> names;
  for (std::size_t i = 0; i < rows.region_index.size(); ++i) names.push_back(fmt::format("{}", i));
  writer.write_cells(names, {{{transbrain::kRegionColumn, rows.region_index}}});
  writer.write_genes(genes, {{{transbrain::kGeneColumn, genes}}});
  writer.write_dense_matrix(rows.values, static_cast<std::int64_t>(genes.size()));
  writer.commit();
}

}  // namespace

void simulate_regions_to(const std::string& directory, const transbrain::RegionSimulation& request, ThreadPool& pool,
                         Console& console) {
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  if (error) throw RuntimeError(directory + ": cannot be made: " + error.message());
  const transbrain::SimulatedRegions s = transbrain::simulate_regions(request, pool);
  const RegionFiles files = region_files_of(directory);
  write_rows(files.training, s.training, s.genes, pool);
  write_rows(files.human, s.human, s.genes, pool);
  write_rows(files.mouse, s.mouse, s.genes, pool);
  std::string genes = ",genes\n", pairs = ",human_region,mouse_region\n";
  for (std::size_t i = 0; i < s.gene_list.size(); ++i) genes += fmt::format("{},{}\n", i, s.gene_list[i]);
  for (std::size_t i = 0; i < s.pairs.size(); ++i)
    pairs += fmt::format("{},{},{}\n", i, s.pairs[i].human, s.pairs[i].mouse);
  write_file_atomically(files.gene_list, genes);
  write_file_atomically(files.pairs, pairs);
  console.say(fmt::format("{}: {} rows to train on, {} genes ({} listed), {} human and {} mouse regions", directory,
                          s.training.region_index.size(), s.genes.size(), s.gene_list.size(), request.human_regions,
                          request.mouse_regions));
}

}  // namespace genexx::tools
