// SPDX-License-Identifier: Apache-2.0
// With Options::queued what does not wait for a stream shows, and so does host code that follows a device pointer.
#include <sys/wait.h>
#include <unistd.h>
#include <csignal>

#include <doctest/doctest.h>

#include "engine/cuda/cuda_context.h"
#include "kernels/launch.h"
#include "tests/simt/execution.h"

namespace genexx {
namespace {

__global__ void put_kernel(int* out, int value) { *out = value; }

// Queues for a scope.
class Queued {
 public:
  Queued() : before_(simt::options()) {
    simt::Options options = before_;
    options.queued = true;
    simt::set_options(options);
  }
  ~Queued() { simt::set_options(before_); }
  Queued(const Queued&) = delete;
  Queued& operator=(const Queued&) = delete;

 private:
  simt::Options before_;
};

void put(CudaContext& ctx, const Buffer& out, int value) {
  launch({.grid = 1, .block = 1, .stream = ctx.stream()}, put_kernel, out.as<int>(), value);
  check_launch("test::put");
}

int peek(const Buffer& buffer) {
  const simt::DeviceAccess access;
  return *buffer.as<int>();
}

}  // namespace

TEST_CASE("emulated stream: queued work is done when somebody waits, in order") {
  const Queued queued;
  CudaContext ctx(0);
  const Buffer out(ctx, sizeof(int));
  ctx.fill_bytes(out.data(), 0, sizeof(int));
  ctx.synchronize();

  put(ctx, out, 5);
  put(ctx, out, 7);
  const int before = peek(out);
  ctx.synchronize();

  CHECK(before == 0);
  CHECK(peek(out) == 7);
}

TEST_CASE("emulated stream: a copy to the host and giving memory back wait for the work before them") {
  const Queued queued;
  CudaContext ctx(0);
  int value = 0;
  const Buffer out(ctx, sizeof(int));
  {
    const Buffer source(ctx, sizeof(int));
    put(ctx, source, 9);
    ctx.copy_within(out.data(), source.data(), sizeof(int));
  }
  ctx.copy_to_host(&value, out.data(), sizeof(int));

  CHECK(value == 9);
}

TEST_CASE("emulated stream: what goes wrong in queued work is thrown where it is waited for, once") {
  const Queued queued;
  CudaContext ctx(0);
  const Buffer out(ctx, sizeof(int));
  launch({.grid = 1, .block = 2048, .stream = ctx.stream()}, put_kernel, out.as<int>(), 1);
  check_launch("test::put");

  CHECK_THROWS_WITH_AS(ctx.synchronize(), doctest::Contains("2048 threads"), DeviceError);
  CHECK_NOTHROW(ctx.synchronize());
}

TEST_CASE("emulated stream: host code cannot read device memory") {
  const Queued queued;
  CudaContext ctx(0);
  const Buffer out(ctx, sizeof(int));
  const pid_t child = fork();
  if (child == 0) {
    std::signal(SIGSEGV, SIG_DFL);
    const volatile int seen = *out.as<int>();
    _exit(seen == 0 ? 0 : 1);
  }
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);

  CHECK(WIFSIGNALED(status));
  CHECK(WTERMSIG(status) == SIGSEGV);
}

TEST_CASE("emulated device: the stream of the host program is used, and neither changed nor ended") {
  CUstream_st host_stream;
  {
    CudaContext ctx(0, &host_stream);
    const Buffer out(ctx, sizeof(int));
    put(ctx, out, 3);
    CHECK(ctx.stream() == &host_stream);
    CHECK(peek(out) == 3);
  }
  CHECK(host_stream.recording == nullptr);
  CHECK(host_stream.queue == nullptr);
}

}  // namespace genexx
