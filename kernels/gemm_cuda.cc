// SPDX-License-Identifier: Apache-2.0
#include <cublasLt.h>
#include <dlfcn.h>

#include <map>
#include <memory>
#include <string>
#include <tuple>

#include "engine/cuda/check.h"
#include "engine/cuda/cuda_context.h"
#include "kernels/gemm.h"

namespace genexx::gemm::cuda {
namespace {

constexpr std::size_t kWorkspaceBytes = std::size_t{32} << 20;

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
  load(l, "cublasLtMatmul", l.matmul);
  return l;
}

void check_blas(cublasStatus_t status, const char* call) {
  if (status != CUBLAS_STATUS_SUCCESS)
    throw DeviceError(std::string(call) + " failed with cuBLAS status " + std::to_string(static_cast<int>(status)));
}

using PlanKey = std::tuple<std::int64_t, std::int64_t, std::int64_t, std::int64_t, std::int64_t, std::int64_t, int, int,
                           int, int, int>;

// Descriptors and the algorithm of one shape. Freed with the state.
struct Plan {
  cublasLtMatmulDesc_t descriptor = nullptr;
  cublasLtMatrixLayout_t first = nullptr, second = nullptr, out = nullptr;
  cublasLtMatmulAlgo_t algorithm{};
};

struct State {
  Library library = open_library();
  cublasLtHandle_t handle = nullptr;
  void* workspace = nullptr;
  CudaContext& ctx;
  std::map<PlanKey, Plan> plans;

  explicit State(CudaContext& c) : ctx(c) {
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

cublasComputeType_t compute_type(DType dtype, Precision precision) {
  if (dtype == DType::f64) return CUBLAS_COMPUTE_64F;
  if (precision == Precision::tf32) return CUBLAS_COMPUTE_32F_FAST_TF32;
  if (precision == Precision::bf16) return CUBLAS_COMPUTE_32F_FAST_16BF;
  return CUBLAS_COMPUTE_32F;
}

// Row-major C[m,n] is column-major C'[n,m] = op(B') op(A'), so B is the first operand.
struct Operand {
  std::int64_t rows, columns, stride;  // column-major as stored
};

cublasLtMatrixLayout_t make_layout(const State& s, cudaDataType_t type, const Operand& o, std::int64_t replicas) {
  cublasLtMatrixLayout_t layout = nullptr;
  check_blas(s.library.layout_create(&layout, type, static_cast<std::uint64_t>(o.rows),
                                     static_cast<std::uint64_t>(o.columns), o.rows),
             "cublasLtMatrixLayoutCreate");
  const auto batch = static_cast<std::int32_t>(replicas);
  check_blas(s.library.layout_set(layout, CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT, &batch, sizeof batch), "batch count");
  check_blas(s.library.layout_set(layout, CUBLASLT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET, &o.stride, sizeof o.stride),
             "batch offset");
  return layout;
}

void choose_algorithm(State& s, Plan& plan) {
  cublasLtMatmulPreference_t preference = nullptr;
  check_blas(s.library.preference_create(&preference), "cublasLtMatmulPreferenceCreate");
  s.library.preference_set(preference, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, &kWorkspaceBytes,
                           sizeof kWorkspaceBytes);
  cublasLtMatmulHeuristicResult_t result{};
  int found = 0;
  const cublasStatus_t status = s.library.heuristic(s.handle, plan.descriptor, plan.first, plan.second, plan.out,
                                                    plan.out, preference, 1, &result, &found);
  s.library.preference_destroy(preference);
  check_blas(status, "cublasLtMatmulAlgoGetHeuristic");
  if (found == 0) throw DeviceError("cuBLASLt offers no algorithm for this matrix product");
  plan.algorithm = result.algo;
}

Plan make_plan(State& s, const Args& args, const Extents& e, Precision precision) {
  Plan plan;
  const cudaDataType_t type = args.c.dtype == DType::f64 ? CUDA_R_64F : CUDA_R_32F;
  check_blas(s.library.descriptor_create(&plan.descriptor, compute_type(args.c.dtype, precision), type),
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
  plan.first = make_layout(s, type, {tb ? e.k : e.n, tb ? e.n : e.k, e.b_stride}, e.replicas);
  plan.second = make_layout(s, type, {ta ? e.m : e.k, ta ? e.k : e.m, e.a_stride}, e.replicas);
  plan.out = make_layout(s, type, {e.n, e.m, e.m * e.n}, e.replicas);
  choose_algorithm(s, plan);
  return plan;
}

Plan& find_plan(State& s, const Args& args, const Extents& e, Precision precision) {
  const PlanKey key = {e.replicas,
                       e.m,
                       e.n,
                       e.k,
                       e.a_stride,
                       e.b_stride,
                       static_cast<int>(args.transpose_a),
                       static_cast<int>(args.transpose_b),
                       static_cast<int>(args.c.dtype),
                       static_cast<int>(precision),
                       args.bias ? 1 : 0};
  const auto found = s.plans.find(key);
  if (found != s.plans.end()) return found->second;
  return s.plans.emplace(key, make_plan(s, args, e, precision)).first->second;
}

template <class T>
void run_typed(CudaContext& ctx, State& s, const Args& args, const Extents& e) {
  Plan& plan = find_plan(s, args, e, ctx.precision);
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
