// SPDX-License-Identifier: Apache-2.0
#include "kernels/regression_loss.h"

#include <string>

#include "kernels/dispatch.h"
#include "kernels/expect.h"

namespace genexx::regression_loss {

void run(Context& ctx, const Args& args) {
  expect_axes("prediction", args.prediction, 3, "[r, n, c]");
  const std::int64_t r = args.prediction.shape[0];
  expect_present("target", args.target);
  expect_shape_or_shared("target", args.target, args.prediction.shape);
  expect_dtype("target", args.target, args.prediction.dtype);
  expect_optional("scale", args.scale, Shape{r}, DType::f64);
  expect_present("loss", args.loss);
  expect_optional("loss", args.loss, Shape{r}, DType::f64);
  expect_optional("dprediction", args.dprediction, args.prediction.shape, args.prediction.dtype);
  expect_separate_if_present("dprediction", args.dprediction, "prediction", args.prediction);
  expect_separate_if_present("dprediction", args.dprediction, "target", args.target);
  if (args.kind == Kind::huber && !(args.delta > 0))
    throw ShapeError("delta is " + std::to_string(args.delta) + ", expected more than 0", CodeLocation::here());
  if (r == 0) return;
  on_device(
      ctx, [&](CpuContext& c) { cpu::run(c, args); }, [&](auto& c) { cuda::run(c, args); });
}

}  // namespace genexx::regression_loss
