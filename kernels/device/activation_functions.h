// SPDX-License-Identifier: Apache-2.0
// The functions of kernels/activation.h for device code.
#pragma once

#include "kernels/activation.h"
#include "kernels/launch.h"

namespace genexx::activation {

template <class T>
__device__ inline T apply(Kind kind, T x) {
  switch (kind) {
    case Kind::relu:
      return x < T(0) ? T(0) : x;
    case Kind::tanh:
      return ::tanh(x);
    case Kind::sigmoid:
      return T(1) / (T(1) + ::exp(-x));
  }
  return x;
}

// From the output y of the function.
template <class T>
__device__ inline T derivative(Kind kind, T y) {
  switch (kind) {
    case Kind::relu:
      return y > T(0) ? T(1) : T(0);
    case Kind::tanh:
      return T(1) - y * y;
    case Kind::sigmoid:
      return y * (T(1) - y);
  }
  return T(0);
}

}  // namespace genexx::activation
