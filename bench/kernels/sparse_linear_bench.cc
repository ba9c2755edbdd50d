// SPDX-License-Identifier: Apache-2.0
#include "bench/support/bench.h"
#include "bench/support/stored_cells.h"
#include "kernels/sparse_linear.h"

namespace genexx::bench {
namespace {

// A batch of 128 cells of `genes` genes, `stored` of them with a value, into `out` units. Bytes: the weights once.
void add_layer(Suite& suite, std::int64_t genes, std::int64_t stored, std::int64_t out) {
  constexpr std::int64_t n = 128;
  Context& ctx = suite.context();
  const sparse_linear::Input x = {
      .data = stored_cells(suite, n, genes, stored), .rows = all_rows(suite, n), .factor = suite.random({1, genes})};
  const Tensor w = suite.random({1, out, genes}), b = suite.random({1, out}), dy = suite.random({1, n, out});
  const Tensor y = suite.output({1, n, out}), dw = suite.output({1, out, genes}), db = suite.output({1, out});
  const double flop = 2.0 * static_cast<double>(n * stored * out), bytes = 4.0 * static_cast<double>(genes * out);
  const std::string text =
      "n=128 genes=" + std::to_string(genes) + " stored=" + std::to_string(stored) + " out=" + std::to_string(out);
  suite.add({"sparse_linear", text + " forward", bytes, flop,
             [=, &ctx] { sparse_linear::forward(ctx, {.x = x, .weight = w, .bias = b, .y = y}); }});
  suite.add({"sparse_linear", text + " backward", bytes, flop,
             [=, &ctx] { sparse_linear::backward(ctx, {.x = x, .dy = dy, .dweight = dw, .dbias = db}); }});
}

}  // namespace

void add_sparse_linear(Suite& suite) {
  add_layer(suite, 17000, 1190, 2048);
  add_layer(suite, 2000, 300, 1024);
}

}  // namespace genexx::bench
