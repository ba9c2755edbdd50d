// SPDX-License-Identifier: Apache-2.0
#include "engine/philox.h"

#include <doctest/doctest.h>

using namespace genexx;

// Known answers of the authors' Random123 distribution, file kat_vectors, philox4x32 with 10 rounds.
TEST_CASE("philox: known answers") {
  const PhiloxCounter zero = philox({0, 0}, {0, 0, 0, 0});
  const PhiloxCounter ones = philox({0xffffffffu, 0xffffffffu}, {0xffffffffu, 0xffffffffu, 0xffffffffu, 0xffffffffu});
  const PhiloxCounter pi = philox({0xa4093822u, 0x299f31d0u}, {0x243f6a88u, 0x85a308d3u, 0x13198a2eu, 0x03707344u});

  CHECK(zero.x == 0x6627e8d5u);
  CHECK(zero.y == 0xe169c58du);
  CHECK(zero.z == 0xbc57ac4cu);
  CHECK(zero.w == 0x9b00dbd8u);
  CHECK(ones.x == 0x408f276du);
  CHECK(ones.y == 0x41c83b0eu);
  CHECK(ones.z == 0xa20bc7c6u);
  CHECK(ones.w == 0x6d5451fdu);
  CHECK(pi.x == 0xd16cfe09u);
  CHECK(pi.y == 0x94fdccebu);
  CHECK(pi.z == 0x5001e420u);
  CHECK(pi.w == 0x24126ea1u);
}
