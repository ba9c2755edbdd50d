// SPDX-License-Identifier: Apache-2.0
// genexx slurm-script: prints a job script for a cluster run by Slurm.
#include <algorithm>
#include <filesystem>
#include <regex>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "engine/error.h"
#include "tools/verbs.h"

namespace genexx::tools {
namespace {

struct JobOptions {
  std::int64_t nodes = 1, gpus = 0, tasks = 0, cpus = 0;  // gpus, tasks: of a node; cpus: of a task; 0: not given
  std::string time = "24:00:00", memory, partition, account, name = "genexx", mpi = "pmix";
  std::int64_t warning = 120;  // seconds before the end
  std::vector<std::string> setup, command;
};

// A word as the shell takes it for itself.
std::string quoted(const std::string& word) {
  const auto plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("_-+./,:=@%").find(c) != std::string_view::npos;
  };
  if (!word.empty() && std::all_of(word.begin(), word.end(), plain)) return word;
  std::string out = "'";
  for (const char c : word) out += c == '\'' ? "'\\''" : std::string(1, c);
  return out + "'";
}

std::string output_of(const std::vector<std::string>& command) {
  std::string out;
  for (std::size_t i = 0; i < command.size(); ++i) {
    if (command[i] == "--out" && i + 1 < command.size()) out = command[i + 1];
    if (command[i].rfind("--out=", 0) == 0) out = command[i].substr(6);
  }
  return out;
}

void check(const JobOptions& o) {
  if (o.command.empty() || (o.command[0] != "train" && o.command[0] != "tune"))
    throw UsageError(
        fmt::format("the job's command is '{}', expected one of train or tune after --, for instance: genexx "
                    "slurm-script --nodes 2 --gpus-per-node 4 -- train --model scannonet cells.h5ad --label "
                    "cell_type --out model",
                    fmt::join(o.command, " ")));
  if (output_of(o.command).empty())
    throw UsageError("the job's command has no --out DIR, where a stopped job is to go on; add it");
  if (std::find(o.command.begin(), o.command.end(), "--no-mpi") != o.command.end())
    throw UsageError("the job's command has --no-mpi: every process would do the whole work; leave it out");
  for (const std::string* text : {&o.time, &o.memory, &o.partition, &o.account, &o.name, &o.mpi})
    if (std::any_of(text->begin(), text->end(), [](unsigned char c) { return c <= ' '; }))
      throw UsageError("'" + *text + "' holds a space or a line end, which a line of #SBATCH cannot");
  if (!std::regex_match(o.time, std::regex(R"(\d+|\d+:\d\d(:\d\d)?|\d+-\d\d?(:\d\d(:\d\d)?)?)")))
    throw UsageError("--time is '" + o.time + "', expected minutes, HH:MM:SS or DAYS-HH:MM:SS as Slurm takes it");
}

void add_line(std::string& script, const char* option, const std::string& value) {
  if (!value.empty()) script += fmt::format("#SBATCH --{}={}\n", option, value);
}

void add_count(std::string& script, const char* option, std::int64_t value) {
  if (value > 0) add_line(script, option, std::to_string(value));
}

std::string job_script(const JobOptions& o, const std::string& program) {
  std::string words;
  for (const std::string& word : o.command) words += " " + quoted(word);
  const bool has_resume = std::find(o.command.begin(), o.command.end(), "--resume") != o.command.end();
  std::string s = "#!/bin/bash\n# Made by genexx slurm-script. Hand in with: sbatch THIS_FILE\n";
  add_line(s, "job-name", o.name);
  add_count(s, "nodes", o.nodes);
  add_count(s, "ntasks-per-node", o.tasks > 0 ? o.tasks : std::max<std::int64_t>(1, o.gpus));
  add_count(s, "gpus-per-node", o.gpus);
  add_count(s, "cpus-per-task", o.cpus);
  add_line(s, "mem", o.memory);
  add_line(s, "time", o.time);
  add_line(s, "partition", o.partition);
  add_line(s, "account", o.account);
  // Steps are asked to stop in time; they write a checkpoint and end with 6.
  s += fmt::format("#SBATCH --signal=TERM@{}\n#SBATCH --requeue\n#SBATCH --open-mode=append\n", o.warning);
  s += "#SBATCH --output=%x-%j.log\nset -uo pipefail\n";
  for (const std::string& line : o.setup) s += line + "\n";
  s += "\nresume=()\n";
  if (!has_resume)
    s += fmt::format("compgen -G {}'/checkpoint/*' >/dev/null && resume=(--resume)\n", quoted(output_of(o.command)));
  s += fmt::format("srun --mpi={} {}{} --mpi \"${{resume[@]}}\"\ncode=$?\n", quoted(o.mpi), quoted(program), words);
  s += "# Stopped with a checkpoint: in the queue again, to go on.\n";
  s += "((code == 6)) && scontrol requeue \"$SLURM_JOB_ID\"\nexit \"$code\"\n";
  return s;
}

}  // namespace

void add_slurm_script(CLI::App& app, Program& program) {
  CLI::App* verb = app.add_subcommand("slurm-script", "Prints a job script for Slurm that trains on several nodes.");
  const auto o = std::make_shared<JobOptions>();
  verb->add_option("COMMAND", o->command, "after --: train or tune with its options")->required();
  verb->add_option("--nodes", o->nodes, "machines")->check(CLI::Range(1, 100000))->capture_default_str();
  verb->add_option("--gpus-per-node", o->gpus, "a process for each; 0: the CPU")
      ->check(CLI::Range(0, 1024))
      ->capture_default_str();
  verb->add_option("--tasks-per-node", o->tasks, "processes of a machine; one a GPU, else one, when not given")
      ->check(CLI::Range(1, 1024));
  verb->add_option("--cpus-per-task", o->cpus, "cores of a process")->check(CLI::Range(1, 4096));
  verb->add_option("--time", o->time, "most time, as Slurm takes it; the job goes on in another one")
      ->capture_default_str();
  verb->add_option("--stop-before", o->warning, "seconds before that time in which the checkpoint is written")
      ->check(CLI::Range(10, 65535))
      ->capture_default_str();
  verb->add_option("--mem", o->memory, "memory of a machine, as Slurm takes it");
  verb->add_option("--partition", o->partition, "the partition");
  verb->add_option("--account", o->account, "the account");
  verb->add_option("--job-name", o->name, "the job's name")->capture_default_str();
  verb->add_option("--mpi-type", o->mpi, "how srun starts MPI (srun --mpi=list)")->capture_default_str();
  verb->add_option("--setup", o->setup,
                   "a line for the script before the run, for instance 'module load openmpi'; may be "
                   "repeated")
      ->expected(1)
      ->allow_extra_args(false)  // else it takes the -- before the command for the end of a list
      ->take_all();
  verb->callback([&program, o] {
    program.action = [o] {
      check(*o);
      std::error_code error;
      const std::string own = std::filesystem::read_symlink("/proc/self/exe", error).string();
      fmt::print("{}", job_script(*o, error ? "genexx" : own));
    };
  });
}

}  // namespace genexx::tools
