// SPDX-License-Identifier: Apache-2.0
#include "bench/support/bench.h"

#include <algorithm>
#include <chrono>

#include "engine/philox.h"
#include "kernels/gemm.h"

namespace genexx::bench {
namespace {

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

}  // namespace

Tensor Suite::raw(const Shape& shape, DType dtype) {
  buffers_.emplace_back(ctx_, shape.elements() * size_of(dtype));
  return {buffers_.back().data(), dtype, shape};
}

Tensor Suite::random(const Shape& shape) {
  std::vector<float> values(static_cast<std::size_t>(shape.elements()));
  const PhiloxKey key = philox_key(static_cast<std::uint64_t>(buffers_.size()), 1);
  for (std::size_t i = 0; i < values.size(); ++i)
    values[i] = 2 * philox_uniform(philox(key, {static_cast<std::uint32_t>(i), 0, 0, 0}).x) - 1;
  const Tensor t = raw(shape, DType::f32);
  ctx_.copy_to_device(t.data, values.data(), shape.elements() * 4);
  return t;
}

Tensor Suite::labels(const Shape& shape, int limit) {
  std::vector<std::int32_t> values(static_cast<std::size_t>(shape.elements()));
  for (std::size_t i = 0; i < values.size(); ++i)
    values[i] = static_cast<std::int32_t>(philox({1, 2}, {static_cast<std::uint32_t>(i), 0, 0, 0}).x %
                                          static_cast<std::uint32_t>(limit));
  const Tensor t = raw(shape, DType::i32);
  ctx_.copy_to_device(t.data, values.data(), shape.elements() * 4);
  return t;
}

Tensor Suite::constant_f64(std::int64_t count, double value) {
  const std::vector<double> values(static_cast<std::size_t>(count), value);
  const Tensor t = raw({count}, DType::f64);
  ctx_.copy_to_device(t.data, values.data(), count * 8);
  return t;
}

Tensor Suite::constant_i64(std::int64_t count, std::int64_t value) {
  const std::vector<std::int64_t> values(static_cast<std::size_t>(count), value);
  const Tensor t = raw({count}, DType::i64);
  ctx_.copy_to_device(t.data, values.data(), count * 8);
  return t;
}

Tensor Suite::output(const Shape& shape) { return raw(shape, DType::f32); }

Timing time_case(Context& ctx, const Case& c, double seconds) {
  const double warm_until = now() + 0.2 * seconds;
  c.run();
  ctx.synchronize();
  double begin = now();
  c.run();
  ctx.synchronize();
  const double once = std::max(now() - begin, 1e-9);
  while (now() < warm_until) c.run();
  ctx.synchronize();
  // Groups of at least 50 microseconds, so that the clock and the synchronization do not count.
  const int group = std::max(1, static_cast<int>(5e-5 / once));
  std::vector<double> times;
  for (const double until = now() + seconds; now() < until || times.size() < 5;) {
    begin = now();
    for (int i = 0; i < group; ++i) c.run();
    ctx.synchronize();
    times.push_back((now() - begin) / group);
  }
  std::sort(times.begin(), times.end());
  const auto at = [&](double q) { return times[static_cast<std::size_t>(q * static_cast<double>(times.size() - 1))]; };
  return {at(0.5), at(0.1), at(0.9), static_cast<int>(times.size()) * group};
}

Ceiling measure_ceiling(Context& ctx) {
  Suite suite(ctx);
  const std::int64_t elements = std::int64_t{1} << (ctx.device() == DeviceType::cuda ? 28 : 25);
  const Tensor from = suite.random({elements}), to = suite.output({elements});
  const Case copy = {"copy", "", 0, 0, [&] { ctx.copy_within(to.data, from.data, elements * 4); }};
  const std::int64_t side = ctx.device() == DeviceType::cuda ? 8192 : 1536;
  const Tensor a = suite.random({1, side, side}), b = suite.random({1, side, side}), c = suite.output({1, side, side});
  const Case product = {"gemm", "", 0, 0, [&] { gemm::run(ctx, {.a = a, .b = b, .c = c}); }};
  Ceiling ceiling;
  ceiling.bytes_per_s = 8.0 * static_cast<double>(elements) / time_case(ctx, copy, 0.3).low_s;
  ceiling.flop_per_s = 2.0 * static_cast<double>(side * side * side) / time_case(ctx, product, 0.3).low_s;
  return ceiling;
}

}  // namespace genexx::bench
