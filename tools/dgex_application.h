// SPDX-License-Identifier: Apache-2.0
// A D-GEX model, or the models of both halves of its targets, before a file of profiles: genes matched, landmarks
// standardised, targets inferred block by block.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "io/gene_matcher.h"
#include "models/dgex/inference.h"
#include "models/model.h"
#include "tools/application.h"
#include "tools/console.h"
#include "tools/dgex_units.h"

namespace genexx::tools {

struct DgexPredictionOptions {
  std::string standardise = "auto";        // auto, own, model, none
  std::optional<bool> destandardise = {};  // default: as the model was trained
};
void add_dgex_prediction_options(CLI::App& verb, DgexPredictionOptions& options);

// Whether MODEL is of D-GEX: a model file, the directory of a training, or of one that trained both halves.
bool is_dgex(const std::string& model);

class DgexApplication {
 public:
  // Opens model and data and matches the landmarks. Throws RefusedError where too few are found, InputError for halves
  // that do not belong together.
  DgexApplication(const ApplicationOptions& application, const DgexPredictionOptions& options, Console& console);

  const MatrixSource& source() const { return *source_; }
  const GeneMatch& match() const { return match_; }
  const std::vector<Model>& models() const { return models_; }
  const std::vector<std::string>& landmarks() const { return models_.front().recipe.gene_ids; }
  const std::vector<std::string>& targets() const { return targets_; }
  // One for each landmark and then each target; empty where it has none.
  const std::vector<std::string>& symbols() const { return symbols_; }
  int threads() const { return pool_.threads(); }

  struct Block {
    std::int64_t first = 0, rows = 0;
    std::vector<float> landmarks;  // [rows, landmarks] in the units of the output; NaN: the data lack it
    std::vector<float> targets;    // [rows, targets] in the units of the output
    std::vector<float> truth;      // [rows, targets] in the same units, where asked for; NaN: the data lack it
  };
  // Calls use(block) for all profiles in order. Throws RefusedError for values that are not finite, RuntimeError when
  // asked to stop.
  void for_blocks(const std::function<void(const Block&)>& use);
  // The same with the data's own values of the targets. Throws RefusedError where they have none of them.
  void for_blocks_with_truth(const std::function<void(const Block&)>& use);

 private:
  static DgexScaling own_scaling(MatrixSource& source, const GeneMatch& match);
  GeneMatch match_targets();
  void refuse_not_finite(const std::vector<float>& values, const std::vector<std::string>& genes,
                         std::int64_t first) const;
  std::vector<float> input_of(const std::vector<float>& values) const;
  Block block_of(const std::vector<float>& values, std::int64_t first, std::int64_t rows);
  std::vector<float> truth_of(std::vector<float> values, const std::vector<std::uint8_t>& missing,
                              const DgexScaling& scaling) const;

  const ReadingOptions& reading_;
  std::vector<Model> models_;
  ThreadPool pool_;
  std::unique_ptr<Context> ctx_;
  std::unique_ptr<MatrixSource> source_;
  std::vector<std::unique_ptr<dgex::Inference>> inference_;  // of each model
  std::vector<std::string> targets_, target_symbols_, symbols_;
  std::string standardise_;
  bool destandardise_ = false;
  GeneMatch match_;
  std::vector<std::uint8_t> missing_;
  DgexScaling input_, target_;
};

}  // namespace genexx::tools
