// SPDX-License-Identifier: Apache-2.0
#include "kernels/conv1d_cudnn.h"

#include <algorithm>
#include <map>
#include <string>
#include <tuple>

#include "engine/cuda/cuda_context.h"
#include "engine/error.h"
#include "kernels/cudnn_library.h"

namespace genexx::conv1d::cuda {
namespace {

constexpr std::size_t kUnsupported = static_cast<std::size_t>(-1);

// Descriptors of one replica's part, and the workspace that each product asks for; kUnsupported: it cannot be done.
struct Plan {
  void *x = nullptr, *weight = nullptr, *y = nullptr, *bias = nullptr, *convolution = nullptr;
  std::size_t forward = kUnsupported, input_gradient = kUnsupported, weight_gradient = kUnsupported;
};

using PlanKey = std::tuple<std::int64_t, std::int64_t, std::int64_t, std::int64_t, std::int64_t, std::int64_t,
                           std::int64_t, std::int64_t>;

struct State {
  std::unique_ptr<const cudnn::Library> library = cudnn::open_library();
  void* handle = nullptr;
  std::map<PlanKey, Plan> plans;

  // A library that does not start is as good as none.
  explicit State(const CudaContext& ctx) {
    if (!library || library->create(&handle) != cudnn::kSuccess) handle = nullptr;
    if (handle && library->set_stream(handle, ctx.stream()) != cudnn::kSuccess) {
      library->destroy(handle);
      handle = nullptr;
    }
  }
  ~State() {
    for (auto& [key, plan] : plans) {
      for (void* tensor : {plan.x, plan.y, plan.bias})
        if (tensor) library->destroy_tensor(tensor);
      if (plan.weight) library->destroy_filter(plan.weight);
      if (plan.convolution) library->destroy_convolution(plan.convolution);
    }
    if (handle) library->destroy(handle);
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  void check(cudnn::Status status, const char* call) const {
    if (status == cudnn::kSuccess) return;
    throw DeviceError(std::string(call) + " failed with cuDNN status " + std::to_string(status) + ": " +
                      library->error_text(status));
  }
};

State& state_of(CudaContext& ctx) {
  return *std::static_pointer_cast<State>(
      ctx.library_state("cuDNN", [&] { return std::static_pointer_cast<void>(std::make_shared<State>(ctx)); }));
}

// Whether cuDNN, which pads evenly, has these windows, and int holds all sizes.
bool is_expressible(const Extents& e, const Placement& p) {
  constexpr std::int64_t kMost = (std::int64_t{1} << 31) - 1;
  const std::int64_t most = std::max({e.n * e.length * e.channels, e.n * e.windows * e.filters, e.filters * e.window(),
                                      p.stride, e.length + 2 * p.padding});
  return most <= kMost && windows_inside(e.length + 2 * p.padding, e.kernel, p.stride) == e.windows;
}

void fill_plan(const State& s, const Extents& e, const Placement& p, Plan& plan) {
  const cudnn::Library& l = *s.library;
  const auto i = [](std::int64_t value) { return static_cast<int>(value); };
  for (void** tensor : {&plan.x, &plan.y, &plan.bias}) s.check(l.create_tensor(tensor), "cudnnCreateTensorDescriptor");
  s.check(l.create_filter(&plan.weight), "cudnnCreateFilterDescriptor");
  s.check(l.create_convolution(&plan.convolution), "cudnnCreateConvolutionDescriptor");
  constexpr int kFormat = cudnn::kChannelsLast, kType = cudnn::kFloat;
  s.check(l.set_tensor(plan.x, kFormat, kType, i(e.n), i(e.channels), 1, i(e.length)), "cudnnSetTensor4dDescriptor");
  s.check(l.set_tensor(plan.y, kFormat, kType, i(e.n), i(e.filters), 1, i(e.windows)), "cudnnSetTensor4dDescriptor");
  s.check(l.set_tensor(plan.bias, kFormat, kType, 1, i(e.filters), 1, 1), "cudnnSetTensor4dDescriptor");
  s.check(l.set_filter(plan.weight, kType, kFormat, i(e.filters), i(e.channels), 1, i(e.kernel)),
          "cudnnSetFilter4dDescriptor");
  s.check(l.set_convolution(plan.convolution, 0, i(p.padding), 1, i(p.stride), 1, 1, cudnn::kCrossCorrelation, kType),
          "cudnnSetConvolution2dDescriptor");
  s.check(l.set_math(plan.convolution, cudnn::kFma), "cudnnSetConvolutionMathType");
  std::size_t bytes = 0;
  if (l.forward_bytes(s.handle, plan.x, plan.weight, plan.convolution, plan.y, cudnn::kForwardPrecompGemm, &bytes) ==
      cudnn::kSuccess)
    plan.forward = bytes;
  if (l.input_gradient_bytes(s.handle, plan.weight, plan.y, plan.convolution, plan.x, cudnn::kInputGradientAlgorithm1,
                             &bytes) == cudnn::kSuccess)
    plan.input_gradient = bytes;
  if (l.weight_gradient_bytes(s.handle, plan.x, plan.y, plan.convolution, plan.weight, cudnn::kWeightGradientAlgorithm1,
                              &bytes) == cudnn::kSuccess)
    plan.weight_gradient = bytes;
}

// What cuDNN can do of a call, or null where it can do nothing of it.
const Plan* find_plan(State& s, const Extents& e, const Placement& p, DType dtype) {
  if (!s.handle || dtype != DType::f32 || !is_expressible(e, p)) return nullptr;
  const PlanKey key = {e.n, e.length, e.channels, e.windows, e.filters, e.kernel, p.stride, p.padding};
  const auto found = s.plans.find(key);
  if (found != s.plans.end()) return &found->second;
  Plan& plan = s.plans[key];  // owned from here on, also where filling it throws
  fill_plan(s, e, p, plan);
  return &plan;
}

// The part of replica `k`.
template <class View>
auto* part(const View& t, std::int64_t k) {
  return t.template as<float>() + k * (t.shape.elements() / t.shape[0]);
}

float beta_of(WriteMode mode) { return mode == WriteMode::accumulate ? 1.0f : 0.0f; }

constexpr float kOne = 1;

}  // namespace

bool forward_by_cudnn(CudaContext& ctx, const ForwardArgs& a, const Extents& e) {
  State& s = state_of(ctx);
  const Plan* plan = find_plan(s, e, a.placement, a.x.dtype);
  if (!plan || plan->forward == kUnsupported) return false;
  ScratchFrame frame(ctx);
  void* workspace = frame.take_bytes(static_cast<std::int64_t>(plan->forward));
  const float none = 0;
  for (std::int64_t k = 0; k < e.replicas; ++k) {
    s.check(
        s.library->forward(s.handle, &kOne, plan->x, part(a.x, k), plan->weight, part(a.weight, k), plan->convolution,
                           cudnn::kForwardPrecompGemm, workspace, plan->forward, &none, plan->y, part(a.y, k)),
        "cudnnConvolutionForward");
    if (a.bias)
      s.check(s.library->add(s.handle, &kOne, plan->bias, part(a.bias, k), &kOne, plan->y, part(a.y, k)),
              "cudnnAddTensor");
  }
  return true;
}

bool input_gradient_by_cudnn(CudaContext& ctx, const BackwardArgs& a, const Extents& e) {
  State& s = state_of(ctx);
  const Plan* plan = find_plan(s, e, a.placement, a.dy.dtype);
  if (!plan || plan->input_gradient == kUnsupported) return false;
  ScratchFrame frame(ctx);
  void* workspace = frame.take_bytes(static_cast<std::int64_t>(plan->input_gradient));
  const float beta = beta_of(a.mode);
  for (std::int64_t k = 0; k < e.replicas; ++k)
    s.check(s.library->input_gradient(s.handle, &kOne, plan->weight, part(a.weight, k), plan->y, part(a.dy, k),
                                      plan->convolution, cudnn::kInputGradientAlgorithm1, workspace,
                                      plan->input_gradient, &beta, plan->x, part(a.dx, k)),
            "cudnnConvolutionBackwardData");
  return true;
}

bool weight_gradient_by_cudnn(CudaContext& ctx, const BackwardArgs& a, const Extents& e) {
  State& s = state_of(ctx);
  const Plan* plan = find_plan(s, e, a.placement, a.dy.dtype);
  if (!plan || plan->weight_gradient == kUnsupported) return false;
  ScratchFrame frame(ctx);
  void* workspace = frame.take_bytes(static_cast<std::int64_t>(plan->weight_gradient));
  const float beta = beta_of(a.mode);
  for (std::int64_t k = 0; k < e.replicas; ++k)
    s.check(s.library->weight_gradient(s.handle, &kOne, plan->x, part(a.x, k), plan->y, part(a.dy, k),
                                       plan->convolution, cudnn::kWeightGradientAlgorithm1, workspace,
                                       plan->weight_gradient, &beta, plan->weight, part(a.dweight, k)),
            "cudnnConvolutionBackwardFilter");
  return true;
}

}  // namespace genexx::conv1d::cuda
