// SPDX-License-Identifier: Apache-2.0
// __nv_bfloat16 and its conversions (round to nearest, ties to even) for device code: the toolkit's own under nvcc,
// which costs a second of compile time and is therefore not part of launch.h; the emulator's elsewhere.
#pragma once

#include "kernels/launch.h"

#if defined(__CUDACC__)
#include <cuda_bf16.h>
#endif
