// SPDX-License-Identifier: Apache-2.0
// The verbs of the program. Each adds its subcommand and, when chosen, leaves what to do in Program::action.
#pragma once

#include <functional>
#include <string>

#include <CLI/CLI.hpp>

#include "tools/console.h"
#include "tools/program_ranks.h"

namespace genexx::tools {

struct Program {
  Console console;
  ProgramRanks ranks;            // of one job; one unless the verb lets them join
  std::string command_line;      // as typed, for the run's records
  std::function<void()> action;  // of the verb that was chosen
};

void add_bench(CLI::App& app, Program& program);
void add_convert(CLI::App& app, Program& program);
void add_embed(CLI::App& app, Program& program);
void add_evaluate(CLI::App& app, Program& program);
void add_explain(CLI::App& app, Program& program);
void add_export(CLI::App& app, Program& program);
void add_homology(CLI::App& app, Program& program);
void add_info(CLI::App& app, Program& program);
void add_inspect(CLI::App& app, Program& program);
void add_predict(CLI::App& app, Program& program);
void add_prepare_dgex(CLI::App& app, Program& program);
void add_select_genes(CLI::App& app, Program& program);
void add_simulate(CLI::App& app, Program& program);
void add_slurm_script(CLI::App& app, Program& program);
void add_split(CLI::App& app, Program& program);
void add_train(CLI::App& app, Program& program);
void add_tune(CLI::App& app, Program& program);

}  // namespace genexx::tools
