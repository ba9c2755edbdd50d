// SPDX-License-Identifier: Apache-2.0
// Ranks that an MPI launcher started. MPI is in a library of its own, libgenexx_mpi.so, opened only when asked for.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "engine/comm/mpi_table.h"
#include "engine/comm/rank_watch.h"
#include "engine/communicator.h"

namespace genexx {

struct MpiOptions {
  RankWatchOptions watch;
  // Asked while waiting for other ranks: true gives the job up. Must be quick.
  std::function<bool()> give_up;
};

class MpiCommunicator final : public Communicator {
 public:
  // Over the functions of `table`, whose library stays open. Connects the watches of all ranks; throws RuntimeError
  // when they cannot be.
  MpiCommunicator(const genexx_mpi_table& table, MpiOptions options);
  ~MpiCommunicator() override;

  int rank() const override { return table_.rank; }
  int size() const override { return table_.size; }
  int local_rank() const override { return table_.local_rank; }
  int local_size() const override { return table_.local_size; }
  std::string library() const { return table_.library; }

  void expect_others() override;
  void barrier() override;
  void broadcast(void* data, std::int64_t bytes, int root) override;
  void all_gather(const void* mine, const std::vector<std::int64_t>& bytes, void* all) override;
  void all_to_all(const void* out, const std::vector<std::int64_t>& out_bytes, void* in,
                  const std::vector<std::int64_t>& in_bytes) override;
  void send(int to, const void* data, std::int64_t bytes) override;
  void receive(int from, void* data, std::int64_t bytes) override;

  // The job is done: waits for all ranks, then ends MPI. Nothing may be called afterwards.
  void finish();

  // This rank ends with an error. Tells the others, waits for them to end too, for some seconds at most, and ends MPI
  // where all end in order. Calls `say` where it is this rank that people should hear: not when rank 0 says the same,
  // nor when the message only repeats what another rank says.
  enum class Cause { own, other_rank };
  void leave(ExitCode code, const std::string& message, Cause cause, const std::function<void()>& say);

 private:
  bool speaks_for_all(Cause cause) const;
  void run(int code, const char* what);  // waits for what was started with `code`
  void end_mpi();

  genexx_mpi_table table_;
  MpiOptions options_;
  std::unique_ptr<RankWatch> watch_;
  bool under_way_ = false, ended_ = false;
};

// Opens libgenexx_mpi.so beside the program or where it is installed, and MPI with it. Throws RuntimeError saying where
// it was looked for. Call once a process.
std::unique_ptr<MpiCommunicator> open_mpi(MpiOptions options);

}  // namespace genexx
