// SPDX-License-Identifier: Apache-2.0
// conv1d's products by cuDNN, one call a replica: a sequence is an image of height 1, channels last. Algorithms are
// fixed ones that add in a fixed order, so that results repeat and a replica's bits do not depend on the others.
#pragma once

#include "kernels/conv1d.h"

namespace genexx::conv1d::cuda {

// Each does its part, or returns false having done nothing: where there is no cuDNN or it has no such algorithm, for
// f64, where zeros behind the sequence are not as many as before it (cuDNN pads evenly), and beyond 2^31 elements of a
// replica. The answer is the same for all calls of one shape on a context. Products are in f32, whatever
// the context's precision. Throw DeviceError where cuDNN fails.
bool forward_by_cudnn(CudaContext& ctx, const ForwardArgs& args, const Extents& e);
bool input_gradient_by_cudnn(CudaContext& ctx, const BackwardArgs& args, const Extents& e);
bool weight_gradient_by_cudnn(CudaContext& ctx, const BackwardArgs& args, const Extents& e);

}  // namespace genexx::conv1d::cuda
