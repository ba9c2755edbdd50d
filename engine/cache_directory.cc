// SPDX-License-Identifier: Apache-2.0
#include "engine/cache_directory.h"

#include <cstdlib>

namespace genexx {
namespace {

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

}  // namespace

std::optional<std::string> cache_directory() {
  const std::string own = variable("GENEXX_CACHE"), cache = variable("XDG_CACHE_HOME"), home = variable("HOME");
  if (own == "off") return std::nullopt;
  if (!own.empty()) return own;
  if (!cache.empty() && cache[0] == '/') return cache + "/genexx";
  if (!home.empty()) return home + "/.cache/genexx";
  return std::nullopt;
}

}  // namespace genexx
