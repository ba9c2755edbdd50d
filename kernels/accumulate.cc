// SPDX-License-Identifier: Apache-2.0
#include "kernels/accumulate.h"

#include "kernels/dispatch.h"

namespace genexx::accumulate {

void run(Context& ctx, const Args& args) {
  expect_present("value", args.value);
  expect_present("sum", args.sum);
  expect_dtype("value", args.value, DType::f64);
  expect_dtype("sum", args.sum, DType::f64);
  expect_shape("sum", args.sum, args.value.shape);
  expect_separate("sum", args.sum, "value", args.value);
  if (args.value.shape.elements() == 0) return;
  on_device(
      ctx, [&](CpuContext& c) { cpu::run(c, args); }, [&](auto& c) { cuda::run(c, args); });
}

}  // namespace genexx::accumulate
