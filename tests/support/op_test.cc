// SPDX-License-Identifier: Apache-2.0
#include "tests/support/op_test.h"

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "engine/device.h"
#include "engine/philox.h"
#ifdef GENEXX_SIMT
#include "engine/cuda/cuda_context.h"
#endif

namespace genexx::test {
namespace {

constexpr std::int64_t kGuardBytes = 1024;
constexpr unsigned char kGuard = 0xA5;

bool cuda_usable() {
  for (const std::string& line : list_devices())
    if (line.rfind("cuda", 0) == 0) return true;
  return false;
}

double epsilon(DType t) {
  return t == DType::f32 ? std::numeric_limits<float>::epsilon() : std::numeric_limits<double>::epsilon();
}

}  // namespace

std::vector<Runner> runners() {
  std::vector<Runner> all;
  for (const CpuIsa isa : {CpuIsa::v2, CpuIsa::avx2, CpuIsa::avx512})
    if (supported(isa)) {
      Runner r;
      r.name = std::string("cpu ") + name_of(isa);
      r.context = std::make_unique<CpuContext>(nullptr, isa);
      all.push_back(std::move(r));
    }
  Runner threaded;
  threaded.name = "cpu, two threads";
  threaded.pool = std::make_unique<ThreadPool>(2);
  threaded.context = std::make_unique<CpuContext>(threaded.pool.get());
  all.push_back(std::move(threaded));
  if (cuda_usable()) {
    Runner r;
    r.name = "cuda";
    r.context = make_context("cuda:0", nullptr);
    all.push_back(std::move(r));
  }
  return all;
}

void on_every_device(const std::function<void(Context&)>& body) {
  for (Runner& runner : runners()) {
    INFO("on " << runner.name);
    body(*runner.context);
  }
}

std::vector<double> random_values(std::int64_t count, std::uint64_t seed, double low, double high) {
  std::vector<double> values(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < values.size(); ++i) {
    const PhiloxCounter word = philox(philox_key(seed, 77), {static_cast<std::uint32_t>(i), 0, 0, 0});
    // Rounded to float, so that every dtype starts from the same numbers.
    values[i] = static_cast<float>(low + (high - low) * (word.x * 0x1p-32 + word.y * 0x1p-64));
  }
  return values;
}

std::vector<std::int32_t> random_labels(std::int64_t count, std::int32_t limit, std::uint64_t seed) {
  std::vector<std::int32_t> labels(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < labels.size(); ++i)
    labels[i] = static_cast<std::int32_t>(philox(philox_key(seed, 78), {static_cast<std::uint32_t>(i), 0, 0, 0}).x %
                                          static_cast<std::uint32_t>(limit));
  return labels;
}

DeviceArray::DeviceArray(Context& ctx, const Shape& shape, DType dtype, Fill fill)
    : ctx_(ctx), buffer_(ctx, shape.elements() * size_of(dtype) + 2 * kGuardBytes) {
  const std::int64_t bytes = shape.elements() * size_of(dtype);
  std::vector<unsigned char> image(static_cast<std::size_t>(bytes + 2 * kGuardBytes), kGuard);
  unsigned char* body = image.data() + kGuardBytes;
  std::memset(body, 0xFF, static_cast<std::size_t>(bytes));  // NaN as f32 and f64, -1 as an integer
  if (fill == Fill::huge) {
    for (std::int64_t i = 0; i < shape.elements(); ++i) {
      const float f = 1e30f;
      const double d = 1e30;
      if (dtype == DType::f32) std::memcpy(body + i * 4, &f, 4);
      if (dtype == DType::f64) std::memcpy(body + i * 8, &d, 8);
    }
  }
  ctx.copy_to_device(buffer_.data(), image.data(), static_cast<std::int64_t>(image.size()));
  tensor_ = {buffer_.as<char>() + kGuardBytes, dtype, shape};
}

DeviceArray::~DeviceArray() noexcept(false) {
  std::vector<unsigned char> guard(static_cast<std::size_t>(kGuardBytes));
  for (const char* place : {buffer_.as<char>(), buffer_.as<char>() + buffer_.bytes() - kGuardBytes}) {
    ctx_.copy_to_host(guard.data(), place, kGuardBytes);
    for (const unsigned char byte : guard)
      if (byte != kGuard) {
        FAIL_CHECK("guard words beside an array of shape " << to_string(tensor_.shape) << " were overwritten");
        return;
      }
  }
}

std::vector<double> DeviceArray::values() const {
  if (tensor_.dtype == DType::f64) return download<double>();
  const std::vector<float> floats = download<float>();
  return std::vector<double>(floats.begin(), floats.end());
}

void expect_close(const std::vector<double>& actual, const std::vector<double>& expected, const Tolerance& tolerance) {
  REQUIRE(actual.size() == expected.size());
  for (std::size_t i = 0; i < actual.size(); ++i) {
    if (actual[i] == expected[i]) continue;
    const double size = std::fabs(expected[i]) > tolerance.scale ? std::fabs(expected[i]) : tolerance.scale;
    const double bound = tolerance.k * epsilon(tolerance.dtype) * size;
    const double difference = std::fabs(actual[i] - expected[i]);
    if (std::isfinite(difference) && difference <= bound) continue;
    FAIL_CHECK("element " << i << " of " << actual.size() << ": " << actual[i] << ", expected " << expected[i]
                          << " within " << bound);
    return;
  }
}

std::vector<double> complex_step(const std::function<Complex(const std::vector<Complex>&)>& f,
                                 const std::vector<double>& x) {
  constexpr double kStep = 1e-30;
  std::vector<Complex> z(x.begin(), x.end());
  std::vector<double> gradient(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) {
    z[i] = Complex(x[i], kStep);
    gradient[i] = f(z).imag() / kStep;
    z[i] = x[i];
  }
  return gradient;
}

Complex weighted_sum(const std::vector<double>& w, const std::vector<Complex>& y) {
  REQUIRE(w.size() == y.size());
  Complex sum = 0;
  for (std::size_t i = 0; i < w.size(); ++i) sum += w[i] * y[i];
  return sum;
}

}  // namespace genexx::test
