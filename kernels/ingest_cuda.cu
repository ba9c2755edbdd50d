// SPDX-License-Identifier: Apache-2.0
#include "engine/cuda/cuda_context.h"
#include "kernels/device/stored_values.h"
#include "kernels/ingest.h"
#include "kernels/launch.h"

namespace genexx::ingest::cuda {
namespace {

constexpr int kBlock = block_threads(256);
constexpr std::int64_t kTileBytes = 24 * 1024;  // of one row, in shared memory: eight blocks fit a multiprocessor

// Elements in one 16-byte store.
template <class T>
constexpr int kLanes = 16 / static_cast<int>(sizeof(T));

template <class T>
struct alignas(16) Vector {
  T lane[kLanes<T>];
};

template <class T>
struct Pointers {
  device::StoredValues stored;
  const std::int64_t* rows;
  const std::int32_t* gene_of_column;  // null: column j is gene j
  const float* row_factor;             // null: 1
  const T* shift;                      // null: 0
  const T* factor;                     // null: 1
  T* out;
};

struct Settings {
  Extents e;
  std::int64_t tile;  // genes of a row handled at once
  Transform transform;
};

template <class T>
__device__ inline T scaled(T x, const T* shift, const T* factor, T clip, std::int64_t gene) {
  if (factor != nullptr && factor[gene] == T(0)) return T(0);
  if (shift != nullptr) x -= shift[gene];
  if (factor != nullptr) x *= factor[gene];
  if (clip == T(0)) return x;
  return x > clip ? clip : x < -clip ? -clip : x;
}

// Writes `count` elements held in shared memory from `tile[offset]` on to `out`, whose address is `offset` elements
// past a 16-byte boundary, so that shared and global vectors coincide. All threads of the block take part; no barrier
// inside.
template <class T>
__device__ inline void store_tile(const T* tile, int offset, std::int64_t count, T* out) {
  T* const aligned = out - offset;
  const std::int64_t end = offset + count;
  for (std::int64_t v = threadIdx.x; v * kLanes<T> < end; v += blockDim.x) {
    const std::int64_t first = v * kLanes<T>;
    if (first >= offset && first + kLanes<T> <= end) {
      *reinterpret_cast<Vector<T>*>(aligned + first) = *reinterpret_cast<const Vector<T>*>(tile + first);
      continue;
    }
    for (std::int64_t i = first; i < first + kLanes<T>; ++i)
      if (i >= offset && i < end) aligned[i] = tile[i];
  }
}

// One block owns one output row and goes over it in tiles of shared memory: fill with what zero becomes, scatter the
// stored values, store. Reads the row's entries once per tile, shift and factor twice where stored; writes each element
// once, 16 bytes a thread. The order of threads cannot matter: no two entries of a row share a gene.
template <class T>
__global__ void ingest_kernel(Settings s, Pointers<T> p, T clip) {
  GENEXX_DYNAMIC_SHARED(T, tile);
  wait_for_grid_ahead();
  const std::int64_t row = blockIdx.x;
  const std::int64_t replica = row / s.e.n, i = row % s.e.n;
  const std::int64_t cell = p.rows[replica * s.e.rows_stride + i];
  const T* shift = p.shift == nullptr ? nullptr : p.shift + replica * s.e.shift_stride;
  const T* factor = p.factor == nullptr ? nullptr : p.factor + replica * s.e.factor_stride;
  device::EntryRange range = {0, 0, 0};
  T row_factor = T(1);
  if (cell >= 0) {
    range = device::entries_of(p.stored, cell);
    if (p.row_factor != nullptr) row_factor = T(p.row_factor[replica * s.e.row_factor_stride + cell]);
  }
  for (std::int64_t first = 0; first < s.e.genes; first += s.tile) {
    const std::int64_t count = s.e.genes - first < s.tile ? s.e.genes - first : s.tile;
    T* const out = p.out + row * s.e.genes + first;
    const int offset = static_cast<int>(reinterpret_cast<std::uintptr_t>(out) / sizeof(T) % kLanes<T>);
    for (std::int64_t j = threadIdx.x; j < count; j += blockDim.x)
      tile[offset + j] = cell < 0 ? T(0) : scaled(T(0), shift, factor, clip, first + j);
    __syncthreads();
    for (std::int64_t entry = range.begin + threadIdx.x; entry < range.end; entry += blockDim.x) {
      const std::int64_t column = device::column_of(p.stored, range, entry);
      const std::int64_t gene = p.gene_of_column != nullptr ? p.gene_of_column[column] : column;
      if (gene < first || gene >= first + count) continue;
      const T x = device::transformed(s.transform, T(p.stored.value[entry]) * row_factor);
      tile[offset + gene - first] = scaled(x, shift, factor, clip, gene);
    }
    __syncthreads();
    store_tile(tile, offset, count, out);
    __syncthreads();
  }
}

template <class T>
const T* pointer(const ConstTensor& t) {
  return t ? t.as<T>() : nullptr;
}

template <class T>
void run_typed(CudaContext& ctx, const Args& a, const Extents& e) {
  Pointers<T> p{};
  p.stored = device::stored_values(a.data);
  p.rows = a.rows.as<std::int64_t>();
  p.gene_of_column = pointer<std::int32_t>(a.gene_of_column);
  p.row_factor = pointer<float>(a.row_factor);
  p.shift = pointer<T>(a.shift);
  p.factor = pointer<T>(a.factor);
  p.out = a.out.as<T>();
  const std::int64_t most = kTileBytes / static_cast<std::int64_t>(sizeof(T));
  const Settings s = {e, e.genes < most ? e.genes : most, a.transform};
  LaunchConfig config;
  config.grid = dim3(grid_extent(e.replicas * e.n));
  config.block = dim3(kBlock);
  config.shared_bytes = static_cast<std::size_t>((s.tile + kLanes<T>)*static_cast<std::int64_t>(sizeof(T)));
  config.stream = ctx.stream();
  config.begin = ctx.stream().begin();
  launch(config, ingest_kernel<T>, s, p, static_cast<T>(a.clip));
  check_launch("ingest::run");
}

}  // namespace

void run(CudaContext& ctx, const Args& args, const Extents& e) {
  args.out.dtype == DType::f64 ? run_typed<double>(ctx, args, e) : run_typed<float>(ctx, args, e);
}

}  // namespace genexx::ingest::cuda
