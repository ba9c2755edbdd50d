// SPDX-License-Identifier: Apache-2.0
#include "engine/precision.h"

#include "engine/error.h"

namespace genexx {

const char* name_of(Precision precision) {
  switch (precision) {
    case Precision::fp32:
      return "fp32";
    case Precision::tf32x3:
      return "3xtf32";
    case Precision::tf32:
      return "tf32";
    case Precision::bf16:
      return "bf16";
  }
  return "?";
}

Precision parse_precision(const std::string& name) {
  for (const Precision p : {Precision::fp32, Precision::tf32x3, Precision::tf32, Precision::bf16})
    if (name == name_of(p)) return p;
  throw UsageError("--precision is '" + name + "', expected fp32, 3xtf32, tf32 or bf16");
}

}  // namespace genexx
