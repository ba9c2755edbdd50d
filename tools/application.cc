// SPDX-License-Identifier: Apache-2.0
#include "tools/application.h"

#include <cmath>
#include <filesystem>
#include <numeric>
#include <unordered_map>

#include <fmt/format.h>

#include "engine/error.h"
#include "io/safetensors.h"
#include "io/value_check.h"
#include "models/library_size.h"
#include "tools/output_place.h"
#include "tools/stop_signal.h"
#include "tools/train_options.h"

namespace genexx::tools {
namespace {

constexpr std::int64_t kBlockRows = 4096;

std::vector<GeneNaming> namings(const std::vector<std::string>& ids, const std::vector<std::string>& symbols) {
  std::vector<GeneNaming> all = {{"model genes", ids}};
  if (!symbols.empty()) all.push_back({"model symbols", symbols});
  return all;
}

const char* name_of(Recipe::InputKind kind) {
  switch (kind) {
    case Recipe::InputKind::counts:
      return "counts";
    case Recipe::InputKind::log_normalized:
      return "log-normalised values";
    case Recipe::InputKind::scaled:
      return "scaled values";
  }
  return "?";
}

}  // namespace

Model read_model(const std::string& given) {
  const std::string path = std::filesystem::is_directory(given) ? given + "/model.safetensors" : given;
  if (path != given && !std::filesystem::exists(path)) {
    if (std::filesystem::exists(given + "/first/model.safetensors"))
      throw InputError(given +
                       ": the directory holds the models of two halves of D-GEX's targets; give one of them, in its "
                       "first/ and second/");
    throw InputError(given +
                     ": the directory holds no model.safetensors; is it the --out of a finished training (with "
                     "--folds, a model is written only with --refit)?");
  }
  SafetensorsFile file = read_safetensors(path);
  try {
    return model_from({std::move(file.tensors), std::move(file.metadata)});
  } catch (const InputError& error) {
    throw InputError(path + ": " + error.what());
  }
}

void add_application_options(CLI::App& verb, ApplicationOptions& o) {
  verb.add_option("MODEL", o.model, "a model.safetensors, or the directory of a training")->required();
  verb.add_option("DATA", o.reading.data, "any readable file or a 10x directory")->required();
  add_device_options(verb, o.on);
  verb.add_option("--missing-genes", o.missing_genes, "write the model's genes that the data lack to this file");
  add_reading_options(verb, o.reading);
}

void check_missing_genes_file(const ApplicationOptions& o) {
  if (o.missing_genes.empty()) return;
  std::error_code error;
  if (std::filesystem::equivalent(o.missing_genes, o.reading.data, error))
    throw UsageError("--missing-genes " + o.missing_genes + " is the data file itself; choose another name");
  expect_output(o.missing_genes, o.reading.overwrite);
}

Application::Application(const ApplicationOptions& options, Console& console)
    : console_(console), options_(options), model_(read_model(options.model)) {
  check_missing_genes_file(options);
  if (model_.system == "dgex")
    throw UsageError(options.model +
                     ": the model infers expression and has no classes or labels; use genexx predict or evaluate");
  MatrixKindReport kind;
  source_ = open_source(options.reading, console, kind);
  expect_known_kind(kind, options.reading);
  console.say(fmt::format("{}: {} cells, {} genes; {}; {} ({})", options.reading.data, source_->rows(), source_->cols(),
                          source_->description(), genexx::name_of(kind.kind), kind.evidence));
  warn_of_repeated_names(*source_, console);
  const Recipe& recipe = model_.recipe;
  const bool counts_model = recipe.input == Recipe::InputKind::counts;
  if ((kind.kind == MatrixKind::scaled) != (recipe.input == Recipe::InputKind::scaled) ||
      (kind.kind == MatrixKind::counts && !counts_model))
    throw RefusedError(options.reading.data + ": the values look like " + genexx::name_of(kind.kind) + " (" +
                       kind.evidence + "), but the model was trained on " + name_of(recipe.input) +
                       "; choose another matrix with --matrix, or "
                       "say what they are with --input-kind");
  if (kind.kind == MatrixKind::counts) values_ = Values::counts;
  if (kind.kind == MatrixKind::log1p) values_ = Values::natural_log;
  if (kind.kind == MatrixKind::log2p1) values_ = Values::log2;
  if (counts_model && values_ != Values::counts)
    console.say("the values are log-normalised already: library size and logarithm are skipped");

  GeneMatchOptions rule;
  rule.min_overlap = options.reading.min_overlap;
  rule.missing_file = options.missing_genes;
  if (options.reading.duplicates == "first") rule.duplicates = DuplicateGenes::first;
  if (options.reading.duplicates == "error" || (options.reading.duplicates == "auto" && values_ != Values::counts))
    rule.duplicates = DuplicateGenes::error;
  const std::vector<GeneNaming> data = gene_namings(*source_), model = namings(recipe.gene_ids, recipe.gene_symbols);
  match_ = match_genes(data, model, rule);
  console.say(match_.description);
  gene_of_column_.resize(recipe.gene_ids.size());
  std::iota(gene_of_column_.begin(), gene_of_column_.end(), 0);
  sizes_libraries_ = values_ == Values::counts && recipe.library_genes() > 0;
  if (!sizes_libraries_) return;
  rule.min_overlap = 0;
  rule.missing_file.clear();
  library_ = match_genes(data, namings(recipe.library_gene_ids, recipe.library_gene_symbols), rule);
  std::unordered_map<std::string, std::int32_t> gene;
  for (std::size_t i = 0; i < recipe.gene_ids.size(); ++i) gene[recipe.gene_ids[i]] = static_cast<std::int32_t>(i);
  gene_of_column_.assign(recipe.library_gene_ids.size(), -1);
  std::vector<std::uint8_t> missing = library_.missing_mask();
  for (std::size_t l = 0; l < recipe.library_gene_ids.size(); ++l) {
    const auto found = gene.find(recipe.library_gene_ids[l]);
    if (found != gene.end()) gene_of_column_[l] = found->second;
    library_of_column_.push_back(missing[l] ? -1 : static_cast<std::int32_t>(l));
  }
}

Application::~Application() = default;

CsrMatrix Application::prepare(const CsrMatrix& block) const {
  std::vector<float> factor;
  if (sizes_libraries_) factor = library_factors(block, model_.recipe, 0, library_of_column_);
  if (values_ == Values::log2) factor.assign(static_cast<std::size_t>(block.rows), static_cast<float>(std::log(2.0)));
  return normalised(block, gene_of_column_, model_.recipe.genes(), factor,
                    values_ == Values::counts && model_.recipe.log1p ? Logarithm::yes : Logarithm::no);
}

void Application::for_blocks(const std::function<void(Predictor&, const CsrMatrix&, std::int64_t)>& use) {
  ThreadPool pool(thread_count(options_.reading));
  const std::unique_ptr<Context> ctx = device_context(options_.on, pool);
  Predictor predictor(*ctx, model_, match_.missing_mask());
  if (options_.reading.time_limit > 0) set_time_limit(options_.reading.time_limit);
  MatchedSource rows(*source_, sizes_libraries_ ? library_ : match_);
  const ValueNames names = {source_->description(), source_->cell_names(),
                            sizes_libraries_ ? model_.recipe.library_gene_ids : model_.recipe.gene_ids};
  const ValueRule rule = values_ == Values::as_they_are ? ValueRule::finite : ValueRule::non_negative;
  CsrMatrix block;
  std::int64_t done = 0;
  while (rows.next(block, kBlockRows)) {
    if (stop_requested())
      throw RuntimeError(std::string("stopped by ") + stop_reason() + " after " + std::to_string(done) + " cells");
    check_values(block, done, names, rule);
    use(predictor, prepare(block), done);
    done += block.rows;
    console_.show_progress(done, source_->rows(), "cells");
  }
  console_.end_progress();
}

}  // namespace genexx::tools
