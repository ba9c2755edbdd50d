// SPDX-License-Identifier: Apache-2.0
#include "tests/support/rank_threads.h"

#include <condition_variable>
#include <cstring>
#include <deque>
#include <exception>
#include <map>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace genexx::test {
namespace {

// Where all ranks meet: each leaves a pointer to what it gives, and may read the others' until all go on.
class Meeting {
 public:
  explicit Meeting(int size) : size_(size), given_(static_cast<std::size_t>(size)) {}

  void give(int rank, const void* what) { given_[static_cast<std::size_t>(rank)] = what; }
  const void* of(int rank) const { return given_[static_cast<std::size_t>(rank)]; }

  void wait() {
    std::unique_lock lock(mutex_);
    const std::uint64_t round = round_;
    if (++arrived_ == size_) {
      arrived_ = 0;
      ++round_;
      changed_.notify_all();
    } else {
      changed_.wait(lock, [&] { return round_ != round || failed_; });
    }
    if (round_ == round) throw RankError(ExitCode::runtime, "another rank failed");
  }
  // Bytes on their way from one rank to another, in order.
  void post(int from, int to, std::vector<char> bytes) {
    const std::lock_guard lock(mutex_);
    mail_[{from, to}].push_back(std::move(bytes));
    changed_.notify_all();
  }
  std::vector<char> fetch(int from, int to) {
    std::unique_lock lock(mutex_);
    std::deque<std::vector<char>>& box = mail_[{from, to}];
    changed_.wait(lock, [&] { return !box.empty() || failed_; });
    if (box.empty()) throw RankError(ExitCode::runtime, "another rank failed");
    std::vector<char> bytes = std::move(box.front());
    box.pop_front();
    return bytes;
  }
  void fail() {
    const std::lock_guard lock(mutex_);
    failed_ = true;
    changed_.notify_all();
  }

 private:
  int size_;
  std::mutex mutex_;
  std::condition_variable changed_;
  int arrived_ = 0;
  std::uint64_t round_ = 0;
  bool failed_ = false;
  std::vector<const void*> given_;
  std::map<std::pair<int, int>, std::deque<std::vector<char>>> mail_;
};

void copy(void* to, const void* from, std::int64_t bytes) {
  if (bytes > 0) std::memcpy(to, from, static_cast<std::size_t>(bytes));
}

class ThreadRank final : public Communicator {
 public:
  ThreadRank(Meeting& meeting, int rank, int size) : meeting_(meeting), rank_(rank), size_(size) {}

  int rank() const override { return rank_; }
  int size() const override { return size_; }
  int local_rank() const override { return rank_; }
  int local_size() const override { return size_; }

  void barrier() override { meeting_.wait(); }
  void broadcast(void* data, std::int64_t bytes, int root) override {
    meeting_.give(rank_, data);
    meeting_.wait();
    if (rank_ != root) copy(data, meeting_.of(root), bytes);
    meeting_.wait();
  }
  void all_gather(const void* mine, const std::vector<std::int64_t>& bytes, void* all) override {
    const std::vector<char> own(static_cast<const char*>(mine), static_cast<const char*>(mine) + bytes[at(rank_)]);
    meeting_.give(rank_, own.data());
    meeting_.wait();
    char* to = static_cast<char*>(all);
    for (int r = 0; r < size_; ++r) {
      copy(to, meeting_.of(r), bytes[at(r)]);
      to += bytes[at(r)];
    }
    meeting_.wait();
  }
  void all_to_all(const void* out, const std::vector<std::int64_t>& out_bytes, void* in,
                  const std::vector<std::int64_t>& in_bytes) override {
    const Parts parts = {static_cast<const char*>(out), out_bytes};
    meeting_.give(rank_, &parts);
    meeting_.wait();
    char* to = static_cast<char*>(in);
    for (int r = 0; r < size_; ++r) {
      const Parts& theirs = *static_cast<const Parts*>(meeting_.of(r));
      const char* from = theirs.begin;
      for (int before = 0; before < rank_; ++before) from += theirs.bytes[at(before)];
      copy(to, from, in_bytes[at(r)]);
      to += in_bytes[at(r)];
    }
    meeting_.wait();
  }
  void send(int to, const void* data, std::int64_t bytes) override {
    const char* begin = static_cast<const char*>(data);
    meeting_.post(rank_, to, std::vector<char>(begin, begin + bytes));
  }
  void receive(int from, void* data, std::int64_t bytes) override {
    const std::vector<char> got = meeting_.fetch(from, rank_);
    if (static_cast<std::int64_t>(got.size()) != bytes)
      throw RankError(ExitCode::runtime, "a receive of another count than the send");
    copy(data, got.data(), bytes);
  }

 private:
  struct Parts {
    const char* begin;
    std::vector<std::int64_t> bytes;
  };
  static std::size_t at(int rank) { return static_cast<std::size_t>(rank); }

  Meeting& meeting_;
  int rank_, size_;
};

}  // namespace

void on_ranks(int size, const std::function<void(Communicator&)>& body) {
  Meeting meeting(size);
  std::mutex mutex;
  std::exception_ptr first;
  std::vector<std::thread> threads;
  for (int r = 0; r < size; ++r)
    threads.emplace_back([&, r] {
      try {
        ThreadRank rank(meeting, r, size);
        body(rank);
      } catch (...) {
        {
          const std::lock_guard lock(mutex);
          if (!first) first = std::current_exception();
        }
        meeting.fail();
      }
    });
  for (std::thread& t : threads) t.join();
  if (first) std::rethrow_exception(first);
}
}  // namespace genexx::test
