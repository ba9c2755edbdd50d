// SPDX-License-Identifier: Apache-2.0
#include "kernels/simd/simd.h"

namespace genexx::simd {

namespace v2 {
const Table<float>& float_table();
const Table<double>& double_table();
}  // namespace v2
namespace avx2 {
const Table<float>& float_table();
const Table<double>& double_table();
}  // namespace avx2
namespace avx512 {
const Table<float>& float_table();
const Table<double>& double_table();
}  // namespace avx512

template <>
const Table<float>& table<float>(CpuIsa isa) {
  switch (isa) {
    case CpuIsa::avx512:
      return avx512::float_table();
    case CpuIsa::avx2:
      return avx2::float_table();
    case CpuIsa::v2:
      break;
  }
  return v2::float_table();
}

template <>
const Table<double>& table<double>(CpuIsa isa) {
  switch (isa) {
    case CpuIsa::avx512:
      return avx512::double_table();
    case CpuIsa::avx2:
      return avx2::double_table();
    case CpuIsa::v2:
      break;
  }
  return v2::double_table();
}

}  // namespace genexx::simd
