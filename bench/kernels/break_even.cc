// SPDX-License-Identifier: Apache-2.0
// The first layer on stored values against the same cells made dense and multiplied, over densities: from which density
// on is dense faster? At the fly classifier's sizes on a GPU, at smaller ones on the CPU.
#include <fmt/format.h>

#include "bench/support/bench.h"
#include "bench/support/stored_cells.h"
#include "kernels/ingest.h"
#include "kernels/linear.h"
#include "kernels/sparse_linear.h"

namespace genexx::bench {
namespace {

struct Layer {
  std::int64_t cells, genes, out;
};

void add_density(Suite& suite, const Layer& l, double percent) {
  Context& ctx = suite.context();
  const auto stored = static_cast<std::int64_t>(0.01 * percent * static_cast<double>(l.genes));
  const ExpressionData data = stored_cells(suite, l.cells, l.genes, stored);
  const Tensor rows = all_rows(suite, l.cells), factor = suite.random({1, l.genes}), shift = suite.random({1, l.genes});
  const Tensor w = suite.random({1, l.out, l.genes}), b = suite.random({1, l.out});
  const Tensor dense = suite.output({1, l.cells, l.genes}), y = suite.output({1, l.cells, l.out});
  const double weights = 4.0 * static_cast<double>(l.genes * l.out);
  const std::string at = fmt::format("density {}%", percent);
  const sparse_linear::Input input = {.data = data, .rows = rows, .factor = factor};
  suite.add({"break_even", at + " stored", weights, 2.0 * static_cast<double>(l.cells * stored * l.out),
             [=, &ctx] { sparse_linear::forward(ctx, {.x = input, .weight = w, .bias = b, .y = y}); }});
  const ingest::Args gather = {.data = data, .rows = rows, .shift = shift, .factor = factor, .out = dense};
  for (const Precision precision : {Precision::fp32, Precision::tf32, Precision::bf16}) {
    if (precision != Precision::fp32 && !suite.wide()) continue;
    suite.add({"break_even", at + " dense", weights, 2.0 * static_cast<double>(l.cells * l.genes * l.out),
               [=, &ctx] {
                 ingest::run(ctx, gather);
                 linear::forward(ctx, {.x = dense, .weight = w, .bias = b, .y = y});
               },
               precision});
  }
}

}  // namespace

void add_break_even(Suite& suite) {
  const Layer layer = suite.wide() ? Layer{256, 17000, 8192} : Layer{256, 2000, 512};
  for (const double percent : {0.25, 0.5, 1.0, 2.0, 3.5, 5.0, 7.0, 10.0, 20.0, 40.0})
    add_density(suite, layer, percent);
}

}  // namespace genexx::bench
