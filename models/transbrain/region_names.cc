// SPDX-License-Identifier: Apache-2.0
#include "models/transbrain/region_names.h"

namespace genexx::transbrain {

std::string region_of(const std::string& name) {
  std::string region = name.substr(0, name.find('_'));
  return region == "other" ? "" : region;
}

std::string sample_of(const std::string& name) {
  const std::size_t first = name.find('_');
  if (first == std::string::npos) return name;
  return name.substr(0, name.find('_', first + 1));
}

bool names_a_sample(const std::string& name) {
  const std::size_t first = name.find('_');
  return first != std::string::npos && name.compare(first + 1, 6, "sample") == 0;
}

}  // namespace genexx::transbrain
