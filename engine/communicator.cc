// SPDX-License-Identifier: Apache-2.0
#include "engine/communicator.h"

#include <algorithm>
#include <cstring>
#include <numeric>

namespace genexx {
namespace {

// What one exchange of a sum moves at most: small enough for every transport's counts, large enough for its speed.
constexpr std::int64_t kSumBlockBytes = std::int64_t{64} << 20;

}  // namespace

RankShare share_of_rank(std::int64_t count, int rank, int size) {
  const std::int64_t each = count / size, more = count % size;
  const std::int64_t begin = rank * each + std::min<std::int64_t>(rank, more);
  return {begin, begin + each + (rank < more ? 1 : 0)};
}

bool Communicator::any(bool mine) {
  const std::vector<std::int64_t> bytes(static_cast<std::size_t>(size()), 1);
  std::vector<std::uint8_t> all(bytes.size());
  const std::uint8_t one = mine ? 1 : 0;
  all_gather(&one, bytes, all.data());
  return std::find(all.begin(), all.end(), std::uint8_t{1}) != all.end();
}

bool Communicator::broadcast_flag(bool mine, int root) {
  std::uint8_t one = mine ? 1 : 0;
  broadcast(&one, 1, root);
  return one != 0;
}

std::vector<std::byte> Communicator::broadcast_bytes(std::vector<std::byte> mine, int root) {
  auto bytes = static_cast<std::int64_t>(mine.size());
  broadcast(&bytes, sizeof bytes, root);
  mine.resize(static_cast<std::size_t>(bytes));
  if (bytes > 0) broadcast(mine.data(), bytes, root);
  return mine;
}

std::string Communicator::broadcast_text(const std::string& mine, int root) {
  const auto* text = reinterpret_cast<const std::byte*>(mine.data());
  const std::vector<std::byte> got = broadcast_bytes(std::vector<std::byte>(text, text + mine.size()), root);
  return std::string(reinterpret_cast<const char*>(got.data()), got.size());
}

std::vector<std::vector<std::byte>> Communicator::all_gather_bytes(const std::vector<std::byte>& mine) {
  const auto ranks = static_cast<std::size_t>(size());
  const auto count = static_cast<std::int64_t>(mine.size());
  std::vector<std::int64_t> counts(ranks);
  all_gather(&count, std::vector<std::int64_t>(ranks, sizeof count), counts.data());
  std::vector<std::byte> all(static_cast<std::size_t>(std::accumulate(counts.begin(), counts.end(), std::int64_t{0})));
  all_gather(mine.data(), counts, all.data());
  std::vector<std::vector<std::byte>> parts;
  auto at = all.begin();
  for (const std::int64_t n : counts) {
    parts.emplace_back(at, at + n);
    at += n;
  }
  return parts;
}

std::vector<double> Communicator::all_gather_values(const std::vector<double>& mine) {
  const auto* bytes = reinterpret_cast<const std::byte*>(mine.data());
  std::vector<double> all;
  for (const auto& part : all_gather_bytes(std::vector<std::byte>(bytes, bytes + mine.size() * sizeof(double)))) {
    const std::size_t before = all.size();
    all.resize(before + part.size() / sizeof(double));
    if (!part.empty()) std::memcpy(all.data() + before, part.data(), part.size());
  }
  return all;
}

std::vector<std::vector<std::byte>> Communicator::gather_bytes(const std::vector<std::byte>& mine) {
  auto count = static_cast<std::int64_t>(mine.size());
  if (!is_root()) {
    send(0, &count, sizeof count);
    if (count > 0) send(0, mine.data(), count);
    return {};
  }
  std::vector<std::vector<std::byte>> all(static_cast<std::size_t>(size()));
  all[0] = mine;
  for (int r = 1; r < size(); ++r) {
    receive(r, &count, sizeof count);
    std::vector<std::byte>& part = all[static_cast<std::size_t>(r)];
    part.resize(static_cast<std::size_t>(count));
    if (count > 0) receive(r, part.data(), count);
  }
  return all;
}

// Every rank adds up a share of the values, in the order of the ranks, and gives its sums to all: as much travels as in
// a ring, and no sum depends on who was first.
template <class T>
void Communicator::sum_in_order(T* values, std::int64_t count) {
  if (size() == 1 || count == 0) return;
  const std::int64_t block = kSumBlockBytes / static_cast<std::int64_t>(sizeof(T));
  const auto ranks = static_cast<std::size_t>(size());
  std::vector<T> received, sums;
  for (std::int64_t begin = 0; begin < count; begin += block) {
    const std::int64_t length = std::min(block, count - begin);
    const RankShare own = share_of(length);
    std::vector<std::int64_t> shares;
    for (int r = 0; r < size(); ++r)
      shares.push_back(share_of_rank(length, r, size()).size() * static_cast<std::int64_t>(sizeof(T)));
    received.resize(static_cast<std::size_t>(own.size()) * ranks);
    all_to_all(values + begin, shares, received.data(),
               std::vector<std::int64_t>(ranks, own.size() * static_cast<std::int64_t>(sizeof(T))));
    sums.assign(received.begin(), received.begin() + own.size());
    for (std::size_t r = 1; r < ranks; ++r) {
      const T* theirs = received.data() + r * static_cast<std::size_t>(own.size());
      for (std::int64_t i = 0; i < own.size(); ++i) sums[static_cast<std::size_t>(i)] += theirs[i];
    }
    all_gather(sums.data(), shares, values + begin);
  }
}

void Communicator::all_reduce_sum(float* values, std::int64_t count) { sum_in_order(values, count); }
void Communicator::all_reduce_sum(double* values, std::int64_t count) { sum_in_order(values, count); }

void SingleRank::all_gather(const void* mine, const std::vector<std::int64_t>& bytes, void* all) {
  if (bytes[0] > 0) std::memcpy(all, mine, static_cast<std::size_t>(bytes[0]));
}

void SingleRank::all_to_all(const void* out, const std::vector<std::int64_t>& out_bytes, void* in,
                            const std::vector<std::int64_t>&) {
  if (out_bytes[0] > 0) std::memcpy(in, out, static_cast<std::size_t>(out_bytes[0]));
}

void SingleRank::send(int to, const void*, std::int64_t) {
  throw RankError(ExitCode::runtime, "nothing can be sent to rank " + std::to_string(to) + ": there is one rank");
}

void SingleRank::receive(int from, void*, std::int64_t) {
  throw RankError(ExitCode::runtime, "nothing can come from rank " + std::to_string(from) + ": there is one rank");
}

}  // namespace genexx
