// SPDX-License-Identifier: Apache-2.0
#include "tools/pair_list.h"

#include <filesystem>

#include "engine/error.h"
#include "io/text_columns.h"

namespace genexx::tools {

std::vector<transbrain::RegionPair> read_pair_list(const std::string& given) {
  std::vector<transbrain::RegionPair> pairs = transbrain::published_pairs(given);
  if (!pairs.empty()) return pairs;
  if (!std::filesystem::exists(given))
    throw InputError("--pairs " + given + ": there is no such file, expected one, or cortex, subcortex or all");
  const auto columns = read_text_columns(given, {"human_region", "mouse_region"});
  for (std::size_t i = 0; i < columns[0].size(); ++i) pairs.push_back({columns[0][i], columns[1][i]});
  return pairs;
}

}  // namespace genexx::tools
