// SPDX-License-Identifier: Apache-2.0
// A benchmark is a name, a shape, the bytes and operations the work needs at least, and a callable that does it once.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "engine/context.h"
#include "engine/tensor.h"

namespace genexx::bench {

struct Case {
  std::string op;     // "gemm"
  std::string shape;  // "m=256 n=128 k=2000"
  double bytes = 0;   // each input read once, each output written once
  double flop = 0;
  std::function<void()> run;              // does the work once on the context; does not synchronize
  Precision precision = Precision::fp32;  // of the context while it runs
};

// Collects cases of one op on one context and owns the arrays they work on.
class Suite {
 public:
  // `first`, where given, is a suite of the same op: arrays are copies of its arrays instead of made anew.
  explicit Suite(Context& ctx, const Suite* first = nullptr) : ctx_(ctx), first_(first) {}
  Context& context() const { return ctx_; }
  // Whether to add the shapes of the publications that are too large for a CPU's patience.
  bool wide() const { return ctx_.device() == DeviceType::cuda; }

  // An f32 array of reproducible uniform numbers in [-1, 1) (never zeros: zeros run faster than data).
  Tensor random(const Shape& shape);
  // An array of labels in [0, limit).
  Tensor labels(const Shape& shape, int limit);
  // An f32 array to be written.
  Tensor output(const Shape& shape);
  // [count] of one value each: hyperparameters, seeds.
  Tensor constant_f64(std::int64_t count, double value);
  Tensor constant_i64(std::int64_t count, std::int64_t value);
  // Any other memory.
  Tensor raw(const Shape& shape, DType dtype);

  void add(Case c) { cases_.push_back(std::move(c)); }
  const std::vector<Case>& cases() const { return cases_; }
  std::int64_t bytes() const;

 private:
  Context& ctx_;
  const Suite* first_;
  std::vector<Buffer> buffers_;
  std::vector<Case> cases_;
};

struct Timing {
  double median_s = 0, low_s = 0, high_s = 0;  // median, 10th and 90th percentile of one run
  int runs = 0;
};

// Times a case for about `seconds` after a warm-up. `sets` are the same case on different arrays, which take turns. On
// CUDA a group of runs is recorded and replayed, so that launches do not count.
Timing time_case(Context& ctx, const std::vector<const Case*>& sets, double seconds);

// What the machine can do at best, measured now as the fastest tenth of the runs: bytes a second of a large copy (read
// + written), and f32 operations a second of a large matrix product.
struct Ceiling {
  double bytes_per_s = 0, flop_per_s = 0;
  double tf32_flop_per_s = 0, bf16_flop_per_s = 0;  // CUDA only

  double flop_per_s_of(Precision precision) const;
};
Ceiling measure_ceiling(Context& ctx);

enum class When { always, named };  // named: only when asked for by name

struct Bench {
  std::string op;
  void (*add)(Suite&) = nullptr;
  When when = When::always;
};

// Of every op, in the order of their names, and of what is no op. Generated from the list of ops by the build.
std::vector<Bench> all_benches();

}  // namespace genexx::bench
