// SPDX-License-Identifier: Apache-2.0
#include "tools/program_ranks.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <optional>
#include <thread>

#include <fmt/format.h>

#include "engine/comm/launcher.h"
#include "engine/comm/mpi_communicator.h"
#include "engine/device.h"
#include "tools/stop_signal.h"

namespace genexx::tools {
namespace {

using Clock = std::chrono::steady_clock;

// How long ranks that were asked to stop wait for each other: an epoch that must be finished first is a short one.
constexpr std::chrono::seconds kStopPatience{30};

// True when the run was asked to stop and nothing came of it for a while.
class StopPatience {
 public:
  bool operator()() {
    if (!stop_requested()) return false;
    if (!since_) since_ = Clock::now();
    return Clock::now() - *since_ > kStopPatience;
  }

 private:
  std::optional<Clock::time_point> since_;
};

void silence(Console& console) {
  console.verbosity = Verbosity::silent;
  if (!std::freopen("/dev/null", "w", stdout))
    throw RuntimeError(std::string("/dev/null cannot be opened: ") + std::strerror(errno));
}

}  // namespace

void add_rank_options(CLI::App& verb, RankOptions& o) {
  verb.add_flag_function(
      "--mpi,!--no-mpi", [&o](std::int64_t given) { o.mpi = given > 0 ? RankOptions::Mpi::on : RankOptions::Mpi::off; },
      "share the work out over the processes that mpirun or srun started; done when they started several");
  verb.add_option("--rank-timeout", o.timeout, "seconds without a sign of life after which a process counts as lost")
      ->check(CLI::Range(1.0, 86400.0))
      ->capture_default_str();
}

ProgramRanks::ProgramRanks() = default;
ProgramRanks::~ProgramRanks() = default;

Communicator& ProgramRanks::get() { return mpi_ ? static_cast<Communicator&>(*mpi_) : alone_; }

void ProgramRanks::join(const RankOptions& o, const std::string& command_line, Console& console) {
  if (o.mpi == RankOptions::Mpi::off) return;
  const Launch launch = read_launch();
  if (o.mpi == RankOptions::Mpi::automatic && launch.size == 1) return;
  MpiOptions options;
  options.watch.silence = std::chrono::milliseconds(static_cast<std::int64_t>(o.timeout * 1000));
  options.watch.heartbeat = std::min(options.watch.heartbeat, options.watch.silence / 5);
  options.give_up = StopPatience();
  mpi_ = open_mpi(std::move(options));
  if (!mpi_->is_root()) silence(console);
  if (launch.size != mpi_->size() && !launch.by.empty())
    throw RuntimeError(
        fmt::format("{} started {} processes, but {} knows of {}; genexx was built with another MPI than "
                    "the one that started it",
                    launch.by, launch.size, mpi_->library(), mpi_->size()));
  const std::string of_root = mpi_->broadcast_text(command_line);
  const bool differs = mpi_->any(of_root != command_line);
  if (differs)
    throw UsageError(of_root == command_line
                         ? "the processes of the job were started with different words; start all with the same, or "
                           "give --no-mpi for jobs of their own"
                         : fmt::format("rank {} was started as '{}', rank 0 as '{}'; start all with the same words, or "
                                       "give --no-mpi for jobs of their own",
                                       mpi_->rank(), command_line, of_root));
  console.say(fmt::format("{} ranks ({})", mpi_->size(), mpi_->library()));
}

int ProgramRanks::threads(int given) {
  if (given > 0 || get().size() == 1) return given;
  const int bound = static_cast<int>(std::thread::hardware_concurrency());  // cores that the launcher bound us to
  const int share = static_cast<int>(sysconf(_SC_NPROCESSORS_ONLN)) / get().local_size();
  return std::max(1, std::min(bound, share));
}

std::string ProgramRanks::device(const std::string& given) {
  return get().size() == 1 ? given : device_of_rank(given, get().local_rank());
}

void ProgramRanks::finish() {
  if (mpi_) mpi_->finish();
}

void ProgramRanks::leave(ExitCode code, const std::string& message, Cause cause) {
  const auto say = [&] {
    if (message.empty()) return;
    if (get().is_root())
      fmt::print(stderr, "genexx: {}\n", message);
    else
      fmt::print(stderr, "genexx: rank {}: {}\n", get().rank(), message);
  };
  if (!mpi_) return say();
  const auto whose = cause == Cause::other_rank ? MpiCommunicator::Cause::other_rank : MpiCommunicator::Cause::own;
  mpi_->leave(code, message, whose, say);
}

}  // namespace genexx::tools
