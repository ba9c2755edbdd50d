// SPDX-License-Identifier: Apache-2.0
// A training directory: its log, its checkpoint and its result files. Rank 0 owns it: for other ranks of a job nothing
// is written, and what is read comes from rank 0.
#pragma once

#include <cstdio>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "engine/communicator.h"
#include "models/trainer.h"

namespace genexx::tools {

// Names of checkpoints: of the run itself, and of the model trained after cross-validation.
constexpr const char* kMainCheckpoint = "state";
constexpr const char* kRefitCheckpoint = "refit";
// What is added to them for a training with the validation cells.
constexpr const char* kRetrainingSuffix = "_all_cells";

// Where an error ends the run, the result files that it made are removed, and everything else it made as well unless
// there is a checkpoint to go on from.
class RunDirectory {
 public:
  // fresh: an empty directory. add: files of the names that are written are replaced, all others stay. replace: the
  // results of the run that it holds are removed. resume: that run goes on.
  enum class Use { fresh, add, replace, resume };
  // Throws what the constructor would throw, before the work that fills the directory.
  static void expect(const std::string& path, Use use);
  // Makes the directory. Throws UsageError where a fresh one is asked for and this one holds something, RuntimeError
  // where it cannot be made. `ranks` do the job together and must outlive it; none: one rank.
  RunDirectory(const std::string& path, Use use, Communicator* ranks = nullptr);
  ~RunDirectory();
  RunDirectory(const RunDirectory&) = delete;
  RunDirectory& operator=(const RunDirectory&) = delete;

  // Of the job; null for one rank.
  Communicator* ranks() const { return ranks_ && ranks_->size() > 1 ? ranks_ : nullptr; }
  // Whether this rank writes. The others need not make what is to be written.
  bool is_writer() const { return !ranks_ || ranks_->is_root(); }

  // The path of a result file, about to be written; of the writer alone.
  std::string file(const std::string& name) const;

  // Writes a result file atomically.
  void write(const std::string& name, const std::string& text) const;
  void write_json(const std::string& name, const nlohmann::json& json) const;

  // Adds a line to log.jsonl, with the time.
  void log(const std::string& event, nlohmann::json fields);

  // Makes a folder inside, with those above it, where they are not there.
  void make_folder(const std::string& name) const;

  // checkpoint/NAME.safetensors, atomically replaced. `identity` tells runs apart: configuration, data, seed.
  void save_checkpoint(const std::string& name, Trainer::State state, const nlohmann::json& identity) const;
  // Whether the run has a checkpoint to go on from, of any name or of this one.
  // All ranks ask.
  bool has_checkpoint() const;
  bool has_checkpoint(const std::string& name) const;
  // Whether this rank itself can see one; others are not asked.
  bool sees_checkpoint() const;
  // Nothing happens where there is none.
  void remove_checkpoint(const std::string& name) const;
  // Throws InputError when damaged, UsageError when it belongs to another run (naming what differs); none when absent.
  // All ranks ask, and all get it.
  std::optional<Trainer::State> load_checkpoint(const std::string& name, const nlohmann::json& identity) const;

 private:
  std::string inside(const std::string& name) const { return path_ + "/" + name; }
  void open_log();
  std::optional<Trainer::State> read_checkpoint(const std::string& name, const nlohmann::json& identity) const;
  void remove_what_was_made() const;
  std::vector<std::string> checkpoints() const;  // paths

  std::string path_;
  Communicator* ranks_ = nullptr;
  bool adds_ = false;                                   // files that were there before stay when an error comes
  bool made_ = false;                                   // the directory was not there before
  int errors_ = 0;                                      // in flight when it was opened
  mutable std::vector<std::string> results_, folders_;  // handed out by file(), made by make_folder()
  const char* open_log_ = "w";                          // how fopen opens log.jsonl when its first line comes
  std::FILE* log_ = nullptr;
};

}  // namespace genexx::tools
