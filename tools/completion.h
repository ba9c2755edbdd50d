// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <CLI/CLI.hpp>

#include "tools/verbs.h"

namespace genexx::tools {

// Adds `genexx completion bash`, which prints a completion script made from the option tables of all verbs.
void add_completion(CLI::App& app, Program& program);

}  // namespace genexx::tools
