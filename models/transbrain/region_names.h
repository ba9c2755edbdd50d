// SPDX-License-Identifier: Apache-2.0
// TransBrain's names of rows: REGION_sampleI_cellJ. Source: spec, section 3.1.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace genexx::transbrain {

// The column about the rows that holds their names, and the column about the genes that holds their symbols.
inline constexpr const char* kRegionColumn = "region_index";
inline constexpr const char* kGeneColumn = "Gene";

// What stands before the first underscore, or all of it; "" (no region) for "other", which is no region.
std::string region_of(const std::string& name);

// REGION_sampleK, the tissue sample; all of it where there are less than two underscores' worth of fields.
std::string sample_of(const std::string& name);

// Whether the second field begins with "sample", so that rows can be split by tissue sample.
bool names_a_sample(const std::string& name);

}  // namespace genexx::transbrain
