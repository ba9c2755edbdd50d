// SPDX-License-Identifier: Apache-2.0
#include "bench/device/timing.h"

namespace genexx::bench::device {
namespace {

// Values of a hash of the place: random enough for a product, and never zeros, which run faster.
__global__ void fill_kernel(float* values, std::int64_t n) {
  for (std::int64_t i = std::int64_t{blockIdx.x} * blockDim.x + threadIdx.x; i < n;
       i += std::int64_t{gridDim.x} * blockDim.x) {
    std::uint64_t x = static_cast<std::uint64_t>(i) * 0x9e3779b97f4a7c15u + 0x7f4a7c15u;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    values[i] = static_cast<float>(static_cast<std::uint32_t>(x >> 40)) * (2.0f / 16777216.0f) - 1.0f;
  }
}

class Events {
 public:
  Events() {
    check(cudaEventCreate(&begin_), "cudaEventCreate");
    check(cudaEventCreate(&end_), "cudaEventCreate");
  }
  Events(const Events&) = delete;
  Events& operator=(const Events&) = delete;
  ~Events() {
    cudaEventDestroy(begin_);
    cudaEventDestroy(end_);
  }
  double microseconds(cudaStream_t stream, const std::function<void()>& work) {
    check(cudaEventRecord(begin_, stream), "cudaEventRecord");
    work();
    check(cudaEventRecord(end_, stream), "cudaEventRecord");
    check(cudaEventSynchronize(end_), "cudaEventSynchronize");
    float ms = 0;
    check(cudaEventElapsedTime(&ms, begin_, end_), "cudaEventElapsedTime");
    return 1e3 * ms;
  }

 private:
  cudaEvent_t begin_ = nullptr, end_ = nullptr;
};

}  // namespace

Memory::Memory(std::int64_t bytes) {
  check(cudaMalloc(&data_, static_cast<std::size_t>(bytes)), "cudaMalloc");
  fill_kernel<<<1024, 256>>>(static_cast<float*>(data_), bytes / 4);
  check(cudaGetLastError(), "fill_kernel");
  check(cudaDeviceSynchronize(), "fill_kernel");
}

Spread time_launches(const Launch& launch, int sets) {
  cudaStream_t stream = nullptr;
  check(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), "cudaStreamCreate");
  launch(0, stream);  // loads the module, chooses what is chosen once
  check(cudaStreamSynchronize(stream), "first launch");
  Events events;
  const double once = std::max(1.0, events.microseconds(stream, [&] { launch(sets - 1, stream); }));
  const int least = std::clamp(static_cast<int>(kGraphMicroseconds / once), 1, kLaunches);
  const int launches = (least + sets - 1) / sets * sets;
  check(cudaStreamBeginCapture(stream, cudaStreamCaptureModeGlobal), "cudaStreamBeginCapture");
  for (int i = 0; i < launches; ++i) launch(i % sets, stream);
  cudaGraph_t graph = nullptr;
  check(cudaStreamEndCapture(stream, &graph), "cudaStreamEndCapture");
  cudaGraphExec_t exec = nullptr;
  check(cudaGraphInstantiate(&exec, graph, 0), "cudaGraphInstantiate");
  std::vector<double> us;
  for (int i = 0; i < 3 + kSamples; ++i) {
    const double all = events.microseconds(stream, [&] { check(cudaGraphLaunch(exec, stream), "cudaGraphLaunch"); });
    if (i >= 3) us.push_back(all / launches);
  }
  check(cudaGraphExecDestroy(exec), "cudaGraphExecDestroy");
  check(cudaGraphDestroy(graph), "cudaGraphDestroy");
  check(cudaStreamDestroy(stream), "cudaStreamDestroy");
  return spread_of(us);
}

Spread time_stream(const std::function<void(cudaStream_t)>& run) {
  cudaStream_t stream = nullptr;
  check(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), "cudaStreamCreate");
  Events events;
  std::vector<double> us;
  for (int i = 0; i < 3 + kSamples; ++i) {
    const double all = events.microseconds(stream, [&] { run(stream); });
    if (i >= 3) us.push_back(all);
  }
  check(cudaStreamDestroy(stream), "cudaStreamDestroy");
  return spread_of(us);
}

int cold_sets(std::int64_t bytes) {
  int l2 = 0;
  check(cudaDeviceGetAttribute(&l2, cudaDevAttrL2CacheSize, 0), "cudaDeviceGetAttribute");
  const std::int64_t sets = (3 * std::int64_t{l2} + bytes - 1) / bytes + 1;
  return static_cast<int>(std::min<std::int64_t>(64, sets));
}

void print(const char* bench, const std::string& name, const Spread& time, const Fields& fields) {
  std::printf(R"({"bench": "%s", "case": "%s")", bench, name.c_str());
  for (const auto& [key, value] : fields) std::printf(R"(, "%s": %.6g)", key.c_str(), value);
  std::printf(", \"median_us\": %.6g, \"p10_us\": %.6g, \"p90_us\": %.6g}\n", time.median_us, time.p10_us, time.p90_us);
  std::fflush(stdout);
}

void print_missing(const char* bench, const std::string& name, const std::string& reason) {
  std::printf("{\"bench\": \"%s\", \"case\": \"%s\", \"left_out\": \"%s\"}\n", bench, name.c_str(), reason.c_str());
  std::fflush(stdout);
}

}  // namespace genexx::bench::device
