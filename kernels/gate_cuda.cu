// SPDX-License-Identifier: Apache-2.0
#include "engine/cuda/cuda_context.h"
#include "kernels/device/loss_sum.h"
#include "kernels/device/quads.h"
#include "kernels/device/reduce.h"
#include "kernels/expect.h"
#include "kernels/gate.h"

namespace genexx::gate::cuda {
namespace {

using device::Quad;

constexpr unsigned kQuads = 64;                          // of a block side by side: 256 genes
constexpr unsigned kRows = block_threads(256) / kQuads;  // rows worked on at once
constexpr std::int64_t kChunk = 16;                      // rows of a block

// Block (x, k) owns 256 genes (tile x % tiles) of kChunk rows (chunk x / tiles) of replica k; a thread owns four genes
// of rows threadIdx.y, threadIdx.y + kRows, ... of the chunk.
struct Place {
  std::int64_t k, gene, left, begin, end;
};

__device__ inline Place place_of(std::int64_t tiles, std::int64_t n, std::int64_t g) {
  const std::int64_t chunk = blockIdx.x / tiles, tile = blockIdx.x - chunk * tiles;
  const std::int64_t gene = 4 * (tile * kQuads + threadIdx.x), begin = chunk * kChunk;
  const std::int64_t end = begin + kChunk < n ? begin + kChunk : n;
  return {blockIdx.y, gene, g - gene, begin + threadIdx.y, g > gene ? end : 0};
}

template <class T>
struct PullCall {
  std::int64_t index_stride, mask_stride;
  const T* index;          // null: no pull
  const T* mask;           // null: 1
  const double* mask_sum;  // null: g
  const double* scale;     // null: 1
  double* divisor;         // [r]: n M
  double* partial;         // [r, blocks]
};

// What pulls four gates of a replica, and how hard.
template <class T>
struct PulledGenes {
  Quad<T> index, mask;
  T factor;
};

__device__ inline double divisor_of(const double* mask_sum, std::int64_t k, std::int64_t n, std::int64_t g) {
  return double(n) * (mask_sum != nullptr ? mask_sum[k] : double(g));
}

template <class T>
__device__ inline PulledGenes<T> pulled_genes(const PullCall<T>& a, const Place& p, std::int64_t n, std::int64_t g) {
  PulledGenes<T> genes = {};
  if (a.index == nullptr || p.left <= 0) return genes;
  const double divisor = divisor_of(a.mask_sum, p.k, n, g);
  genes.factor = divisor == 0 ? T(0) : T(2 * (a.scale ? a.scale[p.k] : 1.0) / divisor);
  genes.index = device::load_quad(a.index + p.k * a.index_stride + p.gene, p.left, false);
  for (int j = 0; j < 4; ++j) genes.mask.lane[j] = T(1);
  if (a.mask) genes.mask = device::load_quad(a.mask + p.k * a.mask_stride + p.gene, p.left, false);
  return genes;
}

template <class T>
struct Forward {
  std::int64_t n, g, tiles, x_stride;
  bool whole;  // in_quads
  const T* logits;
  const T* x;
  T* gate;  // may be logits
  T* y;
  PullCall<T> pull;
};

// The block's part of the loss, and once a replica what divides it. All threads must arrive.
template <class T>
__device__ inline void write_partial(const Forward<T>& a, const Place& p, double sum, double* warps) {
  const unsigned thread = threadIdx.y * kQuads + threadIdx.x;
  sum = device::warp_sum(sum);
  if (thread % 32 == 0) warps[thread / 32] = sum;
  __syncthreads();
  if (thread != 0) return;
  double total = 0;
  for (unsigned w = 0; w < kQuads * kRows / 32; ++w) total += warps[w];
  a.pull.partial[p.k * gridDim.x + blockIdx.x] = total;
  if (blockIdx.x == 0) a.pull.divisor[p.k] = divisor_of(a.pull.mask_sum, p.k, a.n, a.g);
}

// Moves 4 elements a unit.
template <class T>
__global__ void forward_kernel(Forward<T> a) {
  GENEXX_SHARED(double, warps, [32]);
  const Place p = place_of(a.tiles, a.n, a.g);
  const PulledGenes<T> genes = pulled_genes(a.pull, p, a.n, a.g);
  double sum = 0;
  for (std::int64_t i = p.begin; i < p.end; i += kRows) {
    const std::int64_t at = (p.k * a.n + i) * a.g + p.gene;
    Quad<T> gate = device::load_quad(a.logits + at, p.left, a.whole);
    Quad<T> y = device::load_quad(a.x + p.k * a.x_stride + i * a.g + p.gene, p.left, a.whole);
    for (int j = 0; j < 4; ++j) {
      gate.lane[j] = T(1) / (T(1) + ::exp(-gate.lane[j]));
      y.lane[j] *= gate.lane[j];
      const double distance = double(gate.lane[j]) - double(genes.index.lane[j]);
      if (j < p.left) sum += double(genes.mask.lane[j]) * distance * distance;
    }
    device::store_quad(a.gate + at, p.left, a.whole, gate);
    device::store_quad(a.y + at, p.left, a.whole, y);
  }
  if (a.pull.index != nullptr) write_partial(a, p, sum, warps);
}

template <class T>
struct Backward {
  WriteMode mode;
  bool whole;  // in_quads
  std::int64_t n, g, tiles, x_stride;
  const T* gate;
  const T* x;
  const T* dy;     // null: zero
  const T* dgate;  // null: zero
  T* dlogits;      // may be dy or dgate
  T* dx;           // null: not wanted
  PullCall<T> pull;
};

// Moves at most 6 elements a unit (8 when accumulating).
template <class T>
__global__ void backward_kernel(Backward<T> b) {
  const Place p = place_of(b.tiles, b.n, b.g);
  const PulledGenes<T> genes = pulled_genes(b.pull, p, b.n, b.g);
  for (std::int64_t i = p.begin; i < p.end; i += kRows) {
    const std::int64_t at = (p.k * b.n + i) * b.g + p.gene;
    const Quad<T> gate = device::load_quad(b.gate + at, p.left, b.whole);
    Quad<T> reaching = b.dgate ? device::load_quad(b.dgate + at, p.left, b.whole) : Quad<T>{};
    if (b.pull.index != nullptr)
      for (int j = 0; j < 4; ++j)
        reaching.lane[j] += genes.factor * genes.mask.lane[j] * (gate.lane[j] - genes.index.lane[j]);
    Quad<T> dx = {};
    if (b.dy) {
      const Quad<T> dy = device::load_quad(b.dy + at, p.left, b.whole);
      const Quad<T> x = device::load_quad(b.x + p.k * b.x_stride + i * b.g + p.gene, p.left, b.whole);
      for (int j = 0; j < 4; ++j) {
        reaching.lane[j] += dy.lane[j] * x.lane[j];
        dx.lane[j] = dy.lane[j] * gate.lane[j];
      }
    }
    for (int j = 0; j < 4; ++j) reaching.lane[j] *= gate.lane[j] * (T(1) - gate.lane[j]);
    if (b.dx) device::write_quad(b.mode, b.dx + at, p.left, b.whole, dx);
    device::write_quad(b.mode, b.dlogits + at, p.left, b.whole, reaching);
  }
}

// Blocks of a replica.
std::int64_t parts_of(std::int64_t tiles, std::int64_t n) { return tiles * blocks_for(n, kChunk); }

LaunchConfig tile_launch(std::int64_t replicas, std::int64_t tiles, std::int64_t n, CUstream_st* stream) {
  LaunchConfig config;
  config.grid = dim3(grid_extent(parts_of(tiles, n)), grid_extent(replicas));
  config.block = dim3(kQuads, kRows);
  config.stream = stream;
  return config;
}

template <class T>
const T* optional(const ConstTensor& t) {
  return t ? t.as<T>() : nullptr;
}

template <class T>
PullCall<T> pull_call(const Pull& p, std::int64_t replicas) {
  if (!p.index) return {};
  return {replica_stride(p.index, replicas),
          replica_stride(p.mask, replicas),
          p.index.as<T>(),
          optional<T>(p.mask),
          p.mask ? p.mask_sum.as<double>() : nullptr,
          optional<double>(p.scale),
          nullptr,
          nullptr};
}

template <class T>
void forward_typed(CudaContext& ctx, const ForwardArgs& a) {
  const std::int64_t r = a.gate.shape[0], n = a.gate.shape[1], g = a.gate.shape[2], tiles = blocks_for(g, 4 * kQuads);
  const T* const logits = a.logits.as<T>();
  const T* const x = a.x.as<T>();
  T* const gate = a.gate.as<T>();
  T* const y = a.y.as<T>();
  Forward<T> call = {n, g,    tiles, replica_stride(a.x, r), device::in_quads(g, logits, x, gate, y), logits,
                     x, gate, y,     pull_call<T>(a.pull, r)};
  ScratchFrame frame(ctx);
  const std::int64_t parts = parts_of(tiles, n);
  if (a.pull.index) {
    call.pull.divisor = frame.take<double>(r);
    call.pull.partial = frame.take<double>(r * parts);
  }
  launch(tile_launch(r, tiles, n, ctx.stream()), forward_kernel<T>, call);
  check_launch("gate::forward");
  if (!a.pull.index) return;
  device::LossSum sum;
  sum.replicas = r;
  sum.parts = parts;
  sum.partial = call.pull.partial;
  sum.divisor = parts > 0 ? call.pull.divisor : nullptr;  // no rows: nobody wrote it, and the sum is zero
  sum.loss = a.pull.loss.as<double>();
  device::finish_loss(sum, ctx.stream());
}

template <class T>
void backward_typed(CudaContext& ctx, const BackwardArgs& a) {
  const std::int64_t r = a.gate.shape[0], n = a.gate.shape[1], g = a.gate.shape[2], tiles = blocks_for(g, 4 * kQuads);
  Backward<T> call = {};
  call.mode = a.mode;
  call.n = n;
  call.g = g;
  call.tiles = tiles;
  call.x_stride = replica_stride(a.x, r);
  call.gate = a.gate.as<T>();
  call.x = optional<T>(a.x);
  call.dy = optional<T>(a.dy);
  call.dgate = optional<T>(a.dgate);
  call.dlogits = a.dlogits.as<T>();
  call.dx = a.dx ? a.dx.as<T>() : nullptr;
  call.pull = pull_call<T>(a.pull, r);
  call.whole = device::in_quads(g, call.gate, call.x, call.dy, call.dgate, static_cast<const T*>(call.dlogits),
                                static_cast<const T*>(call.dx));
  launch(tile_launch(r, tiles, n, ctx.stream()), backward_kernel<T>, call);
  check_launch("gate::backward");
}

}  // namespace

void forward(CudaContext& ctx, const ForwardArgs& args) {
  args.gate.dtype == DType::f64 ? forward_typed<double>(ctx, args) : forward_typed<float>(ctx, args);
}

void backward(CudaContext& ctx, const BackwardArgs& args) {
  args.gate.dtype == DType::f64 ? backward_typed<double>(ctx, args) : backward_typed<float>(ctx, args);
}

}  // namespace genexx::gate::cuda
