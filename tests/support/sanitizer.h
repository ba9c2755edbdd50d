// SPDX-License-Identifier: Apache-2.0
// Whether this build carries a sanitizer. Tests that measure memory or time mean nothing then and are left out:
// TEST_CASE("peak memory stays small" * doctest::skip(genexx::test::kSanitized)).
#pragma once

namespace genexx::test {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool kSanitized = true;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
inline constexpr bool kSanitized = true;
#else
inline constexpr bool kSanitized = false;
#endif
#else
inline constexpr bool kSanitized = false;
#endif

}  // namespace genexx::test
