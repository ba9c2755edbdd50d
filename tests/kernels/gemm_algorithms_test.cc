// SPDX-License-Identifier: Apache-2.0
#include "kernels/gemm_algorithms.h"

#include <filesystem>
#include <fstream>
#include <limits>
#include <sstream>

#include <doctest/doctest.h>

#include "engine/error.h"
#include "tests/support/data.h"

using namespace genexx;
using namespace genexx::gemm;
using genexx::test::TemporaryDirectory;

namespace {

Algorithm algorithm(std::uint64_t first) { return {first, 2, 3, 4, 5, 6, 7, 0xfedcba9876543210u}; }

// A library that offers these algorithms, each with a time; below zero: it cannot run it.
struct FakeLibrary final : AlgorithmSource {
  std::vector<std::pair<Algorithm, double>> offers;
  int timed = 0;

  explicit FakeLibrary(std::vector<double> times) {
    for (std::size_t i = 0; i < times.size(); ++i) offers.emplace_back(algorithm(i), times[i]);
  }
  std::vector<Algorithm> ranked() override {
    std::vector<Algorithm> all;
    for (const auto& offer : offers) all.push_back(offer.first);
    return all;
  }
  bool runs(const Algorithm& wanted) override {
    for (const auto& [known, time] : offers)
      if (known == wanted) return time >= 0;
    return false;
  }
  std::optional<double> microseconds(const Algorithm& wanted) override {
    ++timed;
    for (const auto& [known, time] : offers)
      if (known == wanted && time >= 0) return time;
    return std::nullopt;
  }
};

struct Setting {
  TemporaryDirectory directory;
  std::vector<std::string> warnings;
  AlgorithmCache::Options options() {
    return {.directory = directory.file("cache"),
            .device = "NVIDIA H200, 132 multiprocessors",
            .library = "cuBLASLt 130100",
            .seeds = {},
            .warn = [this](const std::string& text) { warnings.push_back(text); }};
  }
  std::string file() { return directory.file("cache") + "/gemm-nvidia-h200-132-multiprocessors-cublaslt-130100.json"; }
  void put(const std::string& text) {
    std::filesystem::create_directories(directory.file("cache"));
    std::ofstream(file()) << text;
  }
};

std::string text_of(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

const ProductShape kShape = {.replicas = 1,
                             .m = 200,
                             .n = 3000,
                             .k = 943,
                             .a_row = 943,
                             .b_row = 943,
                             .c_row = 3000,
                             .transpose_b = true,
                             .bias = true,
                             .a_alignment = 4,
                             .b_alignment = 4,
                             .precision = "tf32",
                             .workspace = 33554432};
const char* const kKey =
    "r1 m200 n3000 k943 rows 943,943,3000 strides 0,0,0 nt f32 tf32 bias align 4,4,16 workspace 33554432";

std::string file_with(const std::string& device, std::uint64_t first) {
  return R"({"format": 1, "device": ")" + device + R"(", "library": "cuBLASLt 130100", "algorithms": {")" + kKey +
         R"(": {"algorithm": ")" + to_hex(algorithm(first)) + R"(", "microseconds": 3.5}}})";
}

}  // namespace

TEST_CASE("gemm_algorithms: the key of a product, and every part of it counts") {
  CHECK(to_string(kShape) == kKey);
  ProductShape other = kShape;
  other.a_stride = 188600;
  other.transpose_a = true;
  other.bias = false;
  other.accumulate = true;
  other.dtype = "f64";
  CHECK(
      to_string(other) ==
      "r1 m200 n3000 k943 rows 943,943,3000 strides 188600,0,0 tt f64 tf32 accumulate align 4,4,16 workspace 33554432");
}

TEST_CASE("gemm_algorithms: alignment is what address, row and stride have in common, 256 at most") {
  CHECK(alignment_of(4096, 943 * 4, 0) == 4);
  CHECK(alignment_of(4096, 944 * 4, 0) == 64);
  CHECK(alignment_of(4096, 1024 * 4, 0) == 256);
  CHECK(alignment_of(4096 + 16, 1024 * 4, 0) == 16);
  CHECK(alignment_of(4096, 1024 * 4, 8) == 8);
}

TEST_CASE("gemm_algorithms: an algorithm survives being written and read") {
  const std::string hex = to_hex(algorithm(0x0123456789abcdefu));

  CHECK(hex.size() == 128);
  CHECK(hex.substr(0, 32) == "0123456789abcdef0000000000000002");
  CHECK(from_hex(hex) == algorithm(0x0123456789abcdefu));
  CHECK(from_hex(hex.substr(1)) == std::nullopt);
  CHECK(from_hex("g" + hex.substr(1)) == std::nullopt);
}

TEST_CASE("gemm_algorithms: the fastest is chosen and kept, the next run times nothing") {
  Setting s;
  FakeLibrary library({30, 20, -1, 10, 40}), again({30, 20, -1, 10, 40});
  {
    AlgorithmCache cache(s.options());
    CHECK(choose(cache, kShape, library) == algorithm(3));
    CHECK(library.timed == 5);
  }
  AlgorithmCache cache(s.options());

  CHECK(choose(cache, kShape, again) == algorithm(3));
  CHECK(again.timed == 0);
  CHECK(cache.find(kKey)->microseconds == 10);
  CHECK(s.warnings.empty());
  CHECK(text_of(s.file()).find(R"("library": "cuBLASLt 130100")") != std::string::npos);
}

TEST_CASE("gemm_algorithms: one that is faster by less than 2% does not displace the library's better guess") {
  Setting s;
  FakeLibrary library({100, 98.5, 97.9});
  AlgorithmCache cache(s.options());

  CHECK(choose(cache, kShape, library) == algorithm(2));
  FakeLibrary close({100, 98.5, 98.1});
  ProductShape other = kShape;
  other.m = 7;
  CHECK(choose(cache, other, close) == algorithm(0));
}

TEST_CASE("gemm_algorithms: without a place to keep it nothing is timed, the library's first is used") {
  Setting s;
  AlgorithmCache::Options options = s.options();
  options.directory.reset();
  AlgorithmCache cache(options);
  FakeLibrary library({30, 10});

  CHECK(choose(cache, kShape, library) == algorithm(0));
  CHECK(library.timed == 0);
}

TEST_CASE("gemm_algorithms: a kept algorithm that the library cannot run any more is chosen anew") {
  Setting s;
  s.put(file_with("NVIDIA H200, 132 multiprocessors", 9));
  AlgorithmCache cache(s.options());
  FakeLibrary library({30, 10});

  CHECK(choose(cache, kShape, library) == algorithm(1));
  CHECK(AlgorithmCache(s.options()).find(kKey)->algorithm == algorithm(1));
}

TEST_CASE("gemm_algorithms: one that cannot be timed is passed over, and so is a library where none can") {
  Setting s;
  AlgorithmCache cache(s.options());
  FakeLibrary some({-1, std::numeric_limits<double>::quiet_NaN(), 50}), none({-1, -1}), empty({});
  ProductShape other = kShape, third = kShape;
  other.m = 7;
  third.m = 8;

  CHECK(choose(cache, kShape, some) == algorithm(2));
  CHECK(choose(cache, other, none) == algorithm(0));
  CHECK_FALSE(cache.find(to_string(other)).has_value());
  CHECK_THROWS_WITH_AS(choose(cache, third, empty), doctest::Contains("offers no algorithm for r1 m8 "), DeviceError);
}

TEST_CASE("gemm_algorithms: a shipped file is asked after the user's own, and only one of this device") {
  Setting s;
  AlgorithmCache::Options options = s.options();
  options.seeds = {file_with("NVIDIA A100, 108 multiprocessors", 5), file_with(options.device, 1)};
  FakeLibrary library({30, 20, 10});
  {
    AlgorithmCache shipped(options);
    CHECK(choose(shipped, kShape, library) == algorithm(1));
    CHECK(library.timed == 0);
  }
  s.put(file_with(options.device, 2));
  AlgorithmCache own(options);

  CHECK(choose(own, kShape, library) == algorithm(2));
  CHECK(s.warnings.empty());
}

TEST_CASE("gemm_algorithms: a broken or foreign file is ignored with one warning that names it") {
  const std::string good = file_with("NVIDIA H200, 132 multiprocessors", 1);
  std::string digits = good;
  digits.replace(digits.find(to_hex(algorithm(1))), 3, "xyz");
  for (const std::string& text :
       {std::string("{\"format\": 1"), std::string(), std::string("[1, 2]"), std::string("{\"format\": 1}"),
        file_with("NVIDIA A100, 108 multiprocessors", 1), digits}) {
    CAPTURE(text);
    Setting s;
    s.put(text);
    AlgorithmCache cache(s.options());
    FakeLibrary library({30, 10});

    CHECK_FALSE(cache.find(kKey).has_value());
    CHECK(choose(cache, kShape, library) == algorithm(1));
    REQUIRE(s.warnings.size() == 1);
    CHECK(s.warnings[0].find(s.file()) == 0);
    CHECK(s.warnings[0].find("ignored") != std::string::npos);
    CHECK(AlgorithmCache(s.options()).find(kKey)->microseconds == 10);
  }
}

TEST_CASE("gemm_algorithms: what another process kept meanwhile stays in the file") {
  Setting s;
  AlgorithmCache a(s.options()), b(s.options());

  a.keep("one", {algorithm(1), 1});
  b.keep("two", {algorithm(2), 2});

  const AlgorithmCache all(s.options());
  CHECK(all.find("one")->algorithm == algorithm(1));
  CHECK(all.find("two")->algorithm == algorithm(2));
  CHECK(std::distance(std::filesystem::directory_iterator(s.directory.file("cache")), {}) == 1);
}

TEST_CASE("gemm_algorithms: a directory that cannot be written is warned of once, and ends the timing") {
  Setting s;
  std::ofstream(s.directory.file("cache")) << "a file, not a directory";
  AlgorithmCache cache(s.options());
  FakeLibrary library({30, 10});
  ProductShape other = kShape;
  other.m = 7;

  CHECK(choose(cache, kShape, library) == algorithm(1));
  CHECK(choose(cache, kShape, library) == algorithm(1));
  CHECK(choose(cache, other, library) == algorithm(0));
  CHECK(library.timed == 2);
  REQUIRE(s.warnings.size() == 1);
  CHECK(s.warnings[0].find("cannot be written") != std::string::npos);
}
