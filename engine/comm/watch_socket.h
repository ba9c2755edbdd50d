// SPDX-License-Identifier: Apache-2.0
// The connections of engine/comm/rank_watch.h: how other ranks find rank 0 and prove that they belong to the job.
#pragma once

#include <chrono>
#include <string>
#include <vector>

namespace genexx::watch_socket {

// All throw RuntimeError saying what could not be done and why. Sockets returned are the caller's to close.

// Listens on a free port, of this machine alone or of all its networks.
int listening(bool network);

// 32 random hexadecimal digits.
std::string random_word();

// "WORD PORT ADDRESS ADDRESS ...": the addresses by which other machines may reach this one.
std::string address_of(int socket, const std::string& word, bool network);

// Rank 0: the sockets of ranks 1 to size - 1, each at its rank; [0] is -1. Whoever does not know the word is sent away.
std::vector<int> accept_ranks(int socket, const std::string& word, int size, std::chrono::milliseconds patience);

// Another rank: connected to rank 0, which knows now that this is `rank`.
int connected(const std::string& address, int rank, std::chrono::milliseconds patience);

}  // namespace genexx::watch_socket
