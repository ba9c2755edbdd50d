// SPDX-License-Identifier: Apache-2.0
// Every setting of a TransBrain run, with its default. Values the published program fixed are its defaults, save where
// the comment says why not; "compat": "reference" brings its accidents back. Source: spec, sections 2, 4 and 8.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace genexx::transbrain {

struct Config {
  std::string compat = "none";
  std::int64_t batch = 256;
  std::int64_t epochs = 50;
  double learning_rate = 6e-5;
  double weight_decay = 1e-6;
  double lr_decay = 0.8;
  std::int64_t lr_decay_epochs = 20;
  std::string moments = "fp32";
  double dropout = 0.1;
  std::int64_t patience = 5;
  bool shuffle_labels = false;
  double worst_kept_loss = 0, worst_kept_rank = 0;
  std::int64_t inputs = 0, outputs = 0;
  std::int64_t hidden1 = 500, hidden2 = 500, hidden3 = 500;
  double validation_fraction = 0.1;
  std::string chosen = "best_valid";
  bool embed_every_epoch = false;
  std::int64_t permutations = 10000;

  template <class V>
  void visit(V& v) {
    v.choice("compat", compat, {"none", "reference"}, "reference: reproduce the accidents of the published program");
    v.field("train.batch", batch,
            "rows of a step; the last, short batch of an epoch is dropped where there is a full one");
    v.field("train.epochs", epochs, "most epochs");
    v.field("train.learning_rate", learning_rate, "AdamW's rate");
    v.field("train.weight_decay", weight_decay, "AdamW's decay, of every parameter");
    v.field("train.lr_decay", lr_decay, "factor of the learning rate ...");
    v.field("train.lr_decay_epochs", lr_decay_epochs, "... every so many epochs");
    v.choice("train.moments", moments, {"fp32", "bf16"},
             "how the optimizer's moments are stored; bf16: rounded at random");
    v.field("train.dropout", dropout, "share of the samples whose whole embedding is dropped in a step");
    v.field("train.patience", patience,
            "stop a repeat after so many epochs without a better validation loss; 0: never");
    v.field("train.shuffle_labels", shuffle_labels, "permute the training labels: the control of a random classifier");
    v.field("train.worst_kept_loss", worst_kept_loss, "keep no best-valid model above this loss; 0: no such limit");
    v.field("train.worst_kept_rank", worst_kept_rank, "keep no best-rank model above this mean rank; 0: no such limit");
    v.field("network.inputs", inputs, "genes the gene list must have; 0: as many as it has");
    v.field("network.outputs", outputs, "regions the training file must have; 0: as many as it has");
    v.field("network.hidden1", hidden1, "width of the first hidden layer");
    v.field("network.hidden2", hidden2, "width of the second");
    v.field("network.hidden3", hidden3, "width of the third, which is the embedding");
    v.field("split.validation", validation_fraction, "part of the tissue samples of each region, at least one");
    v.choice("embed.model", chosen, {"best_valid", "best_rank", "last"},
             "whose weights are the model and embed regions");
    v.field("embed.every_epoch", embed_every_epoch, "write the embeddings after every epoch too");
    v.field("homology.permutations", permutations, "of the test of the mean rank; 0: no test");
  }
};

// The published models: "cortical" (4542 genes, 105 regions), "subcortical" (5063, 22), "shared" (5451, 127). They fix
// the sizes the data must have; everything else is the default. Throws UsageError naming all presets.
void apply_preset(Config& config, const std::string& name);
std::vector<std::string> preset_names();

// With compat = reference: no best-valid model above a loss of 4 and no best-rank model above a mean rank of 20, as the
// published program begins with these as the best so far. Called before the user's own settings, which win.
void apply_compat(Config& config);

// Throws UsageError naming the field that is out of range.
void check(const Config& config);

}  // namespace genexx::transbrain
