// SPDX-License-Identifier: Apache-2.0
// What one more dependent kernel costs, by every way of making a chain of n: launches on a stream, nodes of a graph,
// nodes with programmatic dependent launch, turns of a WHILE node, barriers of one cooperative grid. Kernels are empty,
// or last about two microseconds.
#include <cooperative_groups.h>

#include "bench/device/timing.h"

namespace {

using namespace genexx::bench::device;

constexpr unsigned kThreads = 256;

__device__ void spin(unsigned nanoseconds) {
  unsigned long long begin = 0, now = 0;
  if (nanoseconds == 0) return;
  asm volatile("mov.u64 %0, %%globaltimer;" : "=l"(begin));
  do {
    asm volatile("mov.u64 %0, %%globaltimer;" : "=l"(now));
  } while (now - begin < nanoseconds);
}

__global__ void link_kernel(unsigned nanoseconds) { spin(nanoseconds); }

// Lets the next kernel begin at once; it waits for this one where it needs its results.
__global__ void programmatic_kernel(unsigned nanoseconds) {
  cudaTriggerProgrammaticLaunchCompletion();
  cudaGridDependencySynchronize();
  spin(nanoseconds);
}

__global__ void turn_kernel(cudaGraphConditionalHandle condition, int* left, unsigned nanoseconds) {
  spin(nanoseconds);
  if (blockIdx.x == 0 && threadIdx.x == 0) {
    *left -= 1;
    cudaGraphSetConditional(condition, *left > 0 ? 1u : 0u);
  }
}

__global__ void set_kernel(int* left, int value) { *left = value; }

__global__ void barrier_kernel(int turns, unsigned nanoseconds) {
  const cooperative_groups::grid_group grid = cooperative_groups::this_grid();
  for (int i = 0; i < turns; ++i) {
    spin(nanoseconds);
    grid.sync();
  }
}

struct Chain {
  int links;
  unsigned nanoseconds, blocks;
};

void launch_programmatic(const Chain& c, cudaStream_t stream) {
  cudaLaunchAttribute attribute{};
  attribute.id = cudaLaunchAttributeProgrammaticStreamSerialization;
  attribute.val.programmaticStreamSerializationAllowed = 1;
  cudaLaunchConfig_t config{};
  config.gridDim = dim3(c.blocks);
  config.blockDim = dim3(kThreads);
  config.stream = stream;
  config.attrs = &attribute;
  config.numAttrs = 1;
  check(cudaLaunchKernelEx(&config, programmatic_kernel, c.nanoseconds), "cudaLaunchKernelEx");
}

Spread time_graph(const std::function<void(cudaStream_t)>& record) {
  cudaStream_t stream = nullptr;
  check(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), "cudaStreamCreate");
  check(cudaStreamBeginCapture(stream, cudaStreamCaptureModeGlobal), "cudaStreamBeginCapture");
  record(stream);
  cudaGraph_t graph = nullptr;
  check(cudaStreamEndCapture(stream, &graph), "cudaStreamEndCapture");
  cudaGraphExec_t exec = nullptr;
  check(cudaGraphInstantiate(&exec, graph, 0), "cudaGraphInstantiate");
  const Spread time = time_stream([&](cudaStream_t s) { check(cudaGraphLaunch(exec, s), "cudaGraphLaunch"); });
  check(cudaGraphExecDestroy(exec), "cudaGraphExecDestroy");
  check(cudaGraphDestroy(graph), "cudaGraphDestroy");
  check(cudaStreamDestroy(stream), "cudaStreamDestroy");
  return time;
}

// A graph of one node that sets the counter and one WHILE node whose body is one kernel.
Spread time_while(const Chain& c) {
  int* left = nullptr;
  check(cudaMalloc(&left, sizeof(int)), "cudaMalloc");
  cudaGraph_t graph = nullptr;
  check(cudaGraphCreate(&graph, 0), "cudaGraphCreate");
  cudaGraphConditionalHandle condition{};
  check(cudaGraphConditionalHandleCreate(&condition, graph, 1, cudaGraphCondAssignDefault),
        "cudaGraphConditionalHandleCreate");
  int links = c.links;
  void* set_arguments[] = {&left, &links};
  cudaKernelNodeParams set{};
  set.func = reinterpret_cast<void*>(set_kernel);
  set.gridDim = set.blockDim = dim3(1);
  set.kernelParams = set_arguments;
  cudaGraphNode_t first = nullptr, loop = nullptr, turn = nullptr;
  check(cudaGraphAddKernelNode(&first, graph, nullptr, 0, &set), "cudaGraphAddKernelNode");
  cudaGraphNodeParams repeat = {cudaGraphNodeTypeConditional};
  repeat.conditional.handle = condition;
  repeat.conditional.type = cudaGraphCondTypeWhile;
  repeat.conditional.size = 1;
  check(cudaGraphAddNode(&loop, graph, &first, nullptr, 1, &repeat), "cudaGraphAddNode");
  unsigned nanoseconds = c.nanoseconds;
  void* turn_arguments[] = {&condition, &left, &nanoseconds};
  cudaKernelNodeParams body{};
  body.func = reinterpret_cast<void*>(turn_kernel);
  body.gridDim = dim3(c.blocks);
  body.blockDim = dim3(kThreads);
  body.kernelParams = turn_arguments;
  check(cudaGraphAddKernelNode(&turn, repeat.conditional.phGraph_out[0], nullptr, 0, &body), "cudaGraphAddKernelNode");
  cudaGraphExec_t exec = nullptr;
  check(cudaGraphInstantiate(&exec, graph, 0), "cudaGraphInstantiate");
  const Spread time = time_stream([&](cudaStream_t s) { check(cudaGraphLaunch(exec, s), "cudaGraphLaunch"); });
  check(cudaGraphExecDestroy(exec), "cudaGraphExecDestroy");
  check(cudaGraphDestroy(graph), "cudaGraphDestroy");
  check(cudaFree(left), "cudaFree");
  return time;
}

Spread time_barriers(const Chain& c) {
  int links = c.links;
  unsigned nanoseconds = c.nanoseconds;
  void* arguments[] = {&links, &nanoseconds};
  return time_stream([&](cudaStream_t stream) {
    check(cudaLaunchCooperativeKernel(reinterpret_cast<void*>(barrier_kernel), dim3(c.blocks), dim3(kThreads),
                                      arguments, 0, stream),
          "cudaLaunchCooperativeKernel");
  });
}

void report(const char* way, const Chain& c, const Spread& time) {
  print("launches", std::string(way) + ", " + (c.nanoseconds ? "2 us" : "empty") + " x " + std::to_string(c.links),
        time, {{"links", c.links}, {"kernel_ns", c.nanoseconds}, {"us_per_link", time.median_us / c.links}});
}

}  // namespace

int main() {
  int processors = 0;
  check(cudaDeviceGetAttribute(&processors, cudaDevAttrMultiProcessorCount, 0), "cudaDeviceGetAttribute");
  for (const unsigned nanoseconds : {0u, 2000u}) {
    for (const int links : {8, 16, 32, 64, 128}) {
      const Chain c = {links, nanoseconds, static_cast<unsigned>(processors)};
      const auto plain = [&](cudaStream_t stream) {
        for (int i = 0; i < links; ++i) link_kernel<<<c.blocks, kThreads, 0, stream>>>(nanoseconds);
      };
      const auto programmatic = [&](cudaStream_t stream) {
        for (int i = 0; i < links; ++i) launch_programmatic(c, stream);
      };
      report("stream", c, time_stream(plain));
      report("stream, programmatic", c, time_stream(programmatic));
      report("graph", c, time_graph(plain));
      report("graph, programmatic", c, time_graph(programmatic));
      report("WHILE node", c, time_while(c));
      report("grid barrier", c, time_barriers(c));
      check(cudaGetLastError(), "launches");
    }
  }
  return 0;
}
