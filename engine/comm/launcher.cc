// SPDX-License-Identifier: Apache-2.0
#include "engine/comm/launcher.h"

#include <charconv>
#include <cstdlib>

#include "engine/error.h"

namespace genexx {
namespace {

using Variable = std::function<std::optional<std::string>(const char*)>;

struct Names {
  const char *by, *rank, *size, *local_rank;
};

constexpr Names kLaunchers[] = {
    {"Open MPI", "OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_LOCAL_RANK"},
    {"MVAPICH", "MV2_COMM_WORLD_RANK", "MV2_COMM_WORLD_SIZE", "MV2_COMM_WORLD_LOCAL_RANK"},
    {"Slurm", "SLURM_PROCID", "SLURM_STEP_NUM_TASKS", "SLURM_LOCALID"},
    {"PMI", "PMI_RANK", "PMI_SIZE", "MPI_LOCALRANKID"},
};

int number(const char* name, const std::string& text) {
  int value = -1;
  const char* end = text.data() + text.size();
  const auto [stop, status] = std::from_chars(text.data(), end, value);
  if (status != std::errc() || stop != end || value < 0)
    throw UsageError(std::string("the environment variable ") + name + " is '" + text +
                     "', expected a number from 0; start genexx with mpirun or srun, or give --no-mpi");
  return value;
}

}  // namespace

Launch read_launch(const Variable& variable) {
  for (const Names& names : kLaunchers) {
    const auto rank = variable(names.rank), size = variable(names.size);
    if (!rank || !size) continue;
    Launch launch = {names.by, number(names.rank, *rank), number(names.size, *size), -1};
    if (const auto local = variable(names.local_rank)) launch.local_rank = number(names.local_rank, *local);
    return launch;
  }
  return {};
}

Launch read_launch() {
  return read_launch([](const char* name) -> std::optional<std::string> {
    const char* value = std::getenv(name);
    return value ? std::optional<std::string>(value) : std::nullopt;
  });
}

}  // namespace genexx
