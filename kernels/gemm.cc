// SPDX-License-Identifier: Apache-2.0
#include "kernels/gemm.h"

#include "kernels/dispatch.h"

namespace genexx::gemm {
namespace {

Extents checked(const Args& a) {
  expect_present("a", a.a);
  expect_present("b", a.b);
  expect_present("c", a.c);
  if (a.c.shape.rank() != 3)
    throw ShapeError("c is " + to_string(a.c.shape) + ", expected [r, m, n]", CodeLocation::here());
  if (a.a.shape.rank() != 3 || a.b.shape.rank() != 3)
    throw ShapeError("a is " + to_string(a.a.shape) + " and b is " + to_string(a.b.shape) + ", expected rank 3 each",
                     CodeLocation::here());
  const bool ta = a.transpose_a == Transpose::yes, tb = a.transpose_b == Transpose::yes;
  Extents e{};
  e.replicas = a.c.shape[0];
  e.m = a.c.shape[1];
  e.n = a.c.shape[2];
  e.k = a.a.shape[ta ? 1 : 2];
  const std::int64_t ra = a.a.shape[0] == 1 ? 1 : e.replicas;
  const std::int64_t rb = a.b.shape[0] == 1 ? 1 : e.replicas;
  expect_shape("a", a.a, ta ? Shape{ra, e.k, e.m} : Shape{ra, e.m, e.k});
  expect_shape("b", a.b, tb ? Shape{rb, e.n, e.k} : Shape{rb, e.k, e.n});
  expect_dtype("a", a.a, a.c.dtype);
  expect_dtype("b", a.b, a.c.dtype);
  expect_separate("c", a.c, "a", a.a);
  expect_separate("c", a.c, "b", a.b);
  if (a.bias) {
    expect_shape("bias", a.bias, Shape{e.replicas, e.n});
    expect_dtype("bias", a.bias, a.c.dtype);
    expect_separate("c", a.c, "bias", a.bias);
  }
  e.a_stride = ra == 1 && e.replicas > 1 ? 0 : e.m * e.k;
  e.b_stride = rb == 1 && e.replicas > 1 ? 0 : e.k * e.n;
  return e;
}

}  // namespace

void run(Context& ctx, const Args& args) {
  const Extents e = checked(args);
  if (e.replicas == 0 || e.m == 0 || e.n == 0) return;
  on_device(
      ctx, [&](CpuContext& c) { cpu::run(c, args, e); }, [&](auto& c) { cuda::run(c, args, e); });
}

}  // namespace genexx::gemm
