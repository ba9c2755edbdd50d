// SPDX-License-Identifier: Apache-2.0
// What every op's test needs: the devices to run on, guarded arrays, comparison that NaN cannot pass, complex step.
#pragma once

#include <complex>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "engine/context.h"
#include "engine/tensor.h"

namespace genexx::test {

using Complex = std::complex<double>;

// Every way this build can run an op: the CPU with each instruction set this processor has, on one thread and (the best
// set) on two; CUDA where there is a device, emulated in the emulated test program.
struct Runner {
  std::string name;
  std::unique_ptr<ThreadPool> pool;
  std::unique_ptr<Context> context;
};
std::vector<Runner> runners();

// Calls `body` once for each runner, inside a doctest subcase-like capture of the runner's name.
void on_every_device(const std::function<void(Context&)>& body);

// Uniform numbers in [low, high), reproducible by seed.
std::vector<double> random_values(std::int64_t count, std::uint64_t seed, double low = -1.0, double high = 1.0);
// Integers in [0, limit).
std::vector<std::int32_t> random_labels(std::int64_t count, std::int32_t limit, std::uint64_t seed);

template <class T>
std::vector<T> cast(const std::vector<double>& values) {
  return std::vector<T>(values.begin(), values.end());
}

// What a fresh output holds before the op writes it. Two patterns, since a NaN alone is hidden by fmax-like reductions.
enum class Fill { nan, huge };

// Device memory with guard words before and behind, filled with a pattern or with values.
class DeviceArray {
 public:
  // From values.
  template <class T>
  DeviceArray(Context& ctx, const Shape& shape, const std::vector<T>& values)
      : DeviceArray(ctx, shape, DTypeOf<T>::value, Fill::nan) {
    REQUIRE(static_cast<std::int64_t>(values.size()) == shape.elements());
    ctx.copy_to_device(tensor_.data, values.data(), shape.elements() * size_of(tensor_.dtype));
  }
  // An output to be written.
  DeviceArray(Context& ctx, const Shape& shape, DType dtype, Fill fill = Fill::nan);
  ~DeviceArray() noexcept(false);  // checks the guard words
  DeviceArray(const DeviceArray&) = delete;
  DeviceArray& operator=(const DeviceArray&) = delete;

  Tensor tensor() const { return tensor_; }
  operator Tensor() const { return tensor_; }       // NOLINT: meant to be implicit
  operator ConstTensor() const { return tensor_; }  // NOLINT: meant to be implicit
  template <class T>
  std::vector<T> download() const {
    std::vector<T> values(static_cast<std::size_t>(tensor_.shape.elements()));
    REQUIRE(tensor_.dtype == DTypeOf<T>::value);
    ctx_.copy_to_host(values.data(), tensor_.data, tensor_.shape.elements() * size_of(tensor_.dtype));
    return values;
  }
  // The values as double, from f32 or f64.
  std::vector<double> values() const;

 private:
  Context& ctx_;
  Buffer buffer_;
  Tensor tensor_;
};

// Fails unless every |actual - expected| <= k * eps(dtype) * max(scale, |expected|); scale is the size of the terms
// summed. Both finite or the test fails, except that equal infinities pass.
struct Tolerance {
  double k = 1;
  DType dtype = DType::f64;
  double scale = 1;
};
void expect_close(const std::vector<double>& actual, const std::vector<double>& expected, const Tolerance& tolerance);

// Same bits. Names the first difference.
template <class T>
void expect_equal_bits(const std::vector<T>& a, const std::vector<T>& b) {
  REQUIRE(a.size() == b.size());
  for (std::size_t i = 0; i < a.size(); ++i)
    if (__builtin_memcmp(&a[i], &b[i], sizeof(T)) != 0) {
      FAIL_CHECK("element " << i << ": " << a[i] << " and " << b[i] << " differ in bits");
      return;
    }
}

// d f / d x by complex step: Im f(x + i h e_j) / h with h = 1e-30, exact to rounding. `f` must be written so that abs,
// relu, max and clip branch on the real part.
std::vector<double> complex_step(const std::function<Complex(const std::vector<Complex>&)>& f,
                                 const std::vector<double>& x);

// Sum of w[i] * y[i]: turns a vector-valued op into a scalar whose gradient is the op's backward of w.
Complex weighted_sum(const std::vector<double>& w, const std::vector<Complex>& y);

// "f32" and "f64" runs of one test body.
template <class Body>
void for_float_types(Body&& body) {
  body(float{});
  body(double{});
}

}  // namespace genexx::test
