// SPDX-License-Identifier: Apache-2.0
#include "tools/run_directory.h"

#include <cerrno>
#include <chrono>
#include <cstring>
#include <exception>
#include <filesystem>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include "engine/error.h"
#include "engine/tensor_packing.h"
#include "io/atomic_file.h"
#include "io/safetensors.h"
#include "tools/output_place.h"

namespace genexx::tools {
namespace {

constexpr const char* kFolder = "checkpoint";
constexpr const char* kExtension = ".safetensors";

std::string checkpoint(const std::string& name) { return std::string(kFolder) + "/" + name + kExtension; }

std::string text_of(const nlohmann::json& json, int indent) {
  return json.dump(indent, ' ', false, nlohmann::json::error_handler_t::replace);
}

// Files and folders that trainings and evaluations leave, of every system.
constexpr const char* kResults[] = {"model.safetensors", "metrics.json",    "report.html",
                                    "predictions.tsv",   "history.tsv",     "split.json",
                                    "config.json",       "gene_list.csv",   "feature_list.csv",
                                    "result.csv",        "errors.tsv",      "log.jsonl",
                                    "log.tsv",           "correlation.csv", "ranks.csv",
                                    "components.csv",    "summary.json",    "human_correlation.csv",
                                    "tune.tsv",          "tune.json",       "tune_history.tsv",
                                    "best.json",         "confusion.csv"};
constexpr const char* kResultFolders[] = {"checkpoint", "refit", "first", "second"};

// Of D-GEX and TransBrain, whose names go on with a set, a replica or a data set.
bool is_numbered_result(const std::string& name) {
  const auto begins = [&](const char* prefix) { return name.rfind(prefix, 0) == 0; };
  return begins("bestva_") || begins("best1000G_") || begins("log_") || begins("Data_");
}

// Whatever a run left in the directory; files of other names stay.
void remove_results(const std::string& path) {
  std::error_code error;
  for (const char* name : kResults) std::filesystem::remove(path + "/" + name, error);
  for (const char* name : kResultFolders) std::filesystem::remove_all(path + "/" + name, error);
  std::vector<std::filesystem::path> numbered;
  for (const auto& entry : std::filesystem::directory_iterator(path, error))
    if (is_numbered_result(entry.path().filename().string())) numbered.push_back(entry.path());
  for (const std::filesystem::path& entry : numbered) std::filesystem::remove_all(entry, error);
}

}  // namespace

void RunDirectory::expect(const std::string& path, Use use) {
  std::error_code error;
  const bool there = std::filesystem::exists(path);
  if (there && !std::filesystem::is_directory(path))
    throw UsageError(path + " is a file, expected a directory to write to");
  if (use == Use::fresh && there && !std::filesystem::is_empty(path, error))
    throw UsageError(path +
                     " is there already and not empty; choose another --out, or give --overwrite, or --resume to go "
                     "on with a training");
  expect_place(path);
}

RunDirectory::RunDirectory(const std::string& path, Use use, Communicator* ranks)
    : path_(path), ranks_(ranks), adds_(use == Use::add), errors_(std::uncaught_exceptions()) {
  if (!is_writer()) return;
  expect(path, use);
  std::error_code error;
  if (use == Use::replace && std::filesystem::exists(path)) remove_results(path);
  made_ = std::filesystem::create_directories(path, error);
  if (error) throw RuntimeError(path + ": cannot be made: " + error.message());
  open_log_ = use == Use::resume ? "a" : "w";
}

void RunDirectory::open_log() {
  log_ = std::fopen(inside("log.jsonl").c_str(), open_log_);
  if (!log_) throw RuntimeError(inside("log.jsonl") + ": cannot be opened for writing: " + std::strerror(errno));
}

RunDirectory::~RunDirectory() {
  if (log_) std::fclose(log_);
  if (is_writer() && std::uncaught_exceptions() > errors_) remove_what_was_made();
}

std::string RunDirectory::file(const std::string& name) const {
  if (!adds_ || !std::filesystem::exists(inside(name))) results_.push_back(name);
  return inside(name);
}

void RunDirectory::remove_what_was_made() const {
  std::error_code error;
  for (const std::string& name : results_) std::filesystem::remove(inside(name), error);
  if (sees_checkpoint()) return;
  std::filesystem::remove(inside("log.jsonl"), error);
  for (auto folder = folders_.rbegin(); folder != folders_.rend(); ++folder)
    for (std::filesystem::path p = inside(*folder); p != path_ && std::filesystem::remove(p, error);)
      p = p.parent_path();
  if (made_) std::filesystem::remove(path_, error);
}

void RunDirectory::write(const std::string& name, const std::string& text) const {
  if (is_writer()) write_file_atomically(file(name), text);
}

void RunDirectory::write_json(const std::string& name, const nlohmann::json& json) const {
  write(name, text_of(json, 1) + "\n");
}

void RunDirectory::log(const std::string& event, nlohmann::json fields) {
  if (!is_writer()) return;
  fields["event"] = event;
  fields["time"] =
      fmt::format("{:%FT%TZ}", fmt::gmtime(std::chrono::system_clock::to_time_t(std::chrono::system_clock::now())));
  if (!log_) open_log();
  const std::string line = text_of(fields, -1) + "\n";
  if (std::fwrite(line.data(), 1, line.size(), log_) != line.size() || std::fflush(log_) != 0)
    throw RuntimeError("cannot write " + inside("log.jsonl") + " (" + std::to_string(line.size()) +
                       " bytes): " + std::strerror(errno) + "; free some space or choose another place");
}

void RunDirectory::make_folder(const std::string& name) const {
  if (!is_writer()) return;
  std::error_code error;
  folders_.push_back(name);
  std::filesystem::create_directories(inside(name), error);
  if (error) throw RuntimeError(inside(name) + ": cannot be made: " + error.message());
}

void RunDirectory::save_checkpoint(const std::string& name, Trainer::State state,
                                   const nlohmann::json& identity) const {
  if (!is_writer()) return;
  make_folder(kFolder);
  SafetensorsFile out;
  out.tensors = std::move(state.tensors);
  out.metadata["state"] = std::move(state.json);
  out.metadata["identity"] = text_of(identity, -1);
  write_safetensors(inside(checkpoint(name)), out);
}

std::vector<std::string> RunDirectory::checkpoints() const {
  std::vector<std::string> paths;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(inside(kFolder), error))
    if (entry.path().extension() == kExtension) paths.push_back(entry.path().string());
  return paths;
}

bool RunDirectory::sees_checkpoint() const { return !checkpoints().empty(); }

bool RunDirectory::has_checkpoint() const {
  const bool seen = is_writer() && sees_checkpoint();
  return ranks() ? ranks_->broadcast_flag(seen) : seen;
}

bool RunDirectory::has_checkpoint(const std::string& name) const {
  const bool seen = is_writer() && std::filesystem::exists(inside(checkpoint(name)));
  return ranks() ? ranks_->broadcast_flag(seen) : seen;
}

void RunDirectory::remove_checkpoint(const std::string& name) const {
  if (!is_writer()) return;
  std::error_code error;
  std::filesystem::remove(inside(checkpoint(name)), error);
  if (error) throw RuntimeError(inside(checkpoint(name)) + ": cannot be removed: " + error.message());
}

std::optional<Trainer::State> RunDirectory::load_checkpoint(const std::string& name,
                                                            const nlohmann::json& identity) const {
  std::optional<Trainer::State> state;
  if (is_writer()) state = read_checkpoint(name, identity);
  if (!ranks() || !ranks_->broadcast_flag(state.has_value())) return state;
  if (!state) state.emplace();
  state->json = ranks_->broadcast_text(state->json);
  std::vector<std::byte> tensors;
  if (is_writer()) tensors = pack_tensors(state->tensors);
  tensors = ranks_->broadcast_bytes(std::move(tensors));
  if (!is_writer()) state->tensors = unpack_tensors(tensors);
  return state;
}

std::optional<Trainer::State> RunDirectory::read_checkpoint(const std::string& name,
                                                            const nlohmann::json& identity) const {
  const std::string path = inside(checkpoint(name));
  if (!std::filesystem::exists(path)) return std::nullopt;
  SafetensorsFile in = read_safetensors(path, Checksums::required);
  const nlohmann::json other = nlohmann::json::parse(in.metadata["identity"], nullptr, false);
  for (const auto& [key, value] : identity.items())
    if (!other.is_object() || other.value(key, nlohmann::json()) != value)
      throw UsageError(path + " belongs to another run: its " + key +
                       " differs; resume with the options and the "
                       "data it was started with, or start anew with --overwrite");
  return Trainer::State{std::move(in.tensors), in.metadata["state"]};
}

}  // namespace genexx::tools
