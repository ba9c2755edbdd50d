// SPDX-License-Identifier: Apache-2.0
// Which instruction set the CPU backend computes with. Results are bit-equal for one choice, not across choices.
#pragma once

#include <string>

namespace genexx {

enum class CpuIsa { v2, avx2, avx512 };

// "x86-64-v2", "avx2", "avx512".
const char* name_of(CpuIsa isa);

// The fastest set this processor has. On the processors measured (docs/performance.md) wider was faster.
CpuIsa best_cpu_isa();

// Whether this processor can run `isa`.
bool supported(CpuIsa isa);

// Reads a name as printed by name_of. Throws UsageError naming the three, or when this processor lacks it.
CpuIsa parse_cpu_isa(const std::string& name);

}  // namespace genexx
