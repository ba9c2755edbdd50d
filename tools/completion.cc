// SPDX-License-Identifier: Apache-2.0
#include "tools/completion.h"

#include <fmt/format.h>

namespace genexx::tools {
namespace {

std::string options_of(const CLI::App& verb) {
  std::string words;
  for (const CLI::Option* option : verb.get_options())
    for (const std::string& name : option->get_lnames()) words += (words.empty() ? "--" : " --") + name;
  return words;
}

void print_bash(const CLI::App& app) {
  std::string verbs, cases;
  for (const CLI::App* verb : app.get_subcommands({})) {
    verbs += (verbs.empty() ? "" : " ") + verb->get_name();
    cases += fmt::format("    {}) words=\"{}\" ;;\n", verb->get_name(), options_of(*verb));
  }
  fmt::print(
      "# bash completion of genexx; source this file or put it into /etc/bash_completion.d\n"
      "_genexx() {{\n"
      "  local current=\"${{COMP_WORDS[COMP_CWORD]}}\" words=\"\"\n"
      "  if [ \"$COMP_CWORD\" -eq 1 ]; then\n"
      "    COMPREPLY=($(compgen -W \"{} help --version --help\" -- \"$current\"))\n"
      "    return\n"
      "  fi\n"
      "  case \"${{COMP_WORDS[1]}}\" in\n"
      "    help) words=\"{}\" ;;\n{}"
      "  esac\n"
      "  case \"$current\" in\n"
      "    -*) COMPREPLY=($(compgen -W \"$words\" -- \"$current\")) ;;\n"
      "    *) COMPREPLY=($(compgen -f -- \"$current\")) ;;\n"
      "  esac\n"
      "}}\n"
      "complete -o filenames -F _genexx genexx\n",
      verbs, verbs, cases);
}

}  // namespace

void add_completion(CLI::App& app, Program& program) {
  CLI::App* verb = app.add_subcommand("completion", "Prints a completion script for a shell.");
  verb->add_option("SHELL", "bash")->required()->check(CLI::IsMember({"bash"}));
  verb->callback([&app, &program] { program.action = [&app] { print_bash(app); }; });
}

}  // namespace genexx::tools
