// SPDX-License-Identifier: Apache-2.0
// Which genes an output of a model owes its value to: integrated gradients and gradient x input, by the exact gradient
// of the output to the network's input.
//   F(x)  the output before softmax, averaged over the replicas, x the input after the recipe; b the baseline
//   integrated gradients   (x - b) * mean over steps of dF/dx at b + a (x - b), a = (k + 1/2) / steps
//   gradient x input       (x - b) * dF/dx at x
// The first sums over genes to F(x) - F(b), up to the error of the midpoint rule: the gradient of a network of ReLUs
// jumps on the way. Cells where it is too large are done again with four times the steps, until it is not. Source:
// Sundararajan, Taly and Yan, "Axiomatic attribution for deep networks", ICML 2017, sections 3 and 5; Shrikumar et al.,
// arXiv 1605.01713.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "engine/context.h"
#include "engine/csr_matrix.h"
#include "models/model.h"

namespace genexx {

enum class Attribution { integrated_gradients, gradient_input };

// What a cell is compared with: the network's input all zero (after a z-score the mean cell of training, after min-max
// scaling each gene's least value), or a cell that expresses nothing, sent through the recipe.
enum class Baseline { zero_input, zero_expression };

struct ExplainerOptions {
  Attribution method = Attribution::integrated_gradients;
  Baseline baseline = Baseline::zero_input;
  std::int64_t steps = 64;         // of integrated gradients
  double tolerance = 1e-3;         // of the sum, relative to F(x) - F(b); cells beyond it get more steps ...
  std::int64_t most_steps = 4096;  // ... up to here
};

class Explainer {
 public:
  // Keeps a reference to `model`; `ctx` must outlive the explainer. `missing_gene` as Predictor takes it. Throws
  // UsageError for less than one step.
  Explainer(Context& ctx, const Model& model, const std::vector<std::uint8_t>& missing_gene,
            const ExplainerOptions& options);
  ~Explainer();
  Explainer(const Explainer&) = delete;
  Explainer& operator=(const Explainer&) = delete;

  struct Explained {
    std::vector<float> attribution;  // [rows, genes], mean over the replicas
    std::vector<double> difference;  // [rows] F(x) - F(b)
  };
  // Row i for output target[i]. `rows` as Predictor::probabilities takes them. The same numbers on any
  // number of threads.
  Explained explain(const CsrMatrix& rows, const std::vector<std::int32_t>& target);

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace genexx
