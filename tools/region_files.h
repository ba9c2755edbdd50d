// SPDX-License-Identifier: Apache-2.0
// The files of a TransBrain run, and the names they have in a directory that holds all of them.
#pragma once

#include <string>

namespace genexx::tools {

struct RegionFiles {
  std::string training;      // h5ad: REGION_sampleI_cellJ by genes
  std::string human, mouse;  // h5ad: rows of which region means are taken and embedded
  std::string gene_list;     // csv with the column genes
  std::string pairs;         // csv with human_region and mouse_region, or the name of a published list
};

// Integrated_dataset_0.h5ad, Human_trans_data.h5ad, Mouse_trans_data.h5ad, genes.csv and homology.csv of a directory.
RegionFiles region_files_of(const std::string& directory);

}  // namespace genexx::tools
