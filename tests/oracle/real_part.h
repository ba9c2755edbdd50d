// SPDX-License-Identifier: Apache-2.0
// Oracles branch on the real part, so that complex step differentiates the branch taken. std::abs of a complex number
// is real, and its complex-step gradient silently 0: `magnitude` stands in for it.
#pragma once

#include <complex>

namespace genexx::oracle {

inline double real_part(double x) { return x; }
inline double real_part(const std::complex<double>& x) { return x.real(); }

template <class S>
S magnitude(const S& x) {
  return real_part(x) < 0 ? -x : x;
}

}  // namespace genexx::oracle
