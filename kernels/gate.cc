// SPDX-License-Identifier: Apache-2.0
#include "kernels/gate.h"

#include "kernels/dispatch.h"
#include "kernels/expect.h"

namespace genexx::gate {
namespace {

void expect_like(const char* name, const ConstTensor& t, const ConstTensor& gate) {
  expect_present(name, t);
  expect_shape(name, t, gate.shape);
  expect_dtype(name, t, gate.dtype);
}

void expect_x(const ConstTensor& x, const ConstTensor& gate) {
  expect_present("x", x);
  expect_shape_or_shared("x", x, gate.shape);
  expect_dtype("x", x, gate.dtype);
}

void expect_outputs(const BackwardArgs& a) {
  const Tensor& out = a.dlogits;
  expect_separate("dlogits", out, "gate", a.gate);
  if (a.mode == WriteMode::overwrite) {
    expect_same_or_separate("dlogits", out, "dy", a.dy);
    expect_same_or_separate("dlogits", out, "dgate", a.dgate);
  } else {
    expect_separate_if_present("dlogits", out, "dy", a.dy);
    expect_separate_if_present("dlogits", out, "dgate", a.dgate);
  }
  for (const auto& [name, t] : {std::pair{"dy", a.dy}, std::pair{"gate", a.gate}, std::pair{"dgate", a.dgate},
                                std::pair{"x", a.x}, std::pair{"dlogits", ConstTensor(out)}})
    expect_separate_if_present("dx", a.dx, name, t);
}

void expect_pull(const Pull& p, const ConstTensor& gate) {
  if (!p.index) return;
  const std::int64_t r = gate.shape[0];
  const Shape genes = {r, gate.shape[2]};
  expect_shape_or_shared("pull.index", p.index, genes);
  expect_dtype("pull.index", p.index, gate.dtype);
  if (p.mask) {
    expect_shape_or_shared("pull.mask", p.mask, genes);
    expect_dtype("pull.mask", p.mask, gate.dtype);
    expect_present("pull.mask_sum", p.mask_sum);
    expect_optional("pull.mask_sum", p.mask_sum, Shape{r}, DType::f64);
  }
  expect_optional("pull.scale", p.scale, Shape{r}, DType::f64);
}

}  // namespace

void forward(Context& ctx, const ForwardArgs& args) {
  expect_axes("gate", args.gate, 3, "[r, n, g]");
  expect_like("logits", args.logits, args.gate);
  expect_like("y", args.y, args.gate);
  expect_x(args.x, args.gate);
  expect_same_or_separate("gate", args.gate, "logits", args.logits);
  expect_separate("gate", args.gate, "x", args.x);
  expect_separate("y", args.y, "gate", args.gate);
  expect_separate("y", args.y, "x", args.x);
  expect_pull(args.pull, args.gate);
  if (args.pull.index) {
    expect_present("pull.loss", args.pull.loss);
    expect_optional("pull.loss", args.pull.loss, Shape{args.gate.shape[0]}, DType::f64);
  }
  if (args.gate.shape[0] == 0 || (args.gate.shape.elements() == 0 && !args.pull.index)) return;
  on_device(
      ctx, [&](CpuContext& c) { cpu::forward(c, args); }, [&](auto& c) { cuda::forward(c, args); });
}

void backward(Context& ctx, const BackwardArgs& args) {
  expect_axes("gate", args.gate, 3, "[r, n, g]");
  expect_like("dlogits", args.dlogits, args.gate);
  expect_optional("dy", args.dy, args.gate.shape, args.gate.dtype);
  expect_optional("dgate", args.dgate, args.gate.shape, args.gate.dtype);
  expect_optional("dx", args.dx, args.gate.shape, args.gate.dtype);
  if (args.dy || args.x) expect_x(args.x, args.gate);
  expect_outputs(args);
  expect_pull(args.pull, args.gate);
  if (args.gate.shape.elements() == 0) return;
  on_device(
      ctx, [&](CpuContext& c) { cpu::backward(c, args); }, [&](auto& c) { cuda::backward(c, args); });
}

}  // namespace genexx::gate
