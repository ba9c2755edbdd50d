// SPDX-License-Identifier: Apache-2.0
// Moving whole tensors between a device and named host tensors.
#pragma once

#include <string>
#include <vector>

#include "engine/context.h"
#include "engine/named_tensor.h"
#include "engine/tensor.h"

namespace genexx {

// A host copy called `name`. Synchronizes.
NamedTensor flat_tensor(Context& ctx, const std::string& name, const ConstTensor& t);

// Copies the tensor called `name` of `all` into `t`. Throws InputError when it is missing or of another shape or type.
void set_flat_tensor(Context& ctx, const std::vector<NamedTensor>& all, const std::string& name, const Tensor& t);

// The elements of an f32, f64 or bf16 tensor as double. Synchronizes.
std::vector<double> download(Context& ctx, const ConstTensor& t);

}  // namespace genexx
