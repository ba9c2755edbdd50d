// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "models/transbrain/region_pairs.h"

namespace genexx::tools {

// The pairs of `given`: a published list by its name (cortex, subcortex, all), else a csv with the columns human_region
// and mouse_region. Throws InputError for a file that is not there or not such a table.
std::vector<transbrain::RegionPair> read_pair_list(const std::string& given);

}  // namespace genexx::tools
