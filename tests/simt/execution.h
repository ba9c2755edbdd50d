// SPDX-License-Identifier: Apache-2.0
// How the emulator runs a grid: every GPU thread is a fiber, barriers and warp operations are rendezvous, all on the
// calling OS thread. Kernels never see this header's functions: simt.h puts CUDA's own names over them.
//
// A broken rule ends the launch and is told by take_launch_error() with block, thread and the lines of the kernel:
//   barriers that not all threads of the block reach, or reach at different lines; warp masks that leave out the
//   caller, or differ between lanes; shuffles that read a lane which takes no part; a block that can never finish;
//   more shared memory, more threads or larger grids than a device takes; a grid barrier in an ordinary launch; a
//   launch nobody checked; a thread that ends without having waited for the grid ahead, in a launch that begins early.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "engine/error.h"

struct uint3 {
  unsigned x, y, z;
};
struct dim3 {
  unsigned x, y, z;
  constexpr dim3(unsigned vx = 1, unsigned vy = 1, unsigned vz = 1) : x(vx), y(vy), z(vz) {}
};

// A stream of the emulated device. Work given to it is recorded, or waits in the queue until somebody waits for the
// stream, or is done at once where there is neither.
struct CUstream_st {
  std::vector<std::function<void()>>* recording = nullptr;
  std::vector<std::function<void()>>* queue = nullptr;
};

// Of the GPU thread that runs; set at every switch.
inline constinit thread_local uint3 threadIdx{};
inline constinit thread_local uint3 blockIdx{};
inline constinit thread_local dim3 blockDim{};
inline constinit thread_local dim3 gridDim{};

namespace genexx::simt {

// ------------------------------------------------------------------------------------------------------- options --
// In which order threads that could all run are run, and blocks. A right kernel gives the same in every order.
enum class Order { forward, reverse, random };

// What memory holds that nobody wrote: NaN in every floating-point type and -1, or a number near 1e30 (float and
// bfloat16; near 1e238 in double). Two, because fmaxf swallows a NaN and an addition to zero forgives nothing.
enum class Fill : unsigned char { nan = 0xFF, large = 0x71 };

struct Options {
  Order order = Order::forward;
  std::uint64_t seed = 1;  // of Order::random
  Fill fill = Fill::nan;
  // Streams of contexts queue their work, and device memory cannot be touched while host code runs: what forgets to
  // wait, or reads through a device pointer, shows.
  bool queued = false;
};

Options options();
void set_options(const Options& options);

// "forward", "reverse", "random:SEED", each with or without ",large" and ",queued" after it, in this order. Throws
// UsageError on anything else.
Options parse_options(const std::string& text);

// Fills memory nobody wrote as Options::fill says.
void fill_unwritten(void* memory, std::size_t bytes);

// -------------------------------------------------------------------------------------------------- device memory --
// Filled as fill_unwritten does, aligned to 256 bytes. Throws DeviceError.
void* allocate_device(std::size_t bytes);
void release_device(void* memory) noexcept;

// While one of these lives, device memory may be touched; at all times unless Options::queued was set when it was
// allocated.
class DeviceAccess {
 public:
  DeviceAccess();
  ~DeviceAccess();
  DeviceAccess(const DeviceAccess&) = delete;
  DeviceAccess& operator=(const DeviceAccess&) = delete;
};

// Bytes that are allocated now.
std::size_t device_bytes();

// Throws DeviceError naming `what` unless all the bytes lie in one allocation of the device.
void expect_device_memory(const char* what, const void* from, std::size_t bytes);

// -------------------------------------------------------------------------------------------------------- limits --
inline constexpr std::int64_t kMostThreads = 1024;            // of a block
inline constexpr std::size_t kStaticSharedBytes = 48 * 1024;  // of a block, declared in the kernel
inline constexpr std::size_t kSharedBytes = 163 * 1024;  // static and dynamic: compute capability 8.0, our smallest

// ------------------------------------------------------------------------------------------------------ launching --
enum class GridKind { ordinary, cooperative };

struct GridLaunch {
  dim3 grid, block;
  std::size_t shared_bytes = 0;
  CUstream_st* stream = nullptr;
  GridKind kind = GridKind::ordinary;
  bool early = false;                        // may begin before the grid ahead has ended: every thread must wait for it
  void (*run_thread)(void* call) = nullptr;  // the body of one GPU thread
  void* call = nullptr;
};

// Runs the grid to its end; launches of other OS threads wait. Does not throw: what went wrong waits for
// take_launch_error(), which must be asked before the next launch. Unwinds nothing of a kernel that failed.
void run_grid(const GridLaunch& launch);

// Pieces of work given to streams so far: kernels, products of matrices, fills and copies within the device.
std::int64_t works_given();
void count_work();

// One piece of work of a stream, now. Throws DeviceError where failures.h has the device lost.
void do_work(const std::function<void()>& work);

// Does `work` now, or has the stream record or queue it.
template <class Work>
void give(CUstream_st* stream, Work&& work) {
  count_work();
  if (stream && stream->recording) {
    stream->recording->emplace_back(std::forward<Work>(work));
  } else if (stream && stream->queue) {
    stream->queue->emplace_back(std::forward<Work>(work));
  } else {
    do_work(std::forward<Work>(work));
  }
}

// Does what waits in the stream's queue. Throws DeviceError for what goes wrong in it.
void drain(CUstream_st* stream);

// What went wrong in the last launch of the calling OS thread, empty when nothing did; forgets it.
std::string take_launch_error();

// A kernel and its arguments, waiting to be called once per GPU thread.
template <class... P>
struct KernelCall {
  void (*kernel)(P...);
  std::tuple<P...> arguments;
  static void run_thread(void* self) {
    auto* call = static_cast<KernelCall*>(self);
    std::apply(call->kernel, call->arguments);
  }
};

// -------------------------------------------------------------------------------------------------- shared memory --
// The block's variable declared at `key`, filled with Options::fill when its first thread comes. Between redzones under
// AddressSanitizer.
void* shared_variable(const void* key, std::size_t bytes, std::size_t alignment, CodeLocation at);
// The launch's dynamic shared memory, aligned to 128 bytes.
void* dynamic_shared(CodeLocation at);

// One variable per declaration: every lambda expression has a type of its own.
template <class T, class Declaration>
T& shared(Declaration, CodeLocation at = CodeLocation::here()) {
  static_assert(std::is_trivially_default_constructible_v<T>, "shared memory is not initialized");
  static const char key = 0;
  return *static_cast<T*>(shared_variable(&key, sizeof(T), alignof(T), at));
}

// ------------------------------------------------------------------------------------------------------ rendezvous --
struct BlockVote {
  int any = 0, all = 1, count = 0;  // over the predicates of all threads of the block
};
void wait_for_grid_ahead();  // of a launch that begins early: every thread, before it ends
BlockVote block_barrier(const char* operation, int predicate, CodeLocation at);
void grid_barrier(CodeLocation at);
void memory_fence();

// One lane's part in an operation of its warp.
struct WarpOperation {
  const char* name;
  std::uint32_t mask;
  CodeLocation at;
};
unsigned lane();  // of the running thread in its warp
void warp_barrier(const WarpOperation& operation);
std::uint32_t warp_ballot(const WarpOperation& operation, bool predicate);

struct ShuffleValue {
  std::uint64_t words[2] = {0, 0};
};
// The value that lane `source` brings.
ShuffleValue warp_shuffle(const WarpOperation& operation, int source, const ShuffleValue& value);

}  // namespace genexx::simt
