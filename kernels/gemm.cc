// SPDX-License-Identifier: Apache-2.0
#include "kernels/gemm.h"

#include "kernels/dispatch.h"
#include "kernels/operand_forms.h"

namespace genexx::gemm {
namespace {

// An operand is of the type of c, or already what the tensor cores take.
void expect_operand(const char* name, const ConstTensor& t, const Args& a) {
  const bool narrow = t.dtype == DType::bf16 && a.precision == Precision::bf16 && a.c.dtype == DType::f32;
  if (!narrow) expect_dtype(name, t, a.c.dtype);
}

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
  expect_operand("a", a.a, a);
  expect_operand("b", a.b, a);
  expect_separate("c", a.c, "a", a.a);
  expect_separate("c", a.c, "b", a.b);
  if (a.bias) {
    expect_shape("bias", a.bias, Shape{e.replicas, e.n});
    expect_dtype("bias", a.bias, a.c.dtype);
    expect_separate("c", a.c, "bias", a.bias);
  }
  e.a_stride = ra == 1 && e.replicas > 1 ? 0 : e.m * e.k;
  e.b_stride = rb == 1 && e.replicas > 1 ? 0 : e.k * e.n;
  e.a_pitch = ta ? e.m : e.k;
  e.b_pitch = tb ? e.k : e.n;
  return e;
}

void product(Context& ctx, const Args& args, const Extents& e) {
  on_device(
      ctx, [&](CpuContext& c) { cpu::run(c, args, e); }, [&](auto& c) { cuda::run(c, args, e); });
}

// Room for `x` in another form.
Tensor room_for(ScratchFrame& frame, const ConstTensor& x, DType dtype) {
  const Shape shape = {x.shape[0], x.shape[1], operand_forms::pitch(x.shape[2], dtype)};
  return {frame.take_bytes(shape.elements() * size_of(dtype)), dtype, shape};
}

// Says where the rows of operands in new forms lie.
Extents laid_out(Extents e, const ConstTensor& a, const ConstTensor& b) {
  e.a_pitch = a.shape[2];
  e.b_pitch = b.shape[2];
  if (e.a_stride != 0) e.a_stride = a.shape[1] * a.shape[2];
  if (e.b_stride != 0) e.b_stride = b.shape[1] * b.shape[2];
  return e;
}

// Tensor cores load 16 bytes at a time. On a device an operand whose rows do not begin at such an address (943, 4542 or
// 5063 genes) is laid apart, as the tf32 numbers that it would be rounded to anyway.
void tf32_product(Context& ctx, const Args& args, const Extents& e) {
  if (ctx.device() == DeviceType::cpu) return product(ctx, args, e);
  ScratchFrame frame(ctx);
  const auto aligned = [&](const ConstTensor& x) -> ConstTensor {
    const bool begins = reinterpret_cast<std::uintptr_t>(x.data) % 16 == 0;
    if (begins && operand_forms::pitch(x.shape[2], x.dtype) == x.shape[2]) return x;
    const Tensor apart = room_for(frame, x, x.dtype);
    operand_forms::run(ctx, {.x = x, .high = apart});
    return apart;
  };
  Args loadable = args;
  loadable.a = aligned(args.a);
  loadable.b = aligned(args.b);
  product(ctx, loadable, laid_out(e, loadable.a, loadable.b));
}

void bf16_product(Context& ctx, const Args& args, const Extents& e) {
  ScratchFrame frame(ctx);
  const auto narrow = [&](const ConstTensor& x) -> ConstTensor {
    if (x.dtype == DType::bf16) return x;
    const Tensor high = room_for(frame, x, DType::bf16);
    operand_forms::run(ctx, {.x = x, .high = high});
    return high;
  };
  Args rounded = args;
  rounded.a = narrow(args.a);
  rounded.b = narrow(args.b);
  product(ctx, rounded, laid_out(e, rounded.a, rounded.b));
}

struct Parts {
  Tensor high, low;
};

// Small terms first. The halves are tf32 numbers, so that nobody rounds them again.
void split_products(Context& ctx, const Args& args, const Extents& e) {
  ScratchFrame frame(ctx);
  const auto split = [&](const ConstTensor& x) {
    const Parts parts = {room_for(frame, x, DType::f32), room_for(frame, x, DType::f32)};
    operand_forms::run(ctx, {.x = x, .high = parts.high, .low = parts.low});
    return parts;
  };
  const Parts a = split(args.a), b = split(args.b);
  const Extents of_parts = laid_out(e, a.high, b.high);
  Args one = args;
  one.precision = ctx.device() == DeviceType::cpu ? Precision::fp32 : Precision::tf32;
  one.bias = {};
  one.a = a.low;
  one.b = b.high;
  product(ctx, one, of_parts);
  one.mode = WriteMode::accumulate;
  one.a = a.high;
  one.b = b.low;
  product(ctx, one, of_parts);
  one.bias = args.bias;
  one.b = b.high;
  product(ctx, one, of_parts);
}

}  // namespace

void run(Context& ctx, const Args& args) {
  const Extents e = checked(args);
  if (e.replicas == 0 || e.m == 0 || e.n == 0) return;
  Args plain = args;
  if (args.c.dtype != DType::f32) plain.precision = Precision::fp32;
  switch (plain.precision) {
    case Precision::fp32:
      return product(ctx, plain, e);
    case Precision::tf32:
      return tf32_product(ctx, plain, e);
    case Precision::tf32x3:
      return split_products(ctx, plain, e);
    case Precision::bf16:
      return bf16_product(ctx, plain, e);
  }
}

}  // namespace genexx::gemm
