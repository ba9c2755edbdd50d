// SPDX-License-Identifier: Apache-2.0
// The processes that run one job of the program together: mpirun or srun starts genexx several times, rank 0 alone
// speaks and writes.
#pragma once

#include <memory>
#include <string>

#include <CLI/CLI.hpp>

#include "engine/communicator.h"
#include "engine/error.h"
#include "tools/console.h"

namespace genexx {
class MpiCommunicator;
}

namespace genexx::tools {

struct RankOptions {
  enum class Mpi { automatic, on, off } mpi = Mpi::automatic;
  double timeout = 60;  // seconds without a sign of life after which a rank counts as lost
};
void add_rank_options(CLI::App& verb, RankOptions& options);

class ProgramRanks {
 public:
  ProgramRanks();
  ~ProgramRanks();

  // Opens MPI where a launcher started several processes, or where it was asked for; makes every rank but 0 silent.
  // Throws RuntimeError where MPI cannot be opened, UsageError where ranks were started with other words.
  void join(const RankOptions& options, const std::string& command_line, Console& console);

  // One rank unless join() found more.
  Communicator& get();

  // The threads of a rank: as given, or with 0 its part of the machine's cores.
  int threads(int given);
  // The device of a rank: with several, "auto" and "cuda" are the device of its place on the machine.
  std::string device(const std::string& given);

  // The job is done.
  void finish();
  // This rank ends with an error; says it on stderr where the others do not.
  enum class Cause { own, other_rank };
  void leave(ExitCode code, const std::string& message, Cause cause);

 private:
  SingleRank alone_;
  std::unique_ptr<MpiCommunicator> mpi_;
};

}  // namespace genexx::tools
