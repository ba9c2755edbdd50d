// SPDX-License-Identifier: Apache-2.0
#include "tools/train_options.h"

#include <filesystem>
#include <fstream>
#include <set>

#include <fmt/format.h>

#include "engine/error.h"
#include "models/config.h"
#include "tools/option_checks.h"

namespace genexx::tools {
namespace {

nlohmann::json read_config_file(const std::string& path) {
  std::ifstream file(path);
  if (!file || std::filesystem::is_directory(path))
    throw InputError("--config " + path + ": cannot be opened for reading, expected a file of JSON");
  std::vector<std::set<std::string>> seen;  // keys of the objects being read
  const auto refuse_repeated = [&](int, nlohmann::json::parse_event_t event, nlohmann::json& value) {
    if (event == nlohmann::json::parse_event_t::object_start) seen.emplace_back();
    if (event == nlohmann::json::parse_event_t::object_end) seen.pop_back();
    if (event == nlohmann::json::parse_event_t::key && !seen.back().insert(value.get<std::string>()).second)
      throw UsageError("--config " + path + ": the key '" + value.get<std::string>() +
                       "' is there twice in one object");
    return true;
  };
  try {
    nlohmann::json json = nlohmann::json::parse(file, refuse_repeated, true, true);  // comments are welcome
    if (json.is_object()) json.erase("$schema");
    return json;
  } catch (const nlohmann::json::exception& error) {
    throw UsageError("--config " + path + ": not JSON: " + error.what());
  }
}

scannonet::Config resolve(const TrainOptions& o, const nlohmann::json& given, scannonet::Config config) {
  if (!o.preset.empty()) scannonet::apply_preset(config, o.preset);
  if (const nlohmann::json* compat = find_dotted(given, "compat"); compat && compat->is_string())
    config.compat = compat->get<std::string>();
  scannonet::apply_compat(config);
  apply_json(config, given);
  scannonet::check(config);
  return config;
}

mlp::Config resolve(const TrainOptions& o, const nlohmann::json& given, mlp::Config config) {
  if (!o.preset.empty()) mlp::apply_preset(config, o.preset);
  apply_json(config, given);
  if (!o.gene_order.empty()) config.gene_order = o.gene_order;
  mlp::check(config);
  return config;
}

}  // namespace

void add_classifier_options(CLI::App& verb, TrainOptions& o) {
  verb.add_option(
          "DATA", o.reading.data,
          "any readable file, a 10x directory; train: dgex also a prepared directory, transbrain a simulated one")
      ->required();
  verb.add_option("--gene-order", o.gene_order,
                  "fly, mlp: GTF, or table of gene, chromosome, start, to order the genes by");
  verb.add_option("--out", o.out, "directory to write to");
  verb.add_option("--preset", o.preset, "settings of a published run, for instance \"Zheng 68K\" or cortical");
  verb.add_option("--config", o.config_file, "JSON file with settings");
  verb.add_option("--set", o.settings, "one setting, key=value; may be repeated")->expected(1)->take_all();
  add_device_options(verb, o.on);
  verb.add_option("--seed", o.seed, "of splits, first weights and the order of cells; replica k uses seed + k")
      ->check(whole_number())
      ->capture_default_str();
  verb.add_option("--unknown-error-rate", o.unknown_error_rate,
                  "error rate on validation the threshold for unknown cells is fitted for")
      ->check(CLI::Range(0.0, 0.99))
      ->capture_default_str();
  verb.add_flag("--resume,!--no-resume", o.resume, "go on from the checkpoint in --out");
  verb.add_flag("--dump-config", o.dump_config, "print the resolved configuration and stop");
  verb.add_flag("--dry-run", o.dry_run, "read, select, split and estimate, but do not train");
  add_rank_options(verb, o.ranks);
  add_reading_options(verb, o.reading);
}

void add_train_options(CLI::App& verb, TrainOptions& o) {
  add_classifier_options(verb, o);
  verb.add_option("--landmarks", o.landmarks, "dgex, one matrix: file with the names of the landmark genes, one a line")
      ->check(CLI::ExistingFile);
  verb.add_option("--model", o.model, "scannonet, fly, dgex, transbrain, or mlp for a network of one's own")
      ->check(CLI::IsMember({"scannonet", "fly", "dgex", "transbrain", "mlp"}))
      ->capture_default_str();
  const CLI::Option* replicas =
      verb.add_option("--replicas", o.replicas,
                      "copies trained together, predictions are their mean (scannonet, transbrain 10, else 1); with "
                      "--folds those of --refit")
          ->check(CLI::Range(1, 10000));
  verb.parse_complete_callback([&o, replicas] {
    o.replicas_given = replicas->count() > 0;
    if (!o.replicas_given) o.replicas = o.model == "scannonet" || o.model == "transbrain" ? 10 : 1;
  });
  verb.add_option("--folds", o.folds, "cross-validation instead of one split")->check(CLI::Range(2, 1000));
  verb.add_flag("--refit,!--no-refit", o.refit, "after --folds train a model on the cells of all folds");
  verb.add_option("--human", o.regions.human, "transbrain: human regions to embed");
  verb.add_option("--mouse", o.regions.mouse, "transbrain: mouse regions to embed");
  verb.add_option("--pairs", o.regions.pairs,
                  "transbrain: csv with human_region and mouse_region, or cortex, subcortex, all");
  verb.add_option("--gene-list", o.regions.gene_list, "transbrain: csv with the column genes, in the network's order");
  verb.add_flag("--skip-absent-pairs", o.regions.skip_absent_pairs,
                "transbrain: leave out pairs whose regions are not in the data");
}

void join_ranks(TrainOptions& o, Program& program) {
  program.ranks.join(o.ranks, program.command_line, program.console);
  o.reading.threads = program.ranks.threads(o.reading.threads);
  o.on.device = program.ranks.device(o.on.device);
}

RunDirectory::Use use_of(const TrainOptions& o) {
  if (o.resume) return RunDirectory::Use::resume;
  return o.reading.overwrite ? RunDirectory::Use::replace : RunDirectory::Use::fresh;
}

void check_options_of_system(const TrainOptions& o) {
  if (!o.gene_order.empty() && o.model != "fly" && o.model != "mlp")
    throw UsageError("--gene-order is for --model fly and mlp; the genes of --model " + o.model + " keep their order");
  const auto refuse = [&](bool given, const char* option, const char* reason) {
    if (given) throw UsageError(fmt::format("{} is not for --model {}: {}; leave it out", option, o.model, reason));
  };
  if (o.model != "dgex") refuse(!o.landmarks.empty(), "--landmarks", "it tells the landmarks of dgex from its targets");
  if (o.model != "transbrain") {
    const char* reason = "it is a file of transbrain";
    refuse(!o.regions.human.empty(), "--human", reason);
    refuse(!o.regions.mouse.empty(), "--mouse", reason);
    refuse(!o.regions.pairs.empty(), "--pairs", reason);
    refuse(!o.regions.gene_list.empty(), "--gene-list", reason);
    refuse(o.regions.skip_absent_pairs, "--skip-absent-pairs", "it has no pairs");
  }
  if (o.model != "dgex") return;
  const char* reason = "its targets are genes, and every profile is one by itself";
  refuse(!o.reading.label_column.empty(), "--label", reason);
  refuse(!o.reading.labels_file.empty(), "--labels", reason);
  refuse(!o.reading.excluded_labels.empty(), "--exclude-label", reason);
  refuse(!o.reading.group_column.empty(), "--group", reason);
  refuse(!o.reading.batch_column.empty(), "--batch", reason);
}

void check_combination(const TrainOptions& o) {
  if (o.refit && o.folds == 0)
    throw UsageError("--refit trains a model after cross-validation: give --folds K with it, or leave it out");
  if (o.folds > 0 && o.replicas_given && !o.refit)
    throw UsageError(
        "--replicas and --folds: each fold is one replica; leave one of them out, or add --refit for a model");
}

nlohmann::json given_settings(const TrainOptions& o) {
  nlohmann::json given = o.config_file.empty() ? nlohmann::json::object() : read_config_file(o.config_file);
  if (!given.is_object()) throw UsageError("--config " + o.config_file + ": expected a JSON object");
  for (const std::string& setting : o.settings) {
    auto parsed = parse_setting(setting);
    set_dotted(given, parsed.first, std::move(parsed.second));
  }
  return given;
}

SystemConfig resolve_config(const TrainOptions& o) { return resolve_config(o, given_settings(o)); }

SystemConfig resolve_config(const TrainOptions& o, const nlohmann::json& given) {
  if (o.model == "scannonet") return {o.model, resolve(o, given, scannonet::Config())};
  return {o.model, resolve(o, given, mlp::Config())};
}

scannonet::Config resolve_scannonet_config(const TrainOptions& o) {
  return resolve(o, given_settings(o), scannonet::Config());
}

nlohmann::json to_json(const SystemConfig& config) {
  return std::visit([](const auto& c) { return to_json_config(c); }, config.settings);
}

CellInput preparation_input(const Dataset& data, const ReadingOptions& reading) {
  return {.matrix = data.matrix,
          .genes = data.genes,
          .labels = data.labels,
          .groups = codes_of(*data.source, reading.group_column),
          .batches = codes_of(*data.source, reading.batch_column),
          .input = data.kind == MatrixKind::counts   ? Recipe::InputKind::counts
                   : data.kind == MatrixKind::scaled ? Recipe::InputKind::scaled
                                                     : Recipe::InputKind::log_normalized,
          .other_names = data.other_names};
}

void say_what_is_skipped(const CellInput& input, Console& console) {
  if (input.input == Recipe::InputKind::log_normalized)
    console.say("the values are log-normalised already: library size and logarithm are skipped");
}

}  // namespace genexx::tools
