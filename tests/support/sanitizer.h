// SPDX-License-Identifier: Apache-2.0
// Whether this build carries a sanitizer. Tests that measure memory or time mean nothing then and are left out:
// TEST_CASE("peak memory stays small" * doctest::skip(genexx::test::kSanitized)).
#pragma once

// For the preprocessor too, where a definition must not be seen.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define GENEXX_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define GENEXX_SANITIZED 1
#endif
#endif
#ifndef GENEXX_SANITIZED
#define GENEXX_SANITIZED 0
#endif

namespace genexx::test {

inline constexpr bool kSanitized = GENEXX_SANITIZED;

}  // namespace genexx::test
