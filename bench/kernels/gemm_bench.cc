// SPDX-License-Identifier: Apache-2.0
#include "bench/support/bench.h"
#include "kernels/gemm.h"

namespace genexx::bench {
namespace {

// The three products of a linear layer with `in` inputs and `out` outputs on a batch of `n`.
void add_layer(Suite& suite, std::int64_t n, std::int64_t in, std::int64_t out) {
  Context& ctx = suite.context();
  const Tensor x = suite.random({1, n, in}), w = suite.random({1, out, in}), dy = suite.random({1, n, out});
  const Tensor y = suite.output({1, n, out}), dx = suite.output({1, n, in}), dw = suite.output({1, out, in});
  const double flop = 2.0 * static_cast<double>(n * in * out);
  const double bytes = 4.0 * static_cast<double>(n * in + in * out + n * out);
  const std::string text = "n=" + std::to_string(n) + " in=" + std::to_string(in) + " out=" + std::to_string(out);
  using gemm::Transpose;
  suite.add({"gemm", text + " forward", bytes, flop,
             [=, &ctx] { gemm::run(ctx, {.a = x, .b = w, .c = y, .transpose_b = Transpose::yes}); }});
  suite.add({"gemm", text + " input gradient", bytes, flop, [=, &ctx] { gemm::run(ctx, {.a = dy, .b = w, .c = dx}); }});
  suite.add({"gemm", text + " weight gradient", bytes, flop,
             [=, &ctx] { gemm::run(ctx, {.a = dy, .b = x, .c = dw, .transpose_a = Transpose::yes}); }});
}

}  // namespace

void add_gemm(Suite& suite) {
  add_layer(suite, 256, 2000, 20);
  add_layer(suite, 256, 20, 2000);
  add_layer(suite, 256, 2000, 128);
  add_layer(suite, 256, 128, 64);
  add_layer(suite, 200, 943, 3000);
  add_layer(suite, 200, 3000, 3000);
}

}  // namespace genexx::bench
