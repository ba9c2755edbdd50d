// SPDX-License-Identifier: Apache-2.0
#include "kernels/metrics_confusion.h"

#include "kernels/dispatch.h"
#include "kernels/expect.h"

namespace genexx::metrics_confusion {

void count(Context& ctx, const Args& args) {
  expect_axes("scores", args.scores, 3, "[r, n, k]");
  const std::int64_t r = args.scores.shape[0], n = args.scores.shape[1], k = args.scores.shape[2];
  expect_present("labels", args.labels);
  expect_shape_or_shared("labels", args.labels, Shape{r, n});
  expect_dtype("labels", args.labels, DType::i32);
  expect_present("counts", args.counts);
  expect_optional("counts", args.counts, Shape{r, k, k}, DType::i64);
  expect_optional("predicted", args.predicted, Shape{r, n}, DType::i32);
  expect_optional("cross_entropy", args.cross_entropy, Shape{r}, DType::f64);
  if (args.scores.shape.elements() == 0) return;
  on_device(
      ctx, [&](CpuContext& c) { cpu::count(c, args); }, [&](auto& c) { cuda::count(c, args); });
}

}  // namespace genexx::metrics_confusion
