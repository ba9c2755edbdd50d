// SPDX-License-Identifier: Apache-2.0
// Which of a library's algorithms multiplies a given pair of matrices fastest: asked of the device once, then kept in a
// file, so that every later run uses the same one and gives the same bits.
//
// The file of a device and a library version is JSON:
//   {"format": 1, "device": "NVIDIA H200, 132 multiprocessors", "library": "cuBLASLt 130100",
//    "algorithms": {"r1 m200 n3000 k943 ...": {"algorithm": "<128 hexadecimal digits>", "microseconds": 31.5}}}
// Files shipped with the program have the same form and are asked after the user's own.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace genexx::gemm {

// Everything that the choice may depend on beside device and library version. Row-major, as in gemm.h.
struct ProductShape {
  std::int64_t replicas = 1, m = 0, n = 0, k = 0;
  std::int64_t a_row = 0, b_row = 0, c_row = 0;           // elements from one stored row to the next
  std::int64_t a_stride = 0, b_stride = 0, c_stride = 0;  // elements between replicas; 0: shared
  bool transpose_a = false, transpose_b = false;
  bool bias = false, accumulate = false;
  int a_alignment = 16, b_alignment = 16, c_alignment = 16;  // bytes, of every row of every replica
  std::string dtype = "f32", precision = "fp32";
  std::int64_t workspace = 0;  // bytes the algorithm may use
};

// "r1 m200 n3000 k943 rows 943,943,3000 strides 0,0,0 nt f32 tf32 bias align 4,4,16 workspace 33554432"
std::string to_string(const ProductShape& shape);

// The largest power of two up to 256 that divides an address and all steps from it, in bytes.
int alignment_of(std::uintptr_t address, std::int64_t row_bytes, std::int64_t stride_bytes);

// The library's own description of an algorithm, which only it can read.
using Algorithm = std::array<std::uint64_t, 8>;

std::string to_hex(const Algorithm& algorithm);
std::optional<Algorithm> from_hex(const std::string& text);  // nothing unless it is 128 hexadecimal digits

struct TimedAlgorithm {
  Algorithm algorithm{};
  double microseconds = 0;
};

// What a library says about one product.
class AlgorithmSource {
 public:
  virtual ~AlgorithmSource() = default;
  // The library's own ranking, the best guess first.
  virtual std::vector<Algorithm> ranked() = 0;
  // Whether the library can run this algorithm for the product.
  virtual bool runs(const Algorithm& algorithm) = 0;
  // Measured on the device; nothing when it cannot be, and NaN never.
  virtual std::optional<double> microseconds(const Algorithm& algorithm) = 0;
};

class AlgorithmCache {
 public:
  struct Options {
    std::optional<std::string> directory;  // nothing: what is measured is not kept, and so nothing is measured
    std::string device, library;
    std::vector<std::string> seeds;                // texts of shipped files
    std::function<void(const std::string&)> warn;  // of files that cannot be used; once for each
  };
  // Reads the file, if there is one. Never throws: a file that is broken, or of something else, is ignored.
  explicit AlgorithmCache(Options options);

  std::optional<TimedAlgorithm> find(const std::string& shape) const;
  // Writes the file anew, whole or not at all, together with what other processes put into it meanwhile. What cannot be
  // written is warned of, once.
  void keep(const std::string& shape, const TimedAlgorithm& chosen);

  // Whether what is kept outlives the process, so that another run will use it.
  bool lasts() const { return options_.directory.has_value() && !write_failed_; }
  // "DIRECTORY/gemm-nvidia-h200-132-multiprocessors-cublaslt-130100.json"; empty without a directory.
  std::string path() const;

 private:
  using Entries = std::map<std::string, TimedAlgorithm>;
  enum class Origin { shipped, own };
  void read(const std::string& text, Origin origin, const std::string& name);
  void read_file();
  void warn(const std::string& message);
  bool write();

  Options options_;
  Entries shipped_, own_;
  bool warned_ = false, write_failed_ = false;
};

// The algorithm to use: the kept one, where the library can still run it; else, where the choice will last, the fastest
// of all that the library ranks, timed one after the other, which is then kept; else the library's first. A later one
// must be faster than an earlier one by 2% to be preferred. Throws DeviceError when the library has none.
Algorithm choose(AlgorithmCache& cache, const ProductShape& shape, AlgorithmSource& source);

}  // namespace genexx::gemm
