// SPDX-License-Identifier: Apache-2.0
#include "kernels/softmax_cross_entropy.h"

#include <string>

#include "kernels/dispatch.h"
#include "kernels/expect.h"

namespace genexx::softmax_cross_entropy {

void run(Context& ctx, const Args& args) {
  expect_axes("logits", args.logits, 3, "[r, n, k]");
  const std::int64_t r = args.logits.shape[0], n = args.logits.shape[1], k = args.logits.shape[2];
  const DType dtype = args.logits.dtype;
  expect_present("labels", args.labels);
  expect_shape_or_shared("labels", args.labels, Shape{r, n});
  expect_dtype("labels", args.labels, DType::i32);
  expect_optional("class_weight", args.class_weight, Shape{r, k}, dtype);
  expect_optional("sample_weight", args.sample_weight, Shape{r, n}, dtype);
  expect_optional("scale", args.scale, Shape{r}, DType::f64);
  expect_present("loss", args.loss);
  expect_optional("loss", args.loss, Shape{r}, DType::f64);
  expect_optional("counts", args.counts, Shape{r, k, k}, DType::i64);
  expect_optional("dlogits", args.dlogits, args.logits.shape, dtype);
  expect_optional("probabilities", args.probabilities, args.logits.shape, dtype);
  expect_separate_if_present("dlogits", args.dlogits, "logits", args.logits);
  expect_separate_if_present("probabilities", args.probabilities, "logits", args.logits);
  expect_separate_if_present("probabilities", args.probabilities, "dlogits", args.dlogits);
  if (!(args.label_smoothing >= 0 && args.label_smoothing <= 1))
    throw ShapeError("label_smoothing is " + std::to_string(args.label_smoothing) + ", expected 0 to 1",
                     CodeLocation::here());
  if (r == 0) return;
  if (k == 0 && n > 0)
    throw ShapeError("logits is " + to_string(args.logits.shape) + ", expected k >= 1", CodeLocation::here());
  on_device(
      ctx, [&](CpuContext& c) { cpu::run(c, args); }, [&](auto& c) { cuda::run(c, args); });
}

}  // namespace genexx::softmax_cross_entropy
