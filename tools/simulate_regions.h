// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "models/transbrain/simulate_regions.h"
#include "tools/console.h"

namespace genexx::tools {

// Writes made-up regions of two species into a directory, made if need be: the files of a TransBrain run, by the names
// region_files_of gives them.
void simulate_regions_to(const std::string& directory, const transbrain::RegionSimulation& request, ThreadPool& pool,
                         Console& console);

}  // namespace genexx::tools
