// SPDX-License-Identifier: Apache-2.0
// Applying a model to a file: genes matched, the recipe applied, rows streamed through the network in blocks.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "io/gene_matcher.h"
#include "models/model.h"
#include "models/predictor.h"
#include "tools/dataset.h"
#include "tools/device_options.h"

namespace genexx::tools {

// Reads a model file, or model.safetensors of a training directory. Throws InputError for what is not one.
Model read_model(const std::string& given);

// Options that predict, evaluate and embed share.
struct ApplicationOptions {
  ReadingOptions reading;
  DeviceOptions on;
  std::string model, missing_genes;
};
// Refuses what must not be written over: files that are there without --overwrite, and the data in any case. Throws
// UsageError.
void check_missing_genes_file(const ApplicationOptions& options);

void add_application_options(CLI::App& verb, ApplicationOptions& options);

class Application {
 public:
  // Opens the data and matches its genes. Throws RefusedError under --min-overlap and for values of another kind than
  // the model was trained on.
  Application(const ApplicationOptions& options, Console& console);
  ~Application();

  const Model& model() const { return model_; }
  const MatrixSource& source() const { return *source_; }
  const GeneMatch& match() const { return match_; }

  // Calls use(predictor, rows, first_row) for block after block, rows normalised and in the model's gene order.
  void for_blocks(const std::function<void(Predictor&, const CsrMatrix&, std::int64_t)>& use);

 private:
  CsrMatrix prepare(const CsrMatrix& block) const;
  Console& console_;
  const ApplicationOptions& options_;
  Model model_;
  std::unique_ptr<MatrixSource> source_;
  GeneMatch match_;    // of the model's genes
  GeneMatch library_;  // of the genes that library size counts; empty where it is not a step
  std::vector<std::int32_t> gene_of_column_, library_of_column_;  // of the columns that are read
  enum class Values { counts, natural_log, log2, as_they_are } values_ = Values::as_they_are;
  bool sizes_libraries_ = false;
};

}  // namespace genexx::tools
