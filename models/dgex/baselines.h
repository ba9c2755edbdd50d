// SPDX-License-Identifier: Apache-2.0
// What D-GEX is compared with: linear regression, ridge, lasso and KNN-GE, all fitted from the same moments of the
// training data. Source: Chen et al., Bioinformatics 2016, section 2.3.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/context.h"
#include "engine/thread_pool.h"
#include "models/dgex/row_store.h"

namespace genexx::dgex {

// Sums over the n training profiles, landmarks x [n, l] and targets y [n, t], about their means.
struct Moments {
  std::int64_t profiles = 0, landmarks = 0, targets = 0;
  std::vector<double> mean_x, mean_y;
  std::vector<double> gram;      // [l, l] sum of (x - mean)(x - mean)^T
  std::vector<double> cross;     // [l, t] sum of (x - mean)(y - mean)^T
  std::vector<double> square_y;  // [t]    sum of (y - mean)^2
};

// Two passes over the profiles; products in double on the context's device. Memory: the result twice and 512 profiles.
// Throws ShapeError where x and y differ in rows.
Moments moments(Context& ctx, const RowStore<float>& x, const RowStore<float>& y);

// y = x W + b. All baselines have this form.
struct LinearModel {
  std::int64_t landmarks = 0, targets = 0;
  std::vector<double> weights;    // [l, t]
  std::vector<double> intercept;  // [t]
};

// Minimises sum of squares + penalty * |W|^2, the intercept being free; penalty 0 is linear regression, by the solution
// of least norm where landmarks depend on each other. LDL^T in double.
LinearModel fit_ridge(const Moments& m, double penalty);

// Minimises sum of squares / (2 n) + penalty * |W|_1 by cyclic coordinate descent on the Gram matrix (Friedman, Hastie
// and Tibshirani, J. Stat. Software 33(1), 2010, section 2.2), until no weight of a target moves by over `tolerance`
// times its largest.
struct LassoRequest {
  double penalty = 0.1;
  double tolerance = 1e-6;
  std::int64_t most_sweeps = 10000;
};
LinearModel fit_lasso(const Moments& m, const LassoRequest& request, ThreadPool& pool);

// KNN-GE: a target is the mean of the k landmarks whose training values lie nearest to its own, by Euclidean distance;
// of equally near ones the first. Throws UsageError unless 1 <= k <= landmarks.
LinearModel fit_nearest_genes(const Moments& m, std::int64_t k);

// Predictions for rows [count, l]: [count, t].
std::vector<double> predict(Context& ctx, const LinearModel& model, const float* x, std::int64_t count);

// Mean absolute error of each target over all profiles of x and y: [t].
std::vector<double> gene_errors(Context& ctx, const LinearModel& model, const RowStore<float>& x,
                                const RowStore<float>& y);

// A method's per-gene errors beside those of a baseline.
struct ErrorComparison {
  double mae = 0, mae_sd = 0;  // mean and standard deviation (dividing by n) over genes
  double improvement = 0;      // (mean of the baseline - mae) / mean of the baseline
  double improved_genes = 0;   // share of genes with a smaller error than the baseline's
};
ErrorComparison compare_errors(const std::vector<double>& errors, const std::vector<double>& baseline);

}  // namespace genexx::dgex
