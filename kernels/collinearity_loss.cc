// SPDX-License-Identifier: Apache-2.0
#include "kernels/collinearity_loss.h"

#include "kernels/dispatch.h"
#include "kernels/expect.h"

namespace genexx::collinearity_loss {

void run(Context& ctx, const Args& args) {
  expect_axes("z", args.z, 3, "[r, n, h]");
  const std::int64_t r = args.z.shape[0];
  expect_optional("scale", args.scale, Shape{r}, DType::f64);
  expect_present("loss", args.loss);
  expect_optional("loss", args.loss, Shape{r}, DType::f64);
  expect_optional("dz", args.dz, args.z.shape, args.z.dtype);
  expect_separate_if_present("dz", args.dz, "z", args.z);
  if (r == 0) return;
  on_device(
      ctx, [&](CpuContext& c) { cpu::run(c, args); }, [&](auto& c) { cuda::run(c, args); });
}

}  // namespace genexx::collinearity_loss
