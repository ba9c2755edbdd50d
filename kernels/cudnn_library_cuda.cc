// SPDX-License-Identifier: Apache-2.0
#include "kernels/cudnn_library.h"

#include <dlfcn.h>

#include <type_traits>

#if __has_include(<cudnn.h>)
#include <cudnn.h>
#endif

namespace genexx::cudnn {
namespace {

#if __has_include(<cudnn.h>)
static_assert(static_cast<int>(CUDNN_STATUS_SUCCESS) == kSuccess);
static_assert(static_cast<int>(CUDNN_DATA_FLOAT) == kFloat);
static_assert(static_cast<int>(CUDNN_TENSOR_NHWC) == kChannelsLast);
static_assert(static_cast<int>(CUDNN_CROSS_CORRELATION) == kCrossCorrelation);
static_assert(static_cast<int>(CUDNN_FMA_MATH) == kFma);
static_assert(static_cast<int>(CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_PRECOMP_GEMM) == kForwardPrecompGemm);
static_assert(static_cast<int>(CUDNN_CONVOLUTION_BWD_DATA_ALGO_1) == kInputGradientAlgorithm1);
static_assert(static_cast<int>(CUDNN_CONVOLUTION_BWD_FILTER_ALGO_1) == kWeightGradientAlgorithm1);

// Whether two values are passed alike: pointers as pointers, enumerations as the integers of their size.
template <class A, class B>
constexpr bool kPassedAlike = sizeof(A) == sizeof(B) && std::is_pointer_v<A> == std::is_pointer_v<B>;

template <class R, class S, class... A, class... B>
constexpr bool called_alike(R (*)(A...), S (*)(B...)) {
  if constexpr (sizeof...(A) == sizeof...(B)) return kPassedAlike<R, S> && (kPassedAlike<A, B> && ...);
  return false;
}
template <class Theirs, class Ours>
constexpr bool kCalledAlike = called_alike(Theirs{}, Ours{});

static_assert(kCalledAlike<decltype(&cudnnCreate), decltype(Library::create)>);
static_assert(kCalledAlike<decltype(&cudnnDestroy), decltype(Library::destroy)>);
static_assert(kCalledAlike<decltype(&cudnnSetStream), decltype(Library::set_stream)>);
static_assert(kCalledAlike<decltype(&cudnnGetErrorString), decltype(Library::error_text)>);
static_assert(kCalledAlike<decltype(&cudnnCreateTensorDescriptor), decltype(Library::create_tensor)>);
static_assert(kCalledAlike<decltype(&cudnnSetTensor4dDescriptor), decltype(Library::set_tensor)>);
static_assert(kCalledAlike<decltype(&cudnnDestroyTensorDescriptor), decltype(Library::destroy_tensor)>);
static_assert(kCalledAlike<decltype(&cudnnAddTensor), decltype(Library::add)>);
static_assert(kCalledAlike<decltype(&cudnnCreateFilterDescriptor), decltype(Library::create_filter)>);
static_assert(kCalledAlike<decltype(&cudnnSetFilter4dDescriptor), decltype(Library::set_filter)>);
static_assert(kCalledAlike<decltype(&cudnnDestroyFilterDescriptor), decltype(Library::destroy_filter)>);
static_assert(kCalledAlike<decltype(&cudnnCreateConvolutionDescriptor), decltype(Library::create_convolution)>);
static_assert(kCalledAlike<decltype(&cudnnSetConvolution2dDescriptor), decltype(Library::set_convolution)>);
static_assert(kCalledAlike<decltype(&cudnnSetConvolutionMathType), decltype(Library::set_math)>);
static_assert(kCalledAlike<decltype(&cudnnDestroyConvolutionDescriptor), decltype(Library::destroy_convolution)>);
static_assert(kCalledAlike<decltype(&cudnnGetConvolutionForwardWorkspaceSize), decltype(Library::forward_bytes)>);
static_assert(
    kCalledAlike<decltype(&cudnnGetConvolutionBackwardDataWorkspaceSize), decltype(Library::input_gradient_bytes)>);
static_assert(
    kCalledAlike<decltype(&cudnnGetConvolutionBackwardFilterWorkspaceSize), decltype(Library::weight_gradient_bytes)>);
static_assert(kCalledAlike<decltype(&cudnnConvolutionForward), decltype(Library::forward)>);
static_assert(kCalledAlike<decltype(&cudnnConvolutionBackwardData), decltype(Library::input_gradient)>);
static_assert(kCalledAlike<decltype(&cudnnConvolutionBackwardFilter), decltype(Library::weight_gradient)>);
#endif

// Looks a function up; null where the library lacks it.
template <class F>
bool find(void* handle, const char* name, F& function) {
  function = reinterpret_cast<F>(dlsym(handle, name));
  return function != nullptr;
}

}  // namespace

std::unique_ptr<const Library> open_library() {
  void* handle = nullptr;
  for (const char* name : {"libcudnn.so.9", "libcudnn.so.8"})
    if (!handle) handle = dlopen(name, RTLD_NOW | RTLD_LOCAL);
  if (!handle) return nullptr;
  auto l = std::make_unique<Library>();
  const bool whole =
      find(handle, "cudnnCreate", l->create) && find(handle, "cudnnDestroy", l->destroy) &&
      find(handle, "cudnnSetStream", l->set_stream) && find(handle, "cudnnGetErrorString", l->error_text) &&
      find(handle, "cudnnCreateTensorDescriptor", l->create_tensor) &&
      find(handle, "cudnnSetTensor4dDescriptor", l->set_tensor) &&
      find(handle, "cudnnDestroyTensorDescriptor", l->destroy_tensor) && find(handle, "cudnnAddTensor", l->add) &&
      find(handle, "cudnnCreateFilterDescriptor", l->create_filter) &&
      find(handle, "cudnnSetFilter4dDescriptor", l->set_filter) &&
      find(handle, "cudnnDestroyFilterDescriptor", l->destroy_filter) &&
      find(handle, "cudnnCreateConvolutionDescriptor", l->create_convolution) &&
      find(handle, "cudnnSetConvolution2dDescriptor", l->set_convolution) &&
      find(handle, "cudnnSetConvolutionMathType", l->set_math) &&
      find(handle, "cudnnDestroyConvolutionDescriptor", l->destroy_convolution) &&
      find(handle, "cudnnGetConvolutionForwardWorkspaceSize", l->forward_bytes) &&
      find(handle, "cudnnGetConvolutionBackwardDataWorkspaceSize", l->input_gradient_bytes) &&
      find(handle, "cudnnGetConvolutionBackwardFilterWorkspaceSize", l->weight_gradient_bytes) &&
      find(handle, "cudnnConvolutionForward", l->forward) &&
      find(handle, "cudnnConvolutionBackwardData", l->input_gradient) &&
      find(handle, "cudnnConvolutionBackwardFilter", l->weight_gradient);
  if (!whole) return nullptr;
  return l;
}

}  // namespace genexx::cudnn
