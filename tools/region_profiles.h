// SPDX-License-Identifier: Apache-2.0
// Reading the files of a TransBrain run: gene list, training profiles, region means of a species.
#pragma once

#include <string>
#include <vector>

#include "engine/recipe.h"
#include "models/transbrain/homology.h"
#include "models/transbrain/training.h"
#include "tools/console.h"
#include "tools/dataset.h"

namespace genexx::tools {

// The column `genes` of a csv, in its order: the inputs of the network. Throws RefusedError for a gene that is empty or
// listed twice.
std::vector<std::string> read_gene_list(const std::string& path);

struct TrainingProfiles {
  transbrain::RegionProfiles profiles;
  std::vector<std::string> row_names;                  // [rows]: what the region column says
  Recipe::InputKind kind = Recipe::InputKind::scaled;  // what the values look like
  std::string description;                             // which matrix was read, for people
};

// Reads the profiles of `options.data`, columns selected and ordered by `genes` (found by --gene-column, else by the
// column Gene, else by the genes' names). Regions are named by --label, else by the column region_index as
// REGION_sampleK_...; tissue samples by --group, else by the same name. Rows of the region "other", of an excluded
// label and without a region are left out. Throws RefusedError for genes that are missing or there twice, values that
// are not finite, names that tell no sample.
TrainingProfiles read_training_profiles(const ReadingOptions& options, const std::vector<std::string>& genes,
                                        Console& console);

// Mean of each region's rows, in double, regions in sorted order. In a file without columns about its rows (a table)
// the rows' names are the regions.
transbrain::RegionTable read_region_means(const ReadingOptions& options, const std::string& path,
                                          const std::vector<std::string>& genes, Console& console);

}  // namespace genexx::tools
