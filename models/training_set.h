// SPDX-License-Identifier: Apache-2.0
// What a run trains on: selected, normalised expression data with labels or targets, and the statistics of each way of
// preparing it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/csr_matrix.h"
#include "engine/dense_matrix.h"

namespace genexx {

// Per-gene numbers fitted on one set of training cells. A gene that this preparation did not select has factor 0 and
// mask 0: it reaches the network as exactly 0 and no loss counts it.
struct Preparation {
  std::vector<float> shift, factor;  // [g]: x = (value - shift) * factor
  std::vector<float> index;          // [g]: discriminant index, 0..1; or empty
  std::vector<float> mask;           // [g]: 1 selected, 0 not; or empty: all are selected
  std::int64_t live_genes = 0;       // how many are selected
};

// Cells that every replica is judged on after each epoch, besides its own validation cells.
struct Monitor {
  std::string name;
  std::vector<std::int64_t> cells;
};

struct TrainingSet {
  // Columns are the genes of the network; `data` or, where the data are dense by nature, `dense`. Either one row for
  // each cell, or, where preparations normalise cells differently, row p * cells + c for cell c as preparation p
  // normalises it (library size and log done).
  CsrMatrix data;
  DenseMatrix dense;
  std::int64_t cells = 0;
  std::vector<std::int32_t> labels;  // [cells], class index, -1 unknown; empty in regression
  std::int64_t classes = 0;
  DenseMatrix targets;  // [cells, t] in regression, else empty
  std::vector<Preparation> preparations;
  std::vector<Monitor> monitors;

  std::int64_t genes() const { return dense.empty() ? data.cols : dense.cols; }
  std::int64_t rows() const { return dense.empty() ? data.rows : dense.rows; }
  // The row of a cell as a preparation normalises it.
  std::int64_t row_of(std::int64_t preparation, std::int64_t cell) const {
    return rows() == cells ? cell : preparation * cells + cell;
  }
};

// One replica: which cells it learns from and is judged on, prepared how, from which seed.
struct ReplicaTask {
  std::int64_t seed = 0;
  std::int64_t preparation = 0;
  std::vector<std::int64_t> train, validation;  // cells
  // How often each cell of `train` is drawn, with replacement, in relation to the others; empty: each once an epoch.
  std::vector<double> cell_weights = {};
  // [classes] weights of the classes in the cross-entropy; empty: all alike. All replicas of a run have them, or none.
  std::vector<float> class_weights = {};
  // Where replicas of one run differ in more than the seed: instead of the phase's and the network's own.
  std::optional<double> learning_rate = std::nullopt, weight_decay = std::nullopt, dropout = std::nullopt;
  // Most epochs of the last phase, where that is fewer than the phase's.
  std::optional<std::int64_t> last_phase_epochs = std::nullopt;
  // Labels this replica learns instead of the set's own, one for each cell of `train`: a control that breaks the bond
  // of data and label. Empty: the set's own.
  std::vector<std::int32_t> train_labels = {};
};

}  // namespace genexx
