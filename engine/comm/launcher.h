// SPDX-License-Identifier: Apache-2.0
// What a launcher of parallel programs (mpirun, srun) told this process about itself, before any MPI is opened.
#pragma once

#include <functional>
#include <optional>
#include <string>

namespace genexx {

struct Launch {
  std::string by;  // "Open MPI", "MVAPICH", "Slurm", "PMI"; empty: nobody launched it as one of several
  int rank = 0, size = 1;
  int local_rank = -1;  // among the processes of this machine; -1 where the launcher did not say
};

// Reads the variables of Open MPI, MVAPICH, Slurm steps and PMI (MPICH, Intel MPI), in this order, with `variable`,
// which gives none where a name is not set. A Slurm batch script itself is one process: only its steps (srun) count.
// Throws UsageError naming a variable that is no number.
Launch read_launch(const std::function<std::optional<std::string>(const char*)>& variable);

// The same of this process.
Launch read_launch();

}  // namespace genexx
