// SPDX-License-Identifier: Apache-2.0
// How exactly the products of a network's matrices are formed.
#pragma once

#include <string>

namespace genexx {

// Applies where storage is f32; sums are f32 in each class. Sources of the formats: NVIDIA, "Parallel Thread Execution
// ISA", section "Alternate floating point data formats".
//   fp32    operands as they are
//   tf32x3  "3xTF32": every operand as the sum of two tf32 numbers, 22 bits of mantissa in all; three products
//           (Ootomo and Yokota, International Journal of High Performance Computing Applications 36, 2022)
//   tf32    operands rounded to 11 bits of mantissa, the leading one counted
//   bf16    operands rounded to 8 bits of mantissa
enum class Precision { fp32, tf32x3, tf32, bf16 };

// "fp32", "3xtf32", "tf32", "bf16".
const char* name_of(Precision precision);
// Throws UsageError for any other name.
Precision parse_precision(const std::string& name);

}  // namespace genexx
