// SPDX-License-Identifier: Apache-2.0
// The processes ("ranks") that do one job together, as one of them sees the others: how bytes travel between them, and
// what happens when one is lost.
//
// All ranks call the same functions in the same order. A wait ends with RankError when another rank failed, was lost,
// or the job was given up. One thread of a rank at a time may call.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "engine/error.h"

namespace genexx {

// Another rank failed, or cannot be heard any more. The code is that of the failed rank where it said one.
class RankError : public Error {
 public:
  RankError(ExitCode code, const std::string& message) : Error(code, message) {}
};

// The share of a rank in `count` things: [begin, end). Shares of ranks follow each other and differ by one at most;
// with fewer things than ranks the last ranks have none.
struct RankShare {
  std::int64_t begin = 0, end = 0;
  std::int64_t size() const { return end - begin; }
};
RankShare share_of_rank(std::int64_t count, int rank, int size);

class Communicator {
 public:
  virtual ~Communicator() = default;
  Communicator(const Communicator&) = delete;
  Communicator& operator=(const Communicator&) = delete;

  virtual int rank() const = 0;
  virtual int size() const = 0;
  // Which of the ranks of the same machine this one is, and how many there are.
  virtual int local_rank() const = 0;
  virtual int local_size() const = 0;

  // Throws RankError when another rank failed or was lost. What waits for other ranks by other means asks now and then.
  virtual void expect_others() {}

  // Returns when every rank has come here.
  virtual void barrier() = 0;
  // `bytes` of rank `root` to all; every rank gives the same count.
  virtual void broadcast(void* data, std::int64_t bytes, int root) = 0;
  // The bytes of all ranks, one after the other by rank, to all. `bytes[r]` is the count of rank r, known to all.
  virtual void all_gather(const void* mine, const std::vector<std::int64_t>& bytes, void* all) = 0;
  // Part r of `out` goes to rank r, part r of `in` comes from it; parts follow each other by rank.
  virtual void all_to_all(const void* out, const std::vector<std::int64_t>& out_bytes, void* in,
                          const std::vector<std::int64_t>& in_bytes) = 0;
  // From this rank to `to`, whose receive has the same count.
  virtual void send(int to, const void* data, std::int64_t bytes) = 0;
  virtual void receive(int from, void* data, std::int64_t bytes) = 0;

  bool is_root() const { return rank() == 0; }
  RankShare share_of(std::int64_t count) const { return share_of_rank(count, rank(), size()); }

  // Whether it is true on some rank.
  bool any(bool mine);
  // What rank `root` gave.
  bool broadcast_flag(bool mine, int root = 0);
  std::string broadcast_text(const std::string& mine, int root = 0);
  std::vector<std::byte> broadcast_bytes(std::vector<std::byte> mine, int root = 0);
  // Of every rank, in order; ranks may give different counts.
  std::vector<std::vector<std::byte>> all_gather_bytes(const std::vector<std::byte>& mine);
  std::vector<double> all_gather_values(const std::vector<double>& mine);  // one after the other
  // The same to rank 0 alone; others get nothing.
  std::vector<std::vector<std::byte>> gather_bytes(const std::vector<std::byte>& mine);

  // values[i] becomes the sum of all ranks' values[i], added in the order of the ranks: ((v0 + v1) + v2) + ...; the
  // same bits on every rank and in every run.
  void all_reduce_sum(float* values, std::int64_t count);
  void all_reduce_sum(double* values, std::int64_t count);

 protected:
  Communicator() = default;

 private:
  template <class T>
  void sum_in_order(T* values, std::int64_t count);
};

// One process, the default of everything: nothing travels.
class SingleRank final : public Communicator {
 public:
  int rank() const override { return 0; }
  int size() const override { return 1; }
  int local_rank() const override { return 0; }
  int local_size() const override { return 1; }
  void barrier() override {}
  void broadcast(void*, std::int64_t, int) override {}
  void all_gather(const void* mine, const std::vector<std::int64_t>& bytes, void* all) override;
  void all_to_all(const void* out, const std::vector<std::int64_t>& out_bytes, void* in,
                  const std::vector<std::int64_t>& in_bytes) override;
  // There is nobody: throw RankError.
  void send(int to, const void* data, std::int64_t bytes) override;
  void receive(int from, void* data, std::int64_t bytes) override;
};

}  // namespace genexx
