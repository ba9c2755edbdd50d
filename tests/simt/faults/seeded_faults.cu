// SPDX-License-Identifier: Apache-2.0
// Kernels with one seeded fault each, and right ones beside them. `genexx_emulated_faults NAME ORDER` runs one; exit 0:
// nothing noticed, 4: its results are wrong, 5: the emulator named a broken rule. A sanitizer ends the program with a
// report of its own. faults_test.py knows who must notice what.
#include <cstdio>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "kernels/launch.h"

namespace genexx {
namespace {

// ------------------------------------------------------------------------------------------------ missing barriers --
__global__ void no_barrier_before_read(int* out) {
  GENEXX_SHARED(int, s, [128]);
  s[threadIdx.x] = static_cast<int>(threadIdx.x);
  out[threadIdx.x] = s[127 - threadIdx.x];
}

__global__ void no_barrier_before_next_write(const int* x, int* out) {
  GENEXX_SHARED(int, s, [64]);
  int sum = 0;
  for (unsigned k = 0; k < 4; ++k) {
    s[threadIdx.x] = x[k * 64 + threadIdx.x];
    __syncthreads();
    sum += s[63 - threadIdx.x];
  }
  out[threadIdx.x] = sum;
}

__global__ void lock_step_assumed(int* out) {
  GENEXX_SHARED(int, s, [32]);
  s[threadIdx.x] = 1;
  for (unsigned distance = 16; distance > 0; distance /= 2) {
    if (threadIdx.x < distance) s[threadIdx.x] += s[threadIdx.x + distance];
  }
  out[threadIdx.x] = s[0];
}

__global__ void lock_step_made(int* out) {
  GENEXX_SHARED(int, s, [32]);
  s[threadIdx.x] = 1;
  __syncwarp();
  for (unsigned distance = 16; distance > 0; distance /= 2) {
    const int other = threadIdx.x < distance ? s[threadIdx.x + distance] : 0;
    __syncwarp();
    s[threadIdx.x] += other;
    __syncwarp();
  }
  out[threadIdx.x] = s[0];
}

__global__ void warp_barrier_for_block(int* out) {
  GENEXX_SHARED(int, s, [128]);
  s[threadIdx.x] = static_cast<int>(threadIdx.x);
  __syncwarp();
  out[threadIdx.x] = s[127 - threadIdx.x];
}

__global__ void block_reduction(int* out) {
  GENEXX_SHARED(int, s, [128]);
  s[threadIdx.x] = 1;
  __syncthreads();
  for (unsigned distance = 64; distance > 0; distance /= 2) {
    if (threadIdx.x < distance) s[threadIdx.x] += s[threadIdx.x + distance];
    __syncthreads();
  }
  out[threadIdx.x] = s[0];
}

// ------------------------------------------------------------------------------------------------- between blocks --
__global__ void sum_without_atomic(int* out) {
  if (threadIdx.x == 0) *out += 1;
}

__global__ void sum_without_atomic_after_barrier(int* out) {
  GENEXX_SHARED(int, s, [32]);
  s[threadIdx.x] = 1;
  __syncthreads();
  if (threadIdx.x == 0) *out += s[31];
}

// The last block to come adds up what the others left.
template <bool kFences>
__global__ void last_block_sums(int* partial, unsigned* done, int* out) {
  if (threadIdx.x != 0) return;
  partial[blockIdx.x] = 1;
  if (kFences) __threadfence();
  const bool last = atomicAdd(done, 1u) == gridDim.x - 1;
  if (kFences) __threadfence();
  if (!last) return;
  int sum = 0;
  for (unsigned i = 0; i < gridDim.x; ++i) sum += partial[i];
  *out = sum;
}

// ----------------------------------------------------------------------------------------------------- wrong reads --
__global__ void reads_unwritten(float* out) {
  GENEXX_SHARED(float, s, [64]);
  if (threadIdx.x < 63) s[threadIdx.x] = 1.0f;
  __syncthreads();
  float sum = 0.0f;
  for (int i = 0; i < 64; ++i) sum += s[i];
  out[threadIdx.x] = sum;
}

__global__ void index_past_shared(int* out) {
  GENEXX_SHARED(int, s, [128]);
  s[threadIdx.x + 1] = 1;
  __syncthreads();
  out[threadIdx.x] = s[threadIdx.x];
}

__global__ void pointer_past_shared(int* out, int step) {
  GENEXX_SHARED(int, s, [128]);
  int* p = s + threadIdx.x;
  p[step] = 1;
  __syncthreads();
  out[threadIdx.x] = p[0];
}

__global__ void past_dynamic_shared(int* out, int step) {
  GENEXX_DYNAMIC_SHARED(int, s);
  s[static_cast<int>(threadIdx.x) + step] = 1;
  __syncthreads();
  out[threadIdx.x] = s[threadIdx.x];
}

__global__ void vector_past_end(const float* x, float* out, int n) {
  const int i = static_cast<int>(threadIdx.x);
  if (4 * i >= n) return;
  const float4 v = reinterpret_cast<const float4*>(x)[i];
  out[i] = v.x + v.y + v.z + v.w;
}

__global__ void label_is_class_count(const int* label, float* gradient) { gradient[label[threadIdx.x]] = 1.0f; }

__global__ void misaligned_vector(const float* x, float* out) {
  const float4 v = *reinterpret_cast<const float4*>(x + 1 + 4 * threadIdx.x);
  out[threadIdx.x] = v.x;
}

__global__ void index_overflow(const float* x, float* out, int rows, int columns) {
  const int last = (rows - 1) * columns + static_cast<int>(threadIdx.x);
  out[threadIdx.x] = x[last & 63];
}

__global__ void barrier_in_both_branches() {
  if (threadIdx.x < 16) {
    __syncthreads();
  } else {
    __syncthreads();
  }
}

// ---------------------------------------------------------------------------------------------------------- running --
template <class T>
struct DeviceArray {
  T* data;
  std::size_t count;
  DeviceArray(std::size_t n, T value) : data(static_cast<T*>(simt::allocate_device(n * sizeof(T)))), count(n) {
    for (std::size_t i = 0; i < n; ++i) data[i] = value;
  }
  ~DeviceArray() { simt::release_device(data); }
  DeviceArray(const DeviceArray&) = delete;
  DeviceArray& operator=(const DeviceArray&) = delete;
  operator T*() const { return data; }
  bool all(T value) const {
    for (std::size_t i = 0; i < count; ++i) {
      if (!(data[i] == value)) return false;
    }
    return true;
  }
};

template <class... P>
bool put(unsigned blocks, unsigned threads, std::size_t shared_bytes, void (*kernel)(P...),
         std::type_identity_t<P>... a) {
  CUstream_st stream;
  launch({.grid = blocks, .block = threads, .shared_bytes = shared_bytes, .stream = &stream}, kernel, a...);
  check_launch("faults::kernel");
  return true;
}

bool reversed(const int* out, int n) {
  for (int i = 0; i < n; ++i) {
    if (out[i] != n - 1 - i) return false;
  }
  return true;
}

bool run_next_write() {
  const DeviceArray<int> x(256, 0), out(64, 0);
  for (int i = 0; i < 256; ++i) x[i] = i;
  put(1, 64, 0, no_barrier_before_next_write, x, out);
  for (int i = 0; i < 64; ++i) {
    if (out[i] != 4 * (63 - i) + 384) return false;
  }
  return true;
}

template <bool kFences>
bool run_last_block() {
  const DeviceArray<int> partial(100, 0), out(1, 0);
  const DeviceArray<unsigned> done(1, 0);
  return put(100, 32, 0, last_block_sums<kFences>, partial, done, out) && *out == 100;
}

bool run_label() {
  const DeviceArray<int> label(32, 3);
  const DeviceArray<float> gradient(10, 0.0f);
  label[7] = 10;
  return put(1, 32, 0, label_is_class_count, label, gradient);
}

// Each returns whether the results are right.
const std::map<std::string, std::function<bool()>>& cases() {
  using Ints = DeviceArray<int>;
  using Floats = DeviceArray<float>;
  static const std::map<std::string, std::function<bool()>> all = {
      {"no_barrier_before_read",
       [] {
         const Ints out(128, 0);
         return put(1, 128, 0, no_barrier_before_read, out) && reversed(out, 128);
       }},
      {"warp_barrier_for_block",
       [] {
         const Ints out(128, 0);
         return put(1, 128, 0, warp_barrier_for_block, out) && reversed(out, 128);
       }},
      {"no_barrier_before_next_write", run_next_write},
      {"lock_step_assumed",
       [] {
         const Ints out(32, 0);
         return put(1, 32, 0, lock_step_assumed, out) && out.all(32);
       }},
      {"lock_step_made",
       [] {
         const Ints out(32, 0);
         return put(1, 32, 0, lock_step_made, out) && *out == 32;
       }},
      {"block_reduction",
       [] {
         const Ints out(128, 0);
         return put(1, 128, 0, block_reduction, out) && out.all(128);
       }},
      {"sum_without_atomic",
       [] {
         const Ints out(1, 0);
         return put(64, 32, 0, sum_without_atomic, out) && *out == 64;
       }},
      {"sum_without_atomic_after_barrier",
       [] {
         const Ints out(1, 0);
         return put(64, 32, 0, sum_without_atomic_after_barrier, out) && *out == 64;
       }},
      {"last_block_without_fence", run_last_block<false>},
      {"last_block_with_fence", run_last_block<true>},
      {"reads_unwritten",
       [] {
         const Floats out(64, 0);
         return put(1, 64, 0, reads_unwritten, out) && out.all(63.0f);
       }},
      {"index_past_shared",
       [] {
         const Ints out(128, 0);
         return put(1, 128, 0, index_past_shared, out);
       }},
      {"pointer_past_shared",
       [] {
         const Ints out(128, 0);
         return put(1, 128, 0, pointer_past_shared, out, 1);
       }},
      {"past_dynamic_shared",
       [] {
         const Ints out(64, 0);
         return put(1, 64, 256, past_dynamic_shared, out, 1);
       }},
      {"vector_past_end",
       [] {
         const Floats x(125, 1), out(32, 0);
         return put(1, 32, 0, vector_past_end, x, out, 125);
       }},
      {"label_is_class_count", run_label},
      {"misaligned_vector",
       [] {
         const Floats x(257, 1), out(64, 0);
         return put(1, 64, 0, misaligned_vector, x, out);
       }},
      {"index_overflow",
       [] {
         const Floats x(64, 1), out(32, 0);
         return put(1, 32, 0, index_overflow, x, out, 100001, 30000);
       }},
      {"barrier_in_both_branches", [] { return put(1, 64, 0, barrier_in_both_branches); }},
  };
  return all;
}

int run(const std::string& name, const std::string& order) {
  simt::set_options(simt::parse_options(order));
  const auto found = cases().find(name);
  if (found == cases().end()) {
    std::fprintf(stderr, "no case '%s'\n", name.c_str());
    return 2;
  }
  if (found->second()) return 0;
  std::puts("the results are wrong");
  return 4;
}

}  // namespace
}  // namespace genexx

int main(int argc, char** argv) {
  if (argc == 1) {
    for (const auto& [name, body] : genexx::cases()) std::puts(name.c_str());
    return 0;
  }
  try {
    return genexx::run(argv[1], argc > 2 ? argv[2] : "forward");
  } catch (const genexx::Error& error) {
    std::puts(error.what());
    return static_cast<int>(error.code());
  }
}
