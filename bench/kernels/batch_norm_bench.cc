// SPDX-License-Identifier: Apache-2.0
#include "bench/support/bench.h"
#include "kernels/batch_norm.h"

namespace genexx::bench {

namespace {

void add_layer(Suite& suite, std::int64_t rows, std::int64_t width) {
  Context& ctx = suite.context();
  const Shape shape = {1, rows, width}, columns = {1, width};
  const std::string text = std::to_string(rows) + "x" + std::to_string(width);
  const double elements = static_cast<double>(shape.elements());
  const Tensor x = suite.random(shape), dy = suite.random(shape), gamma = suite.random(columns),
               beta = suite.random(columns);
  const Tensor y = suite.output(shape), dx = suite.output(shape), mean = suite.output(columns),
               rstd = suite.output(columns);
  const Tensor running_mean = suite.random(columns), running_var = suite.random(columns);
  const Tensor dgamma = suite.output(columns), dbeta = suite.output(columns);
  suite.add({"batch_norm", text + " forward", 8 * elements, 0, [=, &ctx] {
               batch_norm::forward(ctx, {.x = x,
                                         .gamma = gamma,
                                         .beta = beta,
                                         .running_mean = running_mean,
                                         .running_var = running_var,
                                         .y = y,
                                         .mean = mean,
                                         .rstd = rstd});
             }});
  suite.add({"batch_norm", text + " backward", 12 * elements, 0, [=, &ctx] {
               batch_norm::backward(ctx, {.x = x,
                                          .gamma = gamma,
                                          .mean = mean,
                                          .rstd = rstd,
                                          .dy = dy,
                                          .dx = dx,
                                          .dgamma = dgamma,
                                          .dbeta = dbeta});
             }});
}

}  // namespace

void add_batch_norm(Suite& suite) {
  add_layer(suite, 200, 3000);
  if (!suite.wide()) return;
  for (const std::int64_t rows : {128, 256, 512})
    for (const std::int64_t width : {500, 8192}) add_layer(suite, rows, width);
}

}  // namespace genexx::bench
