// SPDX-License-Identifier: Apache-2.0
#include "bench/support/bench.h"
#include "kernels/linear.h"

namespace genexx::bench {
namespace {

struct Layer {
  std::int64_t n, in, out, replicas = 1;
};

// Forward and all three gradients of a layer with `in` inputs and `out` outputs on a batch of `n`.
void add_layer(Suite& suite, const Layer& l, const std::vector<Precision>& precisions) {
  Context& ctx = suite.context();
  const std::int64_t r = l.replicas;
  const Tensor x = suite.random({r, l.n, l.in}), w = suite.random({r, l.out, l.in}), b = suite.random({r, l.out});
  const Tensor dy = suite.random({r, l.n, l.out}), y = suite.output({r, l.n, l.out}), dx = suite.output({r, l.n, l.in});
  const Tensor dw = suite.output({r, l.out, l.in}), db = suite.output({r, l.out});
  const double flop = 2.0 * static_cast<double>(r * l.n * l.in * l.out);
  const double bytes = 4.0 * static_cast<double>(r * (l.n * l.in + l.in * l.out + l.n * l.out + l.out));
  std::string text = "n=" + std::to_string(l.n) + " in=" + std::to_string(l.in) + " out=" + std::to_string(l.out);
  if (r > 1) text += " x" + std::to_string(r);
  const auto add = [&](const char* pass, double times, const std::function<void()>& run) {
    for (const Precision precision : precisions)
      suite.add({"linear", text + pass, times * bytes, times * flop, run, precision});
  };
  add(" forward", 1, [=, &ctx] { linear::forward(ctx, {.x = x, .weight = w, .bias = b, .y = y}); });
  add(" backward", 2,
      [=, &ctx] { linear::backward(ctx, {.x = x, .weight = w, .dy = dy, .dx = dx, .dweight = dw, .dbias = db}); });
  if (!suite.wide()) return;
  add(" input gradient", 1, [=, &ctx] { linear::backward(ctx, {.x = x, .weight = w, .dy = dy, .dx = dx}); });
  add(" weight gradient", 1,
      [=, &ctx] { linear::backward(ctx, {.x = x, .weight = w, .dy = dy, .dweight = dw, .dbias = db}); });
}

// D-GEX, the fly classifier, TransBrain, scAnnoNet; ten replicas of the last two.
constexpr Layer kPublished[] = {{200, 943, 3000},     {200, 943, 9000},    {200, 3000, 3000},    {200, 6000, 6000},
                                {200, 9000, 9000},    {200, 3000, 4760},   {200, 9000, 4760},    {128, 17000, 8192},
                                {256, 17000, 8192},   {512, 17000, 8192},  {128, 8192, 8192},    {256, 8192, 8192},
                                {512, 8192, 8192},    {256, 8192, 59},     {256, 4542, 500},     {256, 500, 500},
                                {256, 500, 105},      {256, 1000, 128},    {256, 4000, 128},     {256, 128, 64},
                                {256, 4542, 500, 10}, {256, 500, 500, 10}, {256, 2000, 128, 10}, {256, 2000, 20, 10}};

}  // namespace

void add_linear(Suite& suite) {
  const std::vector<Precision> all = {Precision::fp32, Precision::tf32x3, Precision::tf32, Precision::bf16},
                               one = {Precision::fp32};
  add_layer(suite, {256, 2000, 128}, suite.wide() ? all : one);
  add_layer(suite, {256, 20, 2000}, suite.wide() ? all : one);
  if (!suite.wide()) return;
  for (const Layer& layer : kPublished) add_layer(suite, layer, all);
}

}  // namespace genexx::bench
