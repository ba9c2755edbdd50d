// SPDX-License-Identifier: Apache-2.0
// How ranks learn that one of them failed or died: each holds a connection to rank 0, over which a thread of its own
// says every second that it lives. The kernel ends the connections of a process that dies, so its death is known at
// once, a stopped or unreachable one after a while of silence. Nothing of the job itself travels here.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "engine/error.h"

namespace genexx {

// What went wrong on another rank.
struct RankNotice {
  enum class Kind { failed, lost } kind = Kind::failed;
  int rank = 0;
  ExitCode code = ExitCode::runtime;
  std::string text;  // the error, or how the rank was lost
};

struct RankWatchOptions {
  std::chrono::milliseconds heartbeat{1000};
  std::chrono::milliseconds silence{60000};     // after which a rank counts as lost
  std::chrono::milliseconds connecting{30000};  // for all ranks to connect
};

class RankWatch {
 public:
  // Where rank 0 is reached. Only those who know the address, which holds a random word, are let in.
  class Door {
   public:
    enum class Reach { this_machine, network };
    // Throws RuntimeError when there is no socket to be had.
    explicit Door(Reach reach);
    ~Door();
    Door(const Door&) = delete;
    Door& operator=(const Door&) = delete;
    const std::string& address() const { return address_; }

   private:
    friend class RankWatch;
    int socket_ = -1;
    std::string address_, word_;
  };

  // Rank 0 of `size`: returns when all others have connected. Throws RuntimeError naming one that did not.
  RankWatch(const Door& door, int size, const RankWatchOptions& options);
  // Another rank. Throws RuntimeError when rank 0 cannot be reached.
  RankWatch(const std::string& address, int rank, const RankWatchOptions& options);
  // Says goodbye: the others do not take the end of the connection for a loss.
  ~RankWatch();
  RankWatch(const RankWatch&) = delete;
  RankWatch& operator=(const RankWatch&) = delete;

  // The first that went wrong elsewhere, if anything did. Cheap; thread-safe.
  std::optional<RankNotice> notice() const;

  // Whether a failing rank has something under way that others wait for.
  enum class Ending { orderly, abrupt };
  struct Farewell {
    bool all_orderly = false;           // every rank failed, and in order: they may end together
    std::optional<RankNotice> of_root;  // rank 0's failure, if it had one
  };
  // Tells all that this rank failed, and waits until all others have failed or gone too, `patience` at most.
  Farewell fail(ExitCode code, const std::string& text, Ending ending, std::chrono::milliseconds patience);

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace genexx
