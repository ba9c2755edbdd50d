// SPDX-License-Identifier: Apache-2.0
// Every setting of a scAnnoNet run, with its default. Values the published program fixed are its defaults, save where
// the comment says why not; "compat": "reference" brings its accidents back.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace genexx::scannonet {

struct Config {
  std::string compat = "none";
  std::int64_t batch = 0;
  std::int64_t pretrain_epochs = 20;
  double pretrain_learning_rate = 0.1;
  std::int64_t epochs = 100;
  double learning_rate = 1e-3;
  double discriminative_weight = 1000;
  double collinearity_weight = 1;
  double dropout = 0.5;
  std::string oversampling = "auto";
  double lr_decay = 0.99;
  std::int64_t lr_decay_steps = 20;
  std::string moments = "fp32";
  double label_smoothing = 0;
  std::string keep = "best";
  std::int64_t patience = 50;
  std::string retrain = "auto";
  std::int64_t squeeze_width = 20, hidden_width = 128, embedding_width = 64;
  std::string fit_on = "train";
  std::int64_t min_class_cells = 10;
  double min_gene_counts = 0;
  double min_cell_counts = 3;
  std::int64_t variable_genes = 4000;
  std::int64_t markers_per_class = 20;
  double min_log2_fold_change = 1;
  double max_p_value = 0.05;
  std::string split = "stratified";
  double validation_fraction = 0.1, test_fraction = 0.1;
  std::int64_t leading_test_cells = 0;

  template <class V>
  void visit(V& v) {
    v.choice("compat", compat, {"none", "reference"}, "reference: reproduce the accidents of the published program");
    v.field("train.batch", batch, "rows of a step; 0: 256, less for small data");
    v.field("train.pretrain_epochs", pretrain_epochs, "epochs of gate pre-training");
    v.field("train.pretrain_learning_rate", pretrain_learning_rate, "Adam's rate in pre-training");
    v.field("train.epochs", epochs, "most epochs of classification training");
    v.field("train.learning_rate", learning_rate, "Adam's rate in classification training");
    v.field("train.discriminative_weight", discriminative_weight, "w1, of the LDF loss");
    v.field("train.collinearity_weight", collinearity_weight, "w2, of the CFC loss");
    v.field("train.dropout", dropout, "rate in all three places");
    v.choice("train.oversampling", oversampling, {"auto", "yes", "no"}, "draw cells with replacement, classes equally");
    v.field("train.lr_decay", lr_decay, "factor of the learning rate ...");
    v.field("train.lr_decay_steps", lr_decay_steps, "... every so many steps");
    v.choice("train.moments", moments, {"fp32", "bf16"},
             "how the optimizer's moments are stored; bf16: rounded at random");
    v.field("train.label_smoothing", label_smoothing, "of the cross-entropy");
    v.choice("train.keep", keep, {"best", "last"}, "weights of the best validation, or of the last epoch");
    v.field("train.patience", patience, "stop a replica after so many epochs without a better validation; 0: never");
    v.choice("train.retrain", retrain, {"auto", "yes", "no"},
             "train once more with the validation cells, as long as they chose; auto: where they are below 100");
    v.field("network.squeeze", squeeze_width, "width of the gate's waist");
    v.field("network.hidden", hidden_width, "width of the first hidden layer");
    v.field("network.embedding", embedding_width, "width of the embedding");
    v.choice("select.fit_on", fit_on, {"train", "all"}, "cells that gene selection and scaling are fitted on");
    v.field("select.min_class_cells", min_class_cells, "smaller classes are dropped");
    v.field("select.min_gene_counts", min_gene_counts,
            "least total count of a gene; 0: scaled with the data, 3 to 1000");
    v.field("select.min_cell_counts", min_cell_counts, "least total count of a cell");
    v.field("select.variable_genes", variable_genes, "highly variable genes kept");
    v.field("select.markers_per_class", markers_per_class, "most markers of a class");
    v.field("select.min_log2_fold_change", min_log2_fold_change, "of a marker");
    v.field("select.max_p_value", max_p_value, "of a gene co-expressed with a marker");
    v.choice("split.kind", split, {"stratified", "random", "leading", "batch"},
             "how cells are dealt to the three parts");
    v.field("split.validation", validation_fraction, "part of the cells for validation");
    v.field("split.test", test_fraction, "part of the cells for testing");
    v.field("split.leading_test_cells", leading_test_cells, "split.kind leading: so many first cells are the test set");
  }
};

// Settings of the published runs, by the names of their table ("Zheng 68K"). Sets batch, learning rate, w1,
// oversampling, and how the data set was split. Throws UsageError naming all presets.
void apply_preset(Config& config, const std::string& name);
std::vector<std::string> preset_names();

// With compat = reference: random split, selection on all cells, fixed gene filter, last weights, no early stopping.
// Called before the user's own settings, which win.
void apply_compat(Config& config);

// Throws UsageError naming the field that is out of range.
void check(const Config& config);

}  // namespace genexx::scannonet
