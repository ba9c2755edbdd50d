// SPDX-License-Identifier: Apache-2.0
// Every setting of a classifier built of fully connected layers, with its default. Two systems share it: `fly`, whose
// defaults are those of the fly-brain report where the data allow them, and `mlp`, for a network of one's own.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace genexx::mlp {

struct Config {
  std::vector<std::int64_t> widths;
  std::vector<std::int64_t> conv_channels, conv_width = {9}, conv_stride = {1}, conv_pool = {2};
  std::string conv_pooling = "max", conv_ends = "zeros";
  std::string activation = "relu";
  bool batch_norm = true;
  double dropout = 0.2;
  std::int64_t batch = 0;
  std::int64_t epochs = 0;
  std::string optimizer = "adam";
  double learning_rate = 0;
  double weight_decay = 1e-3;
  double momentum = 0.9;
  double lr_decay = 1;
  std::int64_t lr_decay_epochs = 20;
  std::string moments = "fp32";
  double label_smoothing = 0;
  std::string loss = "cross_entropy";
  bool oversampling = false;
  std::string keep = "best";
  std::int64_t patience = 50;
  bool library_size = false;
  bool logarithm = true;
  std::string scaling = "min_max";
  std::int64_t min_class_cells = 0;
  std::int64_t min_gene_cells = 1;
  std::vector<std::string> unknown_labels = {"unknown", "Unknown", "unannotated", "Unannotated", "unassigned", "NA"};
  double augment_share = 0, augment_keep = 1, augment_mix_up = 0;
  std::string gene_order;
  double least_ordered_genes = 0.5;
  std::string split = "stratified";
  double validation_fraction = 0.15, test_fraction = 0.15;

  template <class V>
  void visit(V& v) {
    v.field("network.widths", widths, "units of each hidden layer; []: two layers, as wide as the data can teach");
    v.field("network.convolution.channels", conv_channels,
            "filters of each convolution along the genes, before the hidden layers; []: none");
    v.field("network.convolution.width", conv_width, "positions of a filter; one for all layers, or one for each");
    v.field("network.convolution.stride", conv_stride, "positions from one window to the next, likewise");
    v.field("network.convolution.pool", conv_pool, "neighbouring positions pooled into one after each layer, likewise");
    v.choice("network.convolution.pooling", conv_pooling, {"max", "average"}, "what becomes of them");
    v.choice("network.convolution.ends", conv_ends, {"zeros", "inside"},
             "whether windows reach beyond the first and last gene");
    v.choice("network.activation", activation, {"relu", "tanh", "sigmoid"}, "after every hidden layer");
    v.field("network.batch_norm", batch_norm, "before the activation of every hidden layer");
    v.field("network.dropout", dropout, "rate after every hidden layer");
    v.field("train.batch", batch, "rows of a step; 0: 128, less for small data");
    v.field("train.epochs", epochs, "most epochs of training; 0: 30, more for small data");
    v.choice("train.optimizer", optimizer, {"adam", "adamw", "sgd"}, "adam: weight decay as L2 in the gradient");
    v.field("train.learning_rate", learning_rate, "0: falls with the width of the widest layer");
    v.field("train.weight_decay", weight_decay, "of all parameters");
    v.field("train.momentum", momentum, "of sgd");
    v.field("train.lr_decay", lr_decay, "factor of the learning rate ...");
    v.field("train.lr_decay_epochs", lr_decay_epochs, "... every so many epochs");
    v.choice("train.moments", moments, {"fp32", "bf16"},
             "how the optimizer's moments are stored; bf16: rounded at random");
    v.choice("train.loss", loss, {"cross_entropy", "weighted_cross_entropy"},
             "weighted: every class counts alike, however many cells it has");
    v.field("train.label_smoothing", label_smoothing, "of the cross-entropy");
    v.field("train.oversampling", oversampling, "draw cells with replacement, classes equally");
    v.choice("train.keep", keep, {"best", "last"}, "weights of the best validation, or of the last epoch");
    v.field("train.patience", patience, "stop a replica after so many epochs without a better validation; 0: never");
    v.field("prepare.library_size", library_size, "bring every cell to the median count of the training cells first");
    v.field("prepare.logarithm", logarithm, "ln(1 + x) of counts");
    v.choice("prepare.scaling", scaling, {"min_max", "z_score", "none"}, "of each gene, fitted on the training cells");
    v.field("prepare.gene_order", gene_order, "GTF, or table of gene, chromosome, start, to order the genes by");
    v.field("prepare.least_ordered_genes", least_ordered_genes, "part of the genes that the gene order must have");
    v.field("augment.share", augment_share,
            "classes below this part of the largest are raised to it by synthetic training cells; 0: none");
    v.field("augment.keep", augment_keep, "part of a synthetic cell's counts that is kept, each drawn; 1: all");
    v.field("augment.mix_up", augment_mix_up,
            "synthetic cells lie between two of their class, by Beta(this, this); 0: they are one cell's");
    v.field("select.min_class_cells", min_class_cells, "smaller classes are dropped; 0: 50, less for small data");
    v.field("select.min_gene_cells", min_gene_cells, "a gene must be found in so many training cells");
    v.field("select.unknown_labels", unknown_labels, "labels that mean no known type: their cells are left out");
    v.choice("split.kind", split, {"stratified", "random"}, "how cells are dealt to the three parts");
    v.field("split.validation", validation_fraction, "part of the cells for validation");
    v.field("split.test", test_fraction, "part of the cells for testing");
  }
};

// The settings of the report's best network: 2 layers of 8192, rate 1e-6, classes of at least 50 cells, 30 epochs.
// Throws UsageError naming all presets.
void apply_preset(Config& config, const std::string& name);
std::vector<std::string> preset_names();

// The value of layer `k` in a list that holds one for all layers, or one for each.
inline std::int64_t of_layer(const std::vector<std::int64_t>& values, std::size_t k) {
  return values.size() == 1 ? values[0] : values[k];
}

// Throws UsageError naming the field that is out of range.
void check(const Config& config);

// Replaces what is 0 or [] by what `cells` labelled cells allow, before cells are split.
Config resolved(Config config, std::int64_t cells);

}  // namespace genexx::mlp
