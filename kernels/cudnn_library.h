// SPDX-License-Identifier: Apache-2.0
// The functions of cuDNN that ops call, looked up when the first op wants them: a program built with CUDA starts and
// computes without the library. Types and constants are declared here as the library's ABI has them (versions 8 and 9),
// so that no header of it is needed to build; where there is one, cudnn_library_cuda.cc holds the two together.
#pragma once

#include <cstddef>
#include <memory>

struct CUstream_st;

namespace genexx::cudnn {

using Status = int;
inline constexpr Status kSuccess = 0;
inline constexpr int kFloat = 0;                     // cudnnDataType_t
inline constexpr int kChannelsLast = 1;              // cudnnTensorFormat_t: NHWC
inline constexpr int kCrossCorrelation = 1;          // cudnnConvolutionMode_t
inline constexpr int kFma = 3;                       // cudnnMathType_t: inputs are not rounded to TF32
inline constexpr int kForwardPrecompGemm = 1;        // cudnnConvolutionFwdAlgo_t
inline constexpr int kInputGradientAlgorithm1 = 1;   // cudnnConvolutionBwdDataAlgo_t; 0 adds in no fixed order
inline constexpr int kWeightGradientAlgorithm1 = 1;  // cudnnConvolutionBwdFilterAlgo_t; likewise

// Handles and descriptors are opaque pointers. Names are those of cudnn.h without their prefix.
struct Library {
  Status (*create)(void** handle) = nullptr;
  Status (*destroy)(void* handle) = nullptr;
  Status (*set_stream)(void* handle, CUstream_st* stream) = nullptr;
  const char* (*error_text)(Status status) = nullptr;

  Status (*create_tensor)(void** descriptor) = nullptr;
  Status (*set_tensor)(void* descriptor, int format, int type, int n, int c, int h, int w) = nullptr;
  Status (*destroy_tensor)(void* descriptor) = nullptr;
  Status (*create_filter)(void** descriptor) = nullptr;
  Status (*set_filter)(void* descriptor, int type, int format, int k, int c, int h, int w) = nullptr;
  Status (*destroy_filter)(void* descriptor) = nullptr;
  Status (*create_convolution)(void** descriptor) = nullptr;
  Status (*set_convolution)(void* descriptor, int pad_h, int pad_w, int stride_h, int stride_w, int dilation_h,
                            int dilation_w, int mode, int compute_type) = nullptr;
  Status (*set_math)(void* descriptor, int math) = nullptr;
  Status (*destroy_convolution)(void* descriptor) = nullptr;

  Status (*forward_bytes)(void* handle, void* x, void* w, void* convolution, void* y, int algorithm,
                          std::size_t* bytes) = nullptr;
  Status (*input_gradient_bytes)(void* handle, void* w, void* dy, void* convolution, void* dx, int algorithm,
                                 std::size_t* bytes) = nullptr;
  Status (*weight_gradient_bytes)(void* handle, void* x, void* dy, void* convolution, void* dw, int algorithm,
                                  std::size_t* bytes) = nullptr;

  // c = alpha a + beta c; an extent of 1 of `a` is repeated.
  Status (*add)(void* handle, const void* alpha, void* a_descriptor, const void* a, const void* beta,
                void* c_descriptor, void* c) = nullptr;
  Status (*forward)(void* handle, const void* alpha, void* x_descriptor, const void* x, void* w_descriptor,
                    const void* w, void* convolution, int algorithm, void* workspace, std::size_t workspace_bytes,
                    const void* beta, void* y_descriptor, void* y) = nullptr;
  Status (*input_gradient)(void* handle, const void* alpha, void* w_descriptor, const void* w, void* dy_descriptor,
                           const void* dy, void* convolution, int algorithm, void* workspace,
                           std::size_t workspace_bytes, const void* beta, void* dx_descriptor, void* dx) = nullptr;
  Status (*weight_gradient)(void* handle, const void* alpha, void* x_descriptor, const void* x, void* dy_descriptor,
                            const void* dy, void* convolution, int algorithm, void* workspace,
                            std::size_t workspace_bytes, const void* beta, void* dw_descriptor, void* dw) = nullptr;
};

// The library of this machine (version 9 or 8), or null where there is none or one that lacks a function.
std::unique_ptr<const Library> open_library();

}  // namespace genexx::cudnn
