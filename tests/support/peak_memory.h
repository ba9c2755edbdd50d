// SPDX-License-Identifier: Apache-2.0
// How much memory a piece of work needs at its peak.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>

namespace genexx::test {

// Bytes by which the resident memory of this process grew above its level before `work`, at the highest point. nullopt,
// with a skip line, where the system does not tell, and silently in sanitizer builds, whose own memory hides the
// program's; `work` runs all the same.
std::optional<std::int64_t> peak_growth(const std::function<void()>& work);

}  // namespace genexx::test
