// SPDX-License-Identifier: Apache-2.0
#include "bench/support/bench.h"

#include <algorithm>
#include <chrono>
#include <memory>

#include "engine/philox.h"
#include "kernels/linear.h"

namespace genexx::bench {
namespace {

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

}  // namespace

Tensor Suite::raw(const Shape& shape, DType dtype) {
  buffers_.emplace_back(ctx_, shape.elements() * size_of(dtype));
  return {buffers_.back().data(), dtype, shape};
}

std::int64_t Suite::bytes() const {
  std::int64_t all = 0;
  for (const Buffer& buffer : buffers_) all += buffer.bytes();
  return all;
}

Tensor Suite::random(const Shape& shape) {
  const std::int64_t bytes = shape.elements() * 4;
  if (first_) {  // numbers are made once: some arrays have hundreds of millions
    const Buffer& like = first_->buffers_[buffers_.size()];
    const Tensor t = raw(shape, DType::f32);
    ctx_.copy_within(t.data, like.data(), bytes);
    return t;
  }
  std::vector<float> values(static_cast<std::size_t>(shape.elements()));
  const PhiloxKey key = philox_key(static_cast<std::uint64_t>(buffers_.size()), 1);
  for (std::size_t i = 0; i < values.size(); i += 4) {
    const PhiloxCounter words = philox(key, {static_cast<std::uint32_t>(i / 4), 0, 0, 0});
    const std::uint32_t each[4] = {words.x, words.y, words.z, words.w};
    for (std::size_t j = i; j < std::min(i + 4, values.size()); ++j) values[j] = 2 * philox_uniform(each[j - i]) - 1;
  }
  const Tensor t = raw(shape, DType::f32);
  ctx_.copy_to_device(t.data, values.data(), bytes);
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

namespace {

// `count` runs, round the sets.
void run_all(const std::vector<const Case*>& sets, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) sets[static_cast<std::size_t>(i) % sets.size()]->run();
}

Timing spread_of(std::vector<double> times, int runs) {
  std::sort(times.begin(), times.end());
  const auto at = [&](double q) { return times[static_cast<std::size_t>(q * static_cast<double>(times.size() - 1))]; };
  return {at(0.5), at(0.1), at(0.9), runs};
}

}  // namespace

Timing time_case(Context& ctx, const std::vector<const Case*>& sets, double seconds) {
  ctx.precision = sets.front()->precision;
  const double warm_until = now() + 0.2 * seconds;
  run_all(sets, static_cast<std::int64_t>(sets.size()));
  ctx.synchronize();
  double begin = now();
  sets.front()->run();
  ctx.synchronize();
  const double once = std::max(now() - begin, 1e-9);
  const bool cuda = ctx.device() == DeviceType::cuda;
  // On a device groups of two milliseconds or 200 runs, on the CPU of at least 50 microseconds, so that the clock and
  // the synchronization do not count.
  const std::int64_t least = cuda ? std::clamp<std::int64_t>(static_cast<std::int64_t>(2e-3 / once), 1, 200)
                                  : std::max<std::int64_t>(1, static_cast<std::int64_t>(5e-5 / once));
  const auto turns = static_cast<std::int64_t>(sets.size());
  const std::int64_t group = (least + turns - 1) / turns * turns;
  const std::unique_ptr<StepGraph> graph = cuda ? ctx.capture([&] { run_all(sets, group); }) : nullptr;
  const auto run_group = [&] { graph ? graph->replay() : run_all(sets, group); };
  run_group();
  ctx.synchronize();
  while (now() < warm_until) {
    run_group();
    ctx.synchronize();
  }
  std::vector<double> times;
  for (const double until = now() + seconds; now() < until || times.size() < 5;) {
    begin = now();
    run_group();
    ctx.synchronize();
    times.push_back((now() - begin) / static_cast<double>(group));
  }
  ctx.precision = Precision::fp32;
  const int runs = static_cast<int>(static_cast<std::int64_t>(times.size()) * group);
  return spread_of(std::move(times), runs);
}

double Ceiling::flop_per_s_of(Precision precision) const {
  if (precision == Precision::tf32 && tf32_flop_per_s > 0) return tf32_flop_per_s;
  if (precision == Precision::tf32x3 && tf32_flop_per_s > 0) return tf32_flop_per_s / 3;
  return precision == Precision::bf16 && bf16_flop_per_s > 0 ? bf16_flop_per_s : flop_per_s;
}

Ceiling measure_ceiling(Context& ctx) {
  Suite suite(ctx);
  const bool cuda = ctx.device() == DeviceType::cuda;
  const std::int64_t elements = std::int64_t{1} << (cuda ? 28 : 25);
  const Tensor from = suite.random({elements}), to = suite.output({elements});
  const Case copy = {"copy", "", 0, 0, [&] { ctx.copy_within(to.data, from.data, elements * 4); }};
  const std::int64_t side = cuda ? 8192 : 1536;
  const Tensor x = suite.random({1, side, side}), w = suite.random({1, side, side}), y = suite.output({1, side, side});
  const auto rate = [&](Precision precision) {
    const Case product = {"linear", "", 0, 0, [&] { linear::forward(ctx, {.x = x, .weight = w, .y = y}); }, precision};
    return 2.0 * static_cast<double>(side * side * side) / time_case(ctx, {&product}, 0.3).low_s;
  };
  Ceiling ceiling;
  ceiling.bytes_per_s = 8.0 * static_cast<double>(elements) / time_case(ctx, {&copy}, 0.3).low_s;
  ceiling.flop_per_s = rate(Precision::fp32);
  if (cuda) {
    ceiling.tf32_flop_per_s = rate(Precision::tf32);
    ceiling.bf16_flop_per_s = rate(Precision::bf16);
  }
  return ceiling;
}

}  // namespace genexx::bench
