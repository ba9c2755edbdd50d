// SPDX-License-Identifier: Apache-2.0
#include "kernels/discriminative_loss.h"

#include "kernels/dispatch.h"
#include "kernels/expect.h"

namespace genexx::discriminative_loss {

void run(Context& ctx, const Args& args) {
  expect_axes("gate", args.gate, 3, "[r, n, g]");
  const std::int64_t r = args.gate.shape[0], g = args.gate.shape[2];
  const DType dtype = args.gate.dtype;
  expect_present("index", args.index);
  expect_shape_or_shared("index", args.index, Shape{r, g});
  expect_dtype("index", args.index, dtype);
  if (args.mask) {
    expect_shape_or_shared("mask", args.mask, Shape{r, g});
    expect_dtype("mask", args.mask, dtype);
  }
  expect_optional("scale", args.scale, Shape{r}, DType::f64);
  expect_present("loss", args.loss);
  expect_optional("loss", args.loss, Shape{r}, DType::f64);
  expect_optional("dgate", args.dgate, args.gate.shape, dtype);
  expect_separate_if_present("dgate", args.dgate, "gate", args.gate);
  expect_separate_if_present("dgate", args.dgate, "index", args.index);
  expect_separate_if_present("dgate", args.dgate, "mask", args.mask);
  if (r == 0) return;
  on_device(
      ctx, [&](CpuContext& c) { cpu::run(c, args); }, [&](auto& c) { cuda::run(c, args); });
}

}  // namespace genexx::discriminative_loss
