// SPDX-License-Identifier: Apache-2.0
// Applies a model to prepared rows: class probabilities averaged over the replicas, and values of inner nodes.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "engine/context.h"
#include "engine/csr_matrix.h"
#include "models/model.h"

namespace genexx {

class Predictor {
 public:
  // Keeps a reference to `model`. `ctx` must outlive the predictor.
  Predictor(Context& ctx, const Model& model, const std::vector<std::uint8_t>& missing_gene);
  ~Predictor();
  Predictor(const Predictor&) = delete;
  Predictor& operator=(const Predictor&) = delete;

  // Softmax averaged over the replicas, then the model's temperature: [rows][classes], row-major. `rows` are normalised
  // by the recipe up to and including log1p, columns in the model's gene order.
  std::vector<float> probabilities(const CsrMatrix& rows);

  // Softmax of each replica, without temperature: [r][rows][classes].
  std::vector<float> replica_probabilities(const CsrMatrix& rows);

  // Output `output` of node `node` of one replica: [rows][width].
  std::vector<float> values(const CsrMatrix& rows, std::int64_t replica, int node, int output);

  // Rows run together: 512 for one replica, fewer for several, so that memory stays the same down to 64 rows.
  static std::int64_t batch_rows(std::int64_t replicas);
  // Bytes the predictor of such a model takes on each of its threads (on CUDA: once), and so `replica_probabilities`
  // beside its result.
  static std::int64_t bytes_per_thread(const Network& network, std::int64_t replicas);

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace genexx
