// SPDX-License-Identifier: Apache-2.0
// Times device work by events around replays of a graph, and prints a line of JSON for each measurement.
#pragma once

#include <cuda_runtime.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>
#include <vector>

namespace genexx::bench::device {

constexpr int kLaunches = 200;               // of a graph ...
constexpr double kGraphMicroseconds = 2000;  // ... or so long, whichever is less; always every set of arguments
constexpr int kSamples = 20;

inline void check(cudaError_t status, const char* what) {
  if (status == cudaSuccess) return;
  std::fprintf(stderr, "%s: %s\n", what, cudaGetErrorString(status));
  std::exit(1);
}

struct Spread {
  double median_us = 0, p10_us = 0, p90_us = 0;
};

inline Spread spread_of(std::vector<double> us) {
  std::sort(us.begin(), us.end());
  const auto at = [&](double q) { return us[static_cast<std::size_t>(q * static_cast<double>(us.size() - 1) + 0.5)]; };
  return {at(0.5), at(0.1), at(0.9)};
}

// Device memory for the life of the program, filled with random floats in [-1, 1).
class Memory {
 public:
  explicit Memory(std::int64_t bytes);
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;
  ~Memory() { cudaFree(data_); }
  void* data() const { return data_; }

 private:
  void* data_ = nullptr;
};

// One launch of the work on argument set `set`, on `stream`.
using Launch = std::function<void(int set, cudaStream_t stream)>;

// Microseconds of one launch. The graph holds kLaunches of them, or fewer where they are long, going round `sets` sets
// of arguments.
Spread time_launches(const Launch& launch, int sets);

// Microseconds of one call of `run`, which gives all its work to the stream.
Spread time_stream(const std::function<void(cudaStream_t)>& run);

// How many sets of `bytes` are three times the L2 (at most 64).
int cold_sets(std::int64_t bytes);

// {"bench": ..., "case": ..., fields..., "median_us": ..., "p10_us": ..., "p90_us": ...}
using Fields = std::vector<std::pair<std::string, double>>;
void print(const char* bench, const std::string& name, const Spread& time, const Fields& fields);
// The same for what cannot be measured.
void print_missing(const char* bench, const std::string& name, const std::string& reason);

}  // namespace genexx::bench::device
