// SPDX-License-Identifier: Apache-2.0
#include "tools/region_files.h"

namespace genexx::tools {

RegionFiles region_files_of(const std::string& directory) {
  return {.training = directory + "/Integrated_dataset_0.h5ad",
          .human = directory + "/Human_trans_data.h5ad",
          .mouse = directory + "/Mouse_trans_data.h5ad",
          .gene_list = directory + "/genes.csv",
          .pairs = directory + "/homology.csv"};
}

}  // namespace genexx::tools
