// SPDX-License-Identifier: Apache-2.0
#include <cublasLt.h>
#include <cuda_runtime_api.h>
#include <dlfcn.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <tuple>

#include "engine/cache_directory.h"
#include "engine/cuda/check.h"
#include "engine/cuda/cuda_context.h"
#include "kernels/gemm.h"
#include "kernels/gemm_algorithms.h"
#include "kernels/gemm_seeds.h"

namespace genexx::gemm::cuda {
namespace {

constexpr std::size_t kWorkspaceBytes = std::size_t{32} << 20;
constexpr int kMostAlgorithms = 64;                           // asked for and timed
constexpr std::int64_t kColdBytes = std::int64_t{180} << 20;  // operands of a timing: three second-level caches
constexpr int kMostCopies = 16, kTimings = 5;

// The library is opened when the first product runs: a program built with CUDA starts without it.
struct Library {
  void* handle = nullptr;
  decltype(&cublasLtCreate) create = nullptr;
  decltype(&cublasLtDestroy) destroy = nullptr;
  decltype(&cublasLtMatmulDescCreate) descriptor_create = nullptr;
  decltype(&cublasLtMatmulDescDestroy) descriptor_destroy = nullptr;
  decltype(&cublasLtMatmulDescSetAttribute) descriptor_set = nullptr;
  decltype(&cublasLtMatrixLayoutCreate) layout_create = nullptr;
  decltype(&cublasLtMatrixLayoutDestroy) layout_destroy = nullptr;
  decltype(&cublasLtMatrixLayoutSetAttribute) layout_set = nullptr;
  decltype(&cublasLtMatmulPreferenceCreate) preference_create = nullptr;
  decltype(&cublasLtMatmulPreferenceDestroy) preference_destroy = nullptr;
  decltype(&cublasLtMatmulPreferenceSetAttribute) preference_set = nullptr;
  decltype(&cublasLtMatmulAlgoGetHeuristic) heuristic = nullptr;
  decltype(&cublasLtMatmulAlgoCheck) algorithm_check = nullptr;
  decltype(&cublasLtGetVersion) version = nullptr;
  decltype(&cublasLtMatmul) matmul = nullptr;
};

template <class F>
void load(const Library& library, const char* name, F& function) {
  function = reinterpret_cast<F>(dlsym(library.handle, name));
  if (!function) throw DeviceError(std::string("cuBLASLt has no function ") + name + "; install CUDA 12 or newer");
}

Library open_library() {
  Library l;
  for (const char* name : {"libcublasLt.so.13", "libcublasLt.so.12", "libcublasLt.so"})
    if (!l.handle) l.handle = dlopen(name, RTLD_NOW | RTLD_LOCAL);
  if (!l.handle)
    throw DeviceError("cannot open libcublasLt.so (versions 13 and 12 were tried): " + std::string(dlerror()) +
                      "; put the CUDA libraries on LD_LIBRARY_PATH, or use --device cpu");
  load(l, "cublasLtCreate", l.create);
  load(l, "cublasLtDestroy", l.destroy);
  load(l, "cublasLtMatmulDescCreate", l.descriptor_create);
  load(l, "cublasLtMatmulDescDestroy", l.descriptor_destroy);
  load(l, "cublasLtMatmulDescSetAttribute", l.descriptor_set);
  load(l, "cublasLtMatrixLayoutCreate", l.layout_create);
  load(l, "cublasLtMatrixLayoutDestroy", l.layout_destroy);
  load(l, "cublasLtMatrixLayoutSetAttribute", l.layout_set);
  load(l, "cublasLtMatmulPreferenceCreate", l.preference_create);
  load(l, "cublasLtMatmulPreferenceDestroy", l.preference_destroy);
  load(l, "cublasLtMatmulPreferenceSetAttribute", l.preference_set);
  load(l, "cublasLtMatmulAlgoGetHeuristic", l.heuristic);
  load(l, "cublasLtMatmulAlgoCheck", l.algorithm_check);
  load(l, "cublasLtGetVersion", l.version);
  load(l, "cublasLtMatmul", l.matmul);
  return l;
}

void check_blas(cublasStatus_t status, const char* call) {
  if (status != CUBLAS_STATUS_SUCCESS)
    throw DeviceError(std::string(call) + " failed with cuBLAS status " + std::to_string(static_cast<int>(status)));
}

using PlanKey = std::tuple<std::int64_t, std::int64_t, std::int64_t, std::int64_t, std::int64_t, std::int64_t,
                           std::int64_t, std::int64_t, int, int, int, int, int, int, int, int>;

// Descriptors and the algorithm of one shape. Freed with the state.
struct Plan {
  cublasLtMatmulDesc_t descriptor = nullptr;
  cublasLtMatrixLayout_t first = nullptr, second = nullptr, out = nullptr;
  cublasLtMatmulAlgo_t algorithm{};
};

AlgorithmCache::Options cache_options(const CudaContext& ctx, std::size_t version) {
  return {.directory = cache_directory(),
          .device = cuda_device_name(ctx.ordinal()) + ", " + std::to_string(ctx.multiprocessors()) + " multiprocessors",
          .library = "cuBLASLt " + std::to_string(version),
          .seeds = gemm_seeds(),
          .warn = [](const std::string& text) { std::fprintf(stderr, "genexx: warning: %s\n", text.c_str()); }};
}

struct State {
  Library library = open_library();
  cublasLtHandle_t handle = nullptr;
  void* workspace = nullptr;
  CudaContext& ctx;
  std::map<PlanKey, Plan> plans;
  AlgorithmCache algorithms;

  explicit State(CudaContext& c) : ctx(c), algorithms(cache_options(c, library.version())) {
    check_blas(library.create(&handle), "cublasLtCreate");
    workspace = ctx.allocate(static_cast<std::int64_t>(kWorkspaceBytes));
  }
  ~State() {
    for (auto& [key, plan] : plans) {
      library.layout_destroy(plan.first);
      library.layout_destroy(plan.second);
      library.layout_destroy(plan.out);
      library.descriptor_destroy(plan.descriptor);
    }
    ctx.release(workspace);
    library.destroy(handle);
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;
};

// Operands in bf16 need no other compute type than CUBLAS_COMPUTE_32F: their products are exact in f32.
cublasComputeType_t compute_type(DType dtype, Precision precision) {
  if (dtype == DType::f64) return CUBLAS_COMPUTE_64F;
  return precision == Precision::tf32 ? CUBLAS_COMPUTE_32F_FAST_TF32 : CUBLAS_COMPUTE_32F;
}

cudaDataType_t data_type(DType dtype) {
  return dtype == DType::f64 ? CUDA_R_64F : dtype == DType::bf16 ? CUDA_R_16BF : CUDA_R_32F;
}

// Row-major C[m,n] is column-major C'[n,m] = op(B') op(A'), so B is the first operand.
struct Operand {
  std::int64_t rows, columns, pitch, stride;  // column-major as stored
};

cublasLtMatrixLayout_t make_layout(const State& s, cudaDataType_t type, const Operand& o, std::int64_t replicas) {
  cublasLtMatrixLayout_t layout = nullptr;
  check_blas(s.library.layout_create(&layout, type, static_cast<std::uint64_t>(o.rows),
                                     static_cast<std::uint64_t>(o.columns), o.pitch),
             "cublasLtMatrixLayoutCreate");
  const auto batch = static_cast<std::int32_t>(replicas);
  check_blas(s.library.layout_set(layout, CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT, &batch, sizeof batch), "batch count");
  check_blas(s.library.layout_set(layout, CUBLASLT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET, &o.stride, sizeof o.stride),
             "batch offset");
  return layout;
}

ProductShape shape_of(const Args& args, const Extents& e) {
  ProductShape shape;
  shape.replicas = e.replicas;
  shape.m = e.m;
  shape.n = e.n;
  shape.k = e.k;
  shape.a_row = e.a_pitch;
  shape.b_row = e.b_pitch;
  shape.c_row = e.n;
  shape.a_stride = e.a_stride;
  shape.b_stride = e.b_stride;
  shape.c_stride = e.m * e.n;
  shape.transpose_a = args.transpose_a == Transpose::yes;
  shape.transpose_b = args.transpose_b == Transpose::yes;
  shape.bias = static_cast<bool>(args.bias);
  shape.accumulate = args.mode == WriteMode::accumulate;
  const auto alignment = [](const ConstTensor& t, std::int64_t row, std::int64_t stride) {
    const std::int64_t element = size_of(t.dtype);
    return alignment_of(reinterpret_cast<std::uintptr_t>(t.data), row * element, stride * element);
  };
  shape.a_alignment = alignment(args.a, shape.a_row, shape.a_stride);
  shape.b_alignment = alignment(args.b, shape.b_row, shape.b_stride);
  shape.c_alignment = alignment(args.c, shape.c_row, shape.c_stride);
  shape.dtype = name_of(args.c.dtype);
  shape.precision = name_of(args.precision);
  shape.workspace = static_cast<std::int64_t>(kWorkspaceBytes);
  return shape;
}

static_assert(sizeof(cublasLtMatmulAlgo_t) == sizeof(Algorithm));

cublasLtMatmulAlgo_t described(const Algorithm& algorithm) {
  cublasLtMatmulAlgo_t out{};
  std::memcpy(&out, algorithm.data(), sizeof out);
  return out;
}

// Copies of the operands of one product, so many that a round over them leaves nothing of the first in the cache.
class Copies {
 public:
  Copies(CudaContext& ctx, const Args& args) : ctx_(ctx), bytes_{bytes_of(args.a), bytes_of(args.b), bytes_of(args.c)} {
    const std::int64_t each = bytes_[0] + bytes_[1] + bytes_[2];
    const std::int64_t count = std::clamp<std::int64_t>(kColdBytes / std::max<std::int64_t>(1, each), 1, kMostCopies);
    const void* const from[] = {args.a.data, args.b.data, args.c.data};
    for (std::int64_t i = 0; i < count; ++i)
      for (int operand = 0; operand < 3; ++operand) {
        buffers_.emplace_back(ctx, bytes_[operand]);
        ctx.copy_within(buffers_.back().data(), from[operand], bytes_[operand]);
      }
  }
  std::size_t count() const { return buffers_.size() / 3; }
  void* a(std::size_t i) const { return buffers_[3 * i].data(); }
  void* b(std::size_t i) const { return buffers_[3 * i + 1].data(); }
  void* c(std::size_t i) const { return buffers_[3 * i + 2].data(); }

 private:
  static std::int64_t bytes_of(const ConstTensor& t) { return t.shape.elements() * size_of(t.dtype); }
  CudaContext& ctx_;
  std::int64_t bytes_[3];
  std::vector<Buffer> buffers_;
};

// Two events around what is timed.
class Stopwatch {
 public:
  explicit Stopwatch(CUstream_st* stream) : stream_(stream) {
    check(cudaEventCreate(&begin_), "cudaEventCreate");
    check(cudaEventCreate(&end_), "cudaEventCreate");
  }
  ~Stopwatch() {
    cudaEventDestroy(begin_);
    cudaEventDestroy(end_);
  }
  Stopwatch(const Stopwatch&) = delete;
  Stopwatch& operator=(const Stopwatch&) = delete;
  void start() { check(cudaEventRecord(begin_, stream_), "cudaEventRecord"); }
  double microseconds() {
    float milliseconds = 0;
    check(cudaEventRecord(end_, stream_), "cudaEventRecord");
    check(cudaEventSynchronize(end_), "cudaEventSynchronize");
    check(cudaEventElapsedTime(&milliseconds, begin_, end_), "cudaEventElapsedTime");
    return 1e3 * static_cast<double>(milliseconds);
  }

 private:
  CUstream_st* stream_;
  cudaEvent_t begin_ = nullptr, end_ = nullptr;
};

// What cuBLASLt says of one plan.
class Offers final : public AlgorithmSource {
 public:
  Offers(State& state, const Plan& plan, const Args& args, const ProductShape& shape)
      : state_(state), plan_(plan), args_(args), shape_(shape) {}

  std::vector<Algorithm> ranked() override {
    const Library& library = state_.library;
    cublasLtMatmulPreference_t preference = nullptr;
    check_blas(library.preference_create(&preference), "cublasLtMatmulPreferenceCreate");
    const auto set = [&](cublasLtMatmulPreferenceAttributes_t attribute, const auto& value) {
      library.preference_set(preference, attribute, &value, sizeof value);
    };
    const auto first = static_cast<std::uint32_t>(shape_.b_alignment);  // row-major b is the library's first operand
    const auto second = static_cast<std::uint32_t>(shape_.a_alignment),
               out = static_cast<std::uint32_t>(shape_.c_alignment);
    set(CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, kWorkspaceBytes);
    set(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, first);
    set(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES, second);
    set(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES, out);
    set(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES, out);
    std::vector<cublasLtMatmulHeuristicResult_t> results(kMostAlgorithms);
    int found = 0;
    const cublasStatus_t status =
        library.heuristic(state_.handle, plan_.descriptor, plan_.first, plan_.second, plan_.out, plan_.out, preference,
                          kMostAlgorithms, results.data(), &found);
    library.preference_destroy(preference);
    if (status == CUBLAS_STATUS_NOT_SUPPORTED) found = 0;
    if (found > 0) check_blas(status, "cublasLtMatmulAlgoGetHeuristic");
    std::vector<Algorithm> all;
    for (int i = 0; i < found; ++i) {
      if (results[static_cast<std::size_t>(i)].state != CUBLAS_STATUS_SUCCESS) continue;
      Algorithm algorithm{};
      std::memcpy(algorithm.data(), &results[static_cast<std::size_t>(i)].algo, sizeof algorithm);
      all.push_back(algorithm);
    }
    return all;
  }

  bool runs(const Algorithm& algorithm) override {
    cublasLtMatmulHeuristicResult_t result{};
    const cublasLtMatmulAlgo_t wanted = described(algorithm);
    return state_.library.algorithm_check(state_.handle, plan_.descriptor, plan_.first, plan_.second, plan_.out,
                                          plan_.out, &wanted, &result) == CUBLAS_STATUS_SUCCESS &&
           result.workspaceSize <= kWorkspaceBytes;
  }

  // The median of a few rounds over the copies, after one that warms up.
  std::optional<double> microseconds(const Algorithm& algorithm) override {
    if (!runs(algorithm) || !has_copies()) return std::nullopt;
    Stopwatch watch(state_.ctx.stream());
    std::vector<double> times;
    for (int round = 0; round <= kTimings; ++round) {
      watch.start();
      for (std::size_t i = 0; i < copies_->count(); ++i)
        if (!multiply(algorithm, i)) return std::nullopt;
      const double time = watch.microseconds() / static_cast<double>(copies_->count());
      if (round > 0) times.push_back(time);
    }
    std::nth_element(times.begin(), times.begin() + kTimings / 2, times.end());
    return times[kTimings / 2];
  }

 private:
  // Memory that only just holds the training has no room for them.
  bool has_copies() {
    if (copies_ || no_room_) return !no_room_;
    try {
      copies_ = std::make_unique<Copies>(state_.ctx, args_);
    } catch (const DeviceError&) {
      no_room_ = true;
    }
    return !no_room_;
  }

  bool multiply(const Algorithm& algorithm, std::size_t copy) {
    const cublasLtMatmulAlgo_t chosen = described(algorithm);
    const double one = 1, zero = 0;
    const float one_f = 1, zero_f = 0;
    const bool wide = args_.c.dtype == DType::f64, add = shape_.accumulate;
    const void* const alpha = wide ? static_cast<const void*>(&one) : &one_f;
    const void* const beta = wide ? static_cast<const void*>(add ? &one : &zero) : add ? &one_f : &zero_f;
    return state_.library.matmul(state_.handle, plan_.descriptor, alpha, copies_->b(copy), plan_.first,
                                 copies_->a(copy), plan_.second, beta, copies_->c(copy), plan_.out, copies_->c(copy),
                                 plan_.out, &chosen, state_.workspace, kWorkspaceBytes,
                                 state_.ctx.stream()) == CUBLAS_STATUS_SUCCESS;
  }

  State& state_;
  const Plan& plan_;
  const Args& args_;
  const ProductShape& shape_;
  std::unique_ptr<Copies> copies_;
  bool no_room_ = false;
};

// Where there is no room for copies to time with, the library's first guess serves.
void choose_algorithm(State& s, Plan& plan, const Args& args, const ProductShape& shape) {
  if (args.bias) {
    const void* bias = args.bias.data;
    s.library.descriptor_set(plan.descriptor, CUBLASLT_MATMUL_DESC_BIAS_POINTER, &bias, sizeof bias);
  }
  Offers offers(s, plan, args, shape);
  plan.algorithm = described(choose(s.algorithms, shape, offers));
}

Plan make_plan(State& s, const Args& args, const Extents& e, const ProductShape& shape) {
  Plan plan;
  const cudaDataType_t type = data_type(args.c.dtype), operand = data_type(args.a.dtype);
  check_blas(s.library.descriptor_create(&plan.descriptor, compute_type(args.c.dtype, args.precision), type),
             "cublasLtMatmulDescCreate");
  const cublasOperation_t first = args.transpose_b == Transpose::yes ? CUBLAS_OP_T : CUBLAS_OP_N;
  const cublasOperation_t second = args.transpose_a == Transpose::yes ? CUBLAS_OP_T : CUBLAS_OP_N;
  s.library.descriptor_set(plan.descriptor, CUBLASLT_MATMUL_DESC_TRANSA, &first, sizeof first);
  s.library.descriptor_set(plan.descriptor, CUBLASLT_MATMUL_DESC_TRANSB, &second, sizeof second);
  if (args.bias) {
    const cublasLtEpilogue_t epilogue = CUBLASLT_EPILOGUE_BIAS;
    const std::int64_t stride = e.n;
    s.library.descriptor_set(plan.descriptor, CUBLASLT_MATMUL_DESC_EPILOGUE, &epilogue, sizeof epilogue);
    s.library.descriptor_set(plan.descriptor, CUBLASLT_MATMUL_DESC_BIAS_BATCH_STRIDE, &stride, sizeof stride);
  }
  const bool ta = args.transpose_a == Transpose::yes, tb = args.transpose_b == Transpose::yes;
  plan.first = make_layout(s, operand, {tb ? e.k : e.n, tb ? e.n : e.k, e.b_pitch, e.b_stride}, e.replicas);
  plan.second = make_layout(s, operand, {ta ? e.m : e.k, ta ? e.k : e.m, e.a_pitch, e.a_stride}, e.replicas);
  plan.out = make_layout(s, type, {e.n, e.m, e.n, e.m * e.n}, e.replicas);
  choose_algorithm(s, plan, args, shape);
  return plan;
}

// Plans are apart where operands lie otherwise in memory: an algorithm may need more of them than others.
Plan& find_plan(State& s, const Args& args, const Extents& e) {
  const ProductShape shape = shape_of(args, e);
  const PlanKey key = {e.replicas,
                       e.m,
                       e.n,
                       e.k,
                       e.a_stride,
                       e.b_stride,
                       e.a_pitch,
                       e.b_pitch,
                       static_cast<int>(args.transpose_a),
                       static_cast<int>(args.transpose_b),
                       static_cast<int>(args.c.dtype),
                       static_cast<int>(args.precision),
                       args.bias ? 1 : 0,
                       shape.a_alignment,
                       shape.b_alignment,
                       shape.c_alignment};
  const auto found = s.plans.find(key);
  if (found != s.plans.end()) return found->second;
  return s.plans.emplace(key, make_plan(s, args, e, shape)).first->second;
}

template <class T>
void run_typed(CudaContext& ctx, State& s, const Args& args, const Extents& e) {
  Plan& plan = find_plan(s, args, e);
  if (args.bias) {
    const void* bias = args.bias.data;
    s.library.descriptor_set(plan.descriptor, CUBLASLT_MATMUL_DESC_BIAS_POINTER, &bias, sizeof bias);
  }
  const T alpha = 1, beta = args.mode == WriteMode::accumulate ? T{1} : T{0};
  check_blas(s.library.matmul(s.handle, plan.descriptor, &alpha, args.b.data, plan.first, args.a.data, plan.second,
                              &beta, args.c.data, plan.out, args.c.data, plan.out, &plan.algorithm, s.workspace,
                              kWorkspaceBytes, ctx.stream()),
             "cublasLtMatmul");
}

}  // namespace

void run(CudaContext& ctx, const Args& args, const Extents& e) {
  const auto state = std::static_pointer_cast<State>(
      ctx.library_state("cublasLt", [&] { return std::static_pointer_cast<void>(std::make_shared<State>(ctx)); }));
  if (args.c.dtype == DType::f64) {
    run_typed<double>(ctx, *state, args, e);
  } else {
    run_typed<float>(ctx, *state, args, e);
  }
}

}  // namespace genexx::gemm::cuda
