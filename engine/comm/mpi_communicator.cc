// SPDX-License-Identifier: Apache-2.0
#include "engine/comm/mpi_communicator.h"

#include <dlfcn.h>
#include <sched.h>

#include <algorithm>
#include <filesystem>
#include <limits>
#include <numeric>
#include <thread>
#include <utility>

namespace genexx {
namespace {

using Clock = std::chrono::steady_clock;

constexpr const char* kLibrary = "libgenexx_mpi.so";
// MPI counts with int; large blocks go in parts, for one after the other.
constexpr std::int64_t kMostBytes = std::int64_t{1} << 30;
// A wait begins with asking again and again, and then sleeps between its questions: ranks may share their cores.
constexpr int kEagerTests = 2000;
constexpr std::chrono::microseconds kShortestSleep{20}, kLongestSleep{1000};
constexpr std::chrono::milliseconds kBetweenChecks{20};
constexpr std::chrono::seconds kFarewell{10};

std::int64_t sum(const std::vector<std::int64_t>& counts) {
  return std::accumulate(counts.begin(), counts.end(), std::int64_t{0});
}

std::vector<int> as_int(const std::vector<std::int64_t>& counts) { return {counts.begin(), counts.end()}; }

std::vector<int> offsets_of(const std::vector<std::int64_t>& counts) {
  std::vector<int> offsets(counts.size());
  std::exclusive_scan(counts.begin(), counts.end(), offsets.begin(), 0);
  return offsets;
}

std::string of_rank(int rank, int size) { return "rank " + std::to_string(rank) + " of " + std::to_string(size); }

RankError error_of(const RankNotice& n, int size) {
  if (n.kind == RankNotice::Kind::failed) return {n.code, of_rank(n.rank, size) + " ended: " + n.text};
  return {n.code, of_rank(n.rank, size) + " was lost: " + n.text};
}

}  // namespace

MpiCommunicator::MpiCommunicator(const genexx_mpi_table& table, MpiOptions options)
    : table_(table), options_(std::move(options)) {
  if (size() == 1) return;
  const bool one_machine = !any(local_size() != size());
  if (is_root()) {
    const RankWatch::Door door(one_machine ? RankWatch::Door::Reach::this_machine : RankWatch::Door::Reach::network);
    broadcast_text(door.address());
    watch_ = std::make_unique<RankWatch>(door, size(), options_.watch);
  } else {
    watch_ = std::make_unique<RankWatch>(broadcast_text(""), rank(), options_.watch);
  }
}

MpiCommunicator::~MpiCommunicator() = default;

void MpiCommunicator::run(int code, const char* what) {
  under_way_ = true;
  auto sleep = kShortestSleep;
  Clock::time_point next_check = Clock::now() + kBetweenChecks;
  for (int tests = 0, done = 0; code == 0; ++tests) {
    code = table_.test(&done);
    if (code != 0) break;
    if (done) {
      under_way_ = false;
      return;
    }
    if (tests < kEagerTests) {
      sched_yield();
      continue;
    }
    std::this_thread::sleep_for(sleep);
    sleep = std::min(2 * sleep, kLongestSleep);
    if (Clock::now() < next_check) continue;
    next_check = Clock::now() + kBetweenChecks;
    expect_others();
    if (options_.give_up && options_.give_up())
      throw RankError(ExitCode::runtime, "gave up waiting for the other ranks in " + std::string(what));
  }
  char text[512] = "";
  table_.describe(code, text, sizeof text);
  throw RankError(ExitCode::runtime, std::string(what) + " failed on " + of_rank(rank(), size()) + ": " + text);
}

void MpiCommunicator::expect_others() {
  if (!watch_) return;
  if (const auto notice = watch_->notice()) throw error_of(*notice, size());
}

void MpiCommunicator::barrier() { run(table_.barrier(), "MPI_Ibarrier"); }

void MpiCommunicator::broadcast(void* data, std::int64_t bytes, int root) {
  for (std::int64_t at = 0; at < bytes; at += kMostBytes)
    run(table_.broadcast(static_cast<char*>(data) + at, static_cast<int>(std::min(kMostBytes, bytes - at)), root),
        "MPI_Ibcast");
}

void MpiCommunicator::all_gather(const void* mine, const std::vector<std::int64_t>& bytes, void* all) {
  if (sum(bytes) <= kMostBytes) {
    const std::vector<int> counts = as_int(bytes), offsets = offsets_of(bytes);
    return run(table_.all_gather(mine, counts.data(), offsets.data(), all), "MPI_Iallgatherv");
  }
  auto* to = static_cast<char*>(all);
  for (int r = 0; r < size(); ++r) {
    const std::int64_t count = bytes[static_cast<std::size_t>(r)];
    if (r == rank()) std::copy_n(static_cast<const char*>(mine), count, to);
    broadcast(to, count, r);
    to += count;
  }
}

void MpiCommunicator::all_to_all(const void* out, const std::vector<std::int64_t>& out_bytes, void* in,
                                 const std::vector<std::int64_t>& in_bytes) {
  if (std::max(sum(out_bytes), sum(in_bytes)) > std::numeric_limits<int>::max())
    throw RankError(ExitCode::runtime, "an exchange of " + std::to_string(sum(out_bytes)) +
                                           " bytes, expected less than 2 GiB; split it up");
  const std::vector<int> out_counts = as_int(out_bytes), out_offsets = offsets_of(out_bytes),
                         in_counts = as_int(in_bytes), in_offsets = offsets_of(in_bytes);
  run(table_.all_to_all(out, out_counts.data(), out_offsets.data(), in, in_counts.data(), in_offsets.data()),
      "MPI_Ialltoallv");
}

void MpiCommunicator::send(int to, const void* data, std::int64_t bytes) {
  for (std::int64_t at = 0; at < bytes; at += kMostBytes)
    run(table_.send(to, static_cast<const char*>(data) + at, static_cast<int>(std::min(kMostBytes, bytes - at))),
        "MPI_Isend");
}

void MpiCommunicator::receive(int from, void* data, std::int64_t bytes) {
  for (std::int64_t at = 0; at < bytes; at += kMostBytes)
    run(table_.receive(from, static_cast<char*>(data) + at, static_cast<int>(std::min(kMostBytes, bytes - at))),
        "MPI_Irecv");
}

void MpiCommunicator::end_mpi() {
  ended_ = true;
  watch_.reset();
  if (const int code = table_.finish()) {
    char text[512] = "";
    table_.describe(code, text, sizeof text);
    throw RuntimeError("ending MPI failed: " + std::string(text));
  }
}

void MpiCommunicator::finish() {
  barrier();
  end_mpi();
}

// Whether this rank says what it has to say, whatever the others say: rank 0 its own, and of a lost rank the first that
// is left.
bool MpiCommunicator::speaks_for_all(Cause cause) const {
  if (cause == Cause::own) return is_root();
  const auto notice = watch_->notice();
  return notice && notice->kind == RankNotice::Kind::lost && rank() == (notice->rank == 0 ? 1 : 0);
}

void MpiCommunicator::leave(ExitCode code, const std::string& message, Cause cause, const std::function<void()>& say) {
  if (ended_ || !watch_) {
    say();
    if (!ended_ && size() == 1) end_mpi();
    return;
  }
  // At once: of a lost rank the launcher knows as well, and gives the others a second.
  if (speaks_for_all(cause)) say();
  const auto ending = under_way_ ? RankWatch::Ending::abrupt : RankWatch::Ending::orderly;
  const RankWatch::Farewell farewell = watch_->fail(code, message, ending, kFarewell);
  if (farewell.all_orderly)
    end_mpi();
  else
    ended_ = true;  // others may never come: MPI cannot be ended, the process ends without
  const bool told = farewell.of_root && farewell.of_root->text == message;
  if (cause == Cause::own && !is_root() && !told) say();
}

std::unique_ptr<MpiCommunicator> open_mpi(MpiOptions options) {
  std::error_code error;
  const std::filesystem::path program = std::filesystem::read_symlink("/proc/self/exe", error).parent_path();
  std::string tried;
  for (const std::string& path :
       {(program / kLibrary).string(), (program / GENEXX_MPI_INSTALLED / kLibrary).string(), std::string(kLibrary)}) {
    // The components that MPI itself opens look for the symbols of MPI in the whole process.
    void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_GLOBAL);
    if (!library) {
      tried += std::string(tried.empty() ? "" : "; ") + dlerror();
      continue;
    }
    const auto open = reinterpret_cast<decltype(&genexx_mpi_open)>(dlsym(library, "genexx_mpi_open"));
    genexx_mpi_table table = {};
    if (!open) throw RuntimeError(path + " has no function genexx_mpi_open; is it of this version of genexx?");
    if (const int code = open(&table); code != 0)
      throw RuntimeError("MPI cannot be begun (code " + std::to_string(code) + "); is the job started by its mpirun?");
    if (table.version != GENEXX_MPI_TABLE_VERSION)
      throw RuntimeError(path + " is of version " + std::to_string(table.version) + ", expected " +
                         std::to_string(GENEXX_MPI_TABLE_VERSION) + "; build it with this program");
    return std::make_unique<MpiCommunicator>(table, std::move(options));
  }
  throw RuntimeError("MPI cannot be opened: " + tried +
                     "; build genexx where MPI is installed (Debian: libopenmpi-dev), or give --no-mpi");
}

}  // namespace genexx
