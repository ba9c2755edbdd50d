// SPDX-License-Identifier: Apache-2.0
#include "engine/comm/watch_socket.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <sstream>

#include "engine/error.h"

namespace genexx::watch_socket {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kWordLetters = 32;
constexpr std::chrono::milliseconds kOneTry{5000};

// What a rank says first.
struct Hello {
  char word[kWordLetters];
  std::int32_t rank;
};

[[noreturn]] void refuse(const std::string& what) {
  throw RuntimeError("the ranks cannot watch each other: " + what + ": " + std::strerror(errno) +
                     "; TCP connections between the machines of a job must be allowed");
}

int left_ms(Clock::time_point deadline) {
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
  return static_cast<int>(std::clamp<std::int64_t>(left, 0, 1000000));
}

bool ready(int socket, short events, Clock::time_point deadline) {
  pollfd waiting = {socket, events, 0};
  int got = 0;
  do {
    got = poll(&waiting, 1, left_ms(deadline));
  } while (got < 0 && errno == EINTR);
  return got > 0;
}

// Reads all of a Hello before the deadline.
bool read_hello(int socket, Hello& hello, Clock::time_point deadline) {
  std::size_t have = 0;
  while (have < sizeof hello) {
    if (!ready(socket, POLLIN, deadline)) return false;
    const ssize_t got = recv(socket, reinterpret_cast<char*>(&hello) + have, sizeof hello - have, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    have += static_cast<std::size_t>(got);
  }
  return true;
}

// Connected, or -1 with errno set.
int try_to_connect(const std::string& ip, int port, Clock::time_point deadline) {
  const int made = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (made < 0) return -1;
  sockaddr_in to = {};
  to.sin_family = AF_INET;
  to.sin_port = htons(static_cast<std::uint16_t>(port));
  int error = EINVAL;
  socklen_t length = sizeof error;
  if (inet_pton(AF_INET, ip.c_str(), &to.sin_addr) == 1) {
    if (connect(made, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0) return made;
    error = errno;
    if (error == EINPROGRESS) {
      error = ETIMEDOUT;
      if (ready(made, POLLOUT, deadline)) getsockopt(made, SOL_SOCKET, SO_ERROR, &error, &length);
    }
  }
  if (error == 0) return made;
  close(made);
  errno = error;
  return -1;
}

}  // namespace

int listening(bool network) {
  const int made = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (made < 0) refuse("no socket");
  sockaddr_in at = {};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(network ? INADDR_ANY : INADDR_LOOPBACK);
  if (bind(made, reinterpret_cast<const sockaddr*>(&at), sizeof at) != 0 || listen(made, SOMAXCONN) != 0) {
    const int error = errno;
    close(made);
    errno = error;
    refuse("no port to listen on");
  }
  return made;
}

std::string random_word() {
  std::uint8_t bytes[kWordLetters / 2];
  if (getrandom(bytes, sizeof bytes, 0) != static_cast<ssize_t>(sizeof bytes)) refuse("no random numbers");
  std::string word;
  for (const std::uint8_t b : bytes) {
    word += "0123456789abcdef"[b >> 4];
    word += "0123456789abcdef"[b & 15];
  }
  return word;
}

std::string address_of(int socket, const std::string& word, bool network) {
  sockaddr_in at = {};
  socklen_t length = sizeof at;
  if (getsockname(socket, reinterpret_cast<sockaddr*>(&at), &length) != 0) refuse("no port");
  const std::string port = word + " " + std::to_string(ntohs(at.sin_port));
  std::string address = port;
  ifaddrs* all = nullptr;
  if (network && getifaddrs(&all) != 0) refuse("no network");
  for (const ifaddrs* one = all; one; one = one->ifa_next) {
    char text[INET_ADDRSTRLEN] = "";
    if (!one->ifa_addr || one->ifa_addr->sa_family != AF_INET) continue;
    if (!(one->ifa_flags & IFF_UP) || (one->ifa_flags & IFF_LOOPBACK)) continue;
    inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in*>(one->ifa_addr)->sin_addr, text, sizeof text);
    address += std::string(" ") + text;
  }
  if (all) freeifaddrs(all);
  return address == port ? port + " 127.0.0.1" : address;
}

std::vector<int> accept_ranks(int socket, const std::string& word, int size, std::chrono::milliseconds patience) {
  std::vector<int> sockets(static_cast<std::size_t>(size), -1);
  const Clock::time_point deadline = Clock::now() + patience;
  for (int missing = size - 1; missing > 0;) {
    if (!ready(socket, POLLIN, deadline)) {
      const auto absent = std::find(sockets.begin() + 1, sockets.end(), -1) - sockets.begin();
      for (const int s : sockets)
        if (s >= 0) close(s);
      errno = ETIMEDOUT;
      refuse("rank " + std::to_string(absent) + " has not connected to rank 0");
    }
    const int came = accept4(socket, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (came < 0) continue;
    Hello hello = {};
    const bool known = read_hello(came, hello, std::min(deadline, Clock::now() + kOneTry)) &&
                       word == std::string(hello.word, kWordLetters) && hello.rank > 0 && hello.rank < size &&
                       sockets[static_cast<std::size_t>(hello.rank)] < 0;
    if (!known) {
      close(came);
      continue;
    }
    const int on = 1;
    setsockopt(came, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    sockets[static_cast<std::size_t>(hello.rank)] = came;
    --missing;
  }
  return sockets;
}

int connected(const std::string& address, int rank, std::chrono::milliseconds patience) {
  std::istringstream in(address);
  std::string word, ip;
  int port = 0;
  in >> word >> port;
  std::vector<std::string> ips;
  while (in >> ip) ips.push_back(ip);
  const Clock::time_point deadline = Clock::now() + patience;
  Hello hello = {};
  std::memcpy(hello.word, word.data(), std::min(word.size(), kWordLetters));
  hello.rank = rank;
  errno = EINVAL;
  for (const std::string& one : ips) {
    const int made = try_to_connect(one, port, std::min(deadline, Clock::now() + kOneTry));
    if (made < 0) continue;
    const int on = 1;
    setsockopt(made, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (::send(made, &hello, sizeof hello, MSG_NOSIGNAL) == static_cast<ssize_t>(sizeof hello)) return made;
    close(made);
  }
  refuse("rank " + std::to_string(rank) + " cannot connect to rank 0 at port " + std::to_string(port) + " of " +
         (ips.empty() ? "nowhere" : ips.front()));
}

}  // namespace genexx::watch_socket
