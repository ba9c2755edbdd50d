// SPDX-License-Identifier: Apache-2.0
#include "engine/cpu_isa.h"

#include "engine/error.h"

namespace genexx {

const char* name_of(CpuIsa isa) {
  switch (isa) {
    case CpuIsa::v2:
      return "x86-64-v2";
    case CpuIsa::avx2:
      return "avx2";
    case CpuIsa::avx512:
      return "avx512";
  }
  return "?";
}

bool supported(CpuIsa isa) {
  switch (isa) {
    case CpuIsa::v2:
      return true;
    case CpuIsa::avx2:
      return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2");
    case CpuIsa::avx512:
      return supported(CpuIsa::avx2) && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
             __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
             __builtin_cpu_supports("avx512vl");
  }
  return false;
}

CpuIsa best_cpu_isa() {
  if (supported(CpuIsa::avx512)) return CpuIsa::avx512;
  return supported(CpuIsa::avx2) ? CpuIsa::avx2 : CpuIsa::v2;
}

CpuIsa parse_cpu_isa(const std::string& name) {
  for (const CpuIsa isa : {CpuIsa::v2, CpuIsa::avx2, CpuIsa::avx512}) {
    if (name != name_of(isa)) continue;
    if (!supported(isa))
      throw UsageError("--cpu-isa " + name + ": this processor lacks it; try " + name_of(best_cpu_isa()));
    return isa;
  }
  throw UsageError("--cpu-isa is '" + name + "', expected x86-64-v2, avx2 or avx512");
}

}  // namespace genexx
