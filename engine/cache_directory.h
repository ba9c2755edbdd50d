// SPDX-License-Identifier: Apache-2.0
// Where the program keeps what it measured of this machine.
#pragma once

#include <optional>
#include <string>

namespace genexx {

// $GENEXX_CACHE, else $XDG_CACHE_HOME/genexx, else $HOME/.cache/genexx; nothing where none of them is set, or where
// GENEXX_CACHE is "off". Relative XDG paths do not count, as its specification says. Makes no directory.
std::optional<std::string> cache_directory();

}  // namespace genexx
