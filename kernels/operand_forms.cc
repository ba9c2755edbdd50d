// SPDX-License-Identifier: Apache-2.0
#include "kernels/operand_forms.h"

#include "kernels/dispatch.h"
#include "kernels/expect.h"

namespace genexx::operand_forms {

std::int64_t pitch(std::int64_t c, DType dtype) {
  const std::int64_t unit = 16 / size_of(dtype);
  return (c + unit - 1) / unit * unit;
}

void run(Context& ctx, const Args& a) {
  expect_axes("x", a.x, 3, "[r, n, c]");
  expect_dtype("x", a.x, DType::f32);
  expect_present("high", a.high);
  if (a.high.dtype != DType::bf16) expect_dtype("high", a.high, DType::f32);
  const Shape want = {a.x.shape[0], a.x.shape[1], pitch(a.x.shape[2], a.high.dtype)};
  expect_shape("high", a.high, want);
  expect_separate("high", a.high, "x", a.x);
  if (a.low) {
    expect_dtype("high", a.high, DType::f32);
    expect_dtype("low", a.low, DType::f32);
    expect_shape("low", a.low, want);
    expect_separate("low", a.low, "x", a.x);
    expect_separate("low", a.low, "high", a.high);
  }
  if (want.elements() == 0) return;
  on_device(
      ctx, [&](CpuContext& c) { cpu::run(c, a); }, [&](auto& c) { cuda::run(c, a); });
}

}  // namespace genexx::operand_forms
