// SPDX-License-Identifier: Apache-2.0
#include "engine/comm/rank_watch.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <cstdint>
#include <cstring>
#include <mutex>
#include <thread>
#include <vector>

#include "engine/comm/watch_socket.h"

namespace genexx {
namespace {

using Clock = std::chrono::steady_clock;

enum class Kind : std::uint32_t { alive, failed, lost, goodbye, verdict };

// What travels: a header, then `letters` bytes of text. All ranks are of one kind of machine.
struct Header {
  Kind kind = Kind::alive;
  std::int32_t rank = 0;
  std::int32_t code = 0;
  std::uint32_t orderly = 0;
  std::uint32_t letters = 0;
};

constexpr std::uint32_t kMostLetters = 1u << 20;

std::string message(Header header, const std::string& text = "") {
  header.letters = static_cast<std::uint32_t>(std::min<std::size_t>(text.size(), kMostLetters));
  return std::string(reinterpret_cast<const char*>(&header), sizeof header) + text.substr(0, header.letters);
}

// The connection to another rank.
struct Link {
  int socket = -1;
  int rank = 0;
  std::string in = {}, out = {};
  Clock::time_point heard = Clock::now();
  bool leaves = false;   // said goodbye or that it failed: its end is no loss
  bool orderly = false;  // failed in order
  bool open() const { return socket >= 0; }
  void close() {
    if (socket >= 0) ::close(socket);
    socket = -1;
  }
};

}  // namespace

struct RankWatch::Parts {
  int own_rank;
  RankWatchOptions options;
  std::vector<Link> links = {};  // of rank 0: to all others; of others: to rank 0
  int wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  mutable std::mutex mutex = {};  // guards all but `troubled`
  std::condition_variable changed = {};
  std::atomic<bool> troubled{false};
  std::optional<RankNotice> first = {}, of_root = {};
  std::optional<bool> verdict = {};
  bool ends = false;  // the thread sends what there is to send, then leaves
  bool failed = false;
  std::thread thread = {};

  void start() {
    thread = std::thread([this] { watch(); });
  }
  void watch();
  void serve(Link& link, short events);
  void receive(Link& link);
  void flush(Link& link);
  void handle(Link& link, const Header& header, const std::string& text);
  void lost(int rank, const std::string& how);
  void note(const RankNotice& notice);
  void tell_others(const std::string& what, int except) {
    for (Link& link : links)
      if (link.open() && link.rank != except) link.out += what;
  }
  void awake() const {
    const std::uint64_t one = 1;
    [[maybe_unused]] const ssize_t written = write(wake, &one, sizeof one);  // full: it is awake already
  }
  bool everybody_left() const {
    return std::all_of(links.begin(), links.end(), [](const Link& l) { return !l.open() || l.leaves; });
  }
};

void RankWatch::Parts::note(const RankNotice& notice) {
  if (notice.rank == 0 && notice.kind == RankNotice::Kind::failed && !of_root) of_root = notice;
  if (!first) first = notice;
  troubled = true;
}

void RankWatch::Parts::lost(int rank, const std::string& how) {
  note({RankNotice::Kind::lost, rank, ExitCode::runtime, how});
  if (own_rank == 0) tell_others(message({.kind = Kind::lost, .rank = rank}, how), rank);
}

void RankWatch::Parts::handle(Link& link, const Header& header, const std::string& text) {
  link.heard = Clock::now();
  switch (header.kind) {
    case Kind::alive:
      return;
    case Kind::goodbye:
      link.leaves = true;
      return;
    case Kind::verdict:
      verdict = header.orderly != 0;
      link.leaves = true;
      return;
    case Kind::lost:
      return note({RankNotice::Kind::lost, header.rank, ExitCode::runtime, text});
    case Kind::failed:
      note({RankNotice::Kind::failed, header.rank, static_cast<ExitCode>(header.code), text});
      if (header.rank == link.rank) {
        link.leaves = true;
        link.orderly = header.orderly != 0;
      }
      if (own_rank == 0) tell_others(message(header, text), link.rank);
      return;
  }
}

void RankWatch::Parts::receive(Link& link) {
  char block[4096];
  for (;;) {
    const ssize_t got = recv(link.socket, block, sizeof block, MSG_DONTWAIT);
    if (got > 0) {
      link.in.append(block, static_cast<std::size_t>(got));
      continue;
    }
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) break;
    link.close();
    break;
  }
  Header header;
  while (link.in.size() >= sizeof header) {
    std::memcpy(&header, link.in.data(), sizeof header);
    if (header.letters > kMostLetters) return link.close();
    if (link.in.size() < sizeof header + header.letters) break;
    const std::string text = link.in.substr(sizeof header, header.letters);
    link.in.erase(0, sizeof header + header.letters);
    handle(link, header, text);
  }
  if (!link.open() && !link.leaves && !ends) lost(link.rank, "its process ended, or its machine");
}

void RankWatch::Parts::flush(Link& link) {
  while (link.open() && !link.out.empty()) {
    const ssize_t sent = send(link.socket, link.out.data(), link.out.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent <= 0) return;  // a broken connection is seen when reading
    link.out.erase(0, static_cast<std::size_t>(sent));
  }
}

void RankWatch::Parts::serve(Link& link, short events) {
  if (link.open() && (events & (POLLIN | POLLHUP | POLLERR))) receive(link);
  flush(link);
  if (link.open() && !link.leaves && Clock::now() - link.heard > options.silence) {
    link.close();
    lost(link.rank, "nothing was heard of it for " +
                        std::to_string(std::chrono::duration_cast<std::chrono::seconds>(options.silence).count()) +
                        " seconds");
  }
}

void RankWatch::Parts::watch() {
  Clock::time_point next_beat = Clock::now();
  Clock::time_point last_chance = Clock::time_point::max();
  std::vector<pollfd> waiting;
  for (;;) {
    {
      const std::lock_guard lock(mutex);
      const Clock::time_point now = Clock::now();
      const bool all_sent =
          std::all_of(links.begin(), links.end(), [](const Link& l) { return !l.open() || l.out.empty(); });
      if (ends && last_chance == Clock::time_point::max()) last_chance = now + std::chrono::seconds(1);
      if (ends && (all_sent || now >= last_chance)) return;
      if (!ends && now >= next_beat) {
        tell_others(message({.kind = Kind::alive, .rank = own_rank}), -1);
        next_beat = now + options.heartbeat;
      }
      waiting.assign(1, {wake, POLLIN, 0});
      for (Link& link : links) {
        flush(link);
        waiting.push_back({link.socket, static_cast<short>(link.out.empty() ? POLLIN : POLLIN | POLLOUT), 0});
      }
    }
    poll(waiting.data(), waiting.size(), static_cast<int>(options.heartbeat.count() / 2 + 1));
    const std::lock_guard lock(mutex);
    std::uint64_t woken = 0;
    while (read(wake, &woken, sizeof woken) > 0) {
    }
    for (std::size_t i = 0; i < links.size(); ++i) serve(links[i], waiting[i + 1].revents);
    changed.notify_all();
  }
}

RankWatch::Door::Door(Reach reach)
    : socket_(watch_socket::listening(reach == Reach::network)), word_(watch_socket::random_word()) {
  address_ = watch_socket::address_of(socket_, word_, reach == Reach::network);
}

RankWatch::Door::~Door() {
  if (socket_ >= 0) close(socket_);
}

RankWatch::RankWatch(const Door& door, int size, const RankWatchOptions& options)
    : parts_(new Parts{.own_rank = 0, .options = options}) {
  const auto sockets = watch_socket::accept_ranks(door.socket_, door.word_, size, options.connecting);
  for (int r = 1; r < size; ++r) parts_->links.push_back({.socket = sockets[static_cast<std::size_t>(r)], .rank = r});
  parts_->start();
}

RankWatch::RankWatch(const std::string& address, int rank, const RankWatchOptions& options)
    : parts_(new Parts{.own_rank = rank, .options = options}) {
  parts_->links.push_back({.socket = watch_socket::connected(address, rank, options.connecting), .rank = 0});
  parts_->start();
}

RankWatch::~RankWatch() {
  {
    const std::lock_guard lock(parts_->mutex);
    if (!parts_->failed) parts_->tell_others(message({.kind = Kind::goodbye, .rank = parts_->own_rank}), -1);
    parts_->ends = true;
  }
  parts_->awake();
  parts_->thread.join();
  for (Link& link : parts_->links) link.close();
  close(parts_->wake);
}

std::optional<RankNotice> RankWatch::notice() const {
  if (!parts_->troubled.load(std::memory_order_relaxed)) return std::nullopt;
  const std::lock_guard lock(parts_->mutex);
  return parts_->first;
}

RankWatch::Farewell RankWatch::fail(ExitCode code, const std::string& text, Ending ending,
                                    std::chrono::milliseconds patience) {
  Parts& p = *parts_;
  std::unique_lock lock(p.mutex);
  const bool orderly = ending == Ending::orderly;
  p.failed = true;
  p.tell_others(message({.kind = Kind::failed,
                         .rank = p.own_rank,
                         .code = static_cast<std::int32_t>(code),
                         .orderly = orderly ? 1u : 0u},
                        text),
                -1);
  p.awake();
  const auto over = [&] { return p.own_rank == 0 ? p.everybody_left() : p.verdict || !p.links[0].open(); };
  const bool in_time = p.changed.wait_for(lock, patience, over);
  if (p.own_rank == 0) {
    const bool all = orderly && in_time &&
                     std::all_of(p.links.begin(), p.links.end(), [](const Link& l) { return l.open() && l.orderly; });
    p.verdict = all;
    p.tell_others(message({.kind = Kind::verdict, .rank = 0, .orderly = all ? 1u : 0u}), -1);
    p.awake();
  }
  return {p.verdict.value_or(false), p.of_root};
}

}  // namespace genexx
