// SPDX-License-Identifier: Apache-2.0
#include "engine/tensor_packing.h"

#include "engine/error.h"
#include "tests/support/op_test.h"

using namespace genexx;

namespace {

std::vector<NamedTensor> some_tensors() {
  return {{"weights", DType::f32, {2, 1}, std::vector<std::byte>(8, std::byte{7})},
          {"", DType::i64, {}, std::vector<std::byte>(8, std::byte{1})},
          {"none", DType::f64, {0}, {}}};
}

}  // namespace

TEST_CASE("tensor_packing: what was packed comes out again") {
  const std::vector<NamedTensor> want = some_tensors(), got = unpack_tensors(pack_tensors(want));

  REQUIRE(got.size() == 3);
  for (std::size_t i = 0; i < 3; ++i) {
    CHECK(got[i].name == want[i].name);
    CHECK(got[i].dtype == want[i].dtype);
    CHECK(got[i].shape == want[i].shape);
    CHECK(got[i].bytes == want[i].bytes);
  }
}

TEST_CASE("tensor_packing: bytes that end anywhere too early are refused") {
  const std::vector<std::byte> whole = pack_tensors({some_tensors().front()});

  for (std::size_t n = 1; n < whole.size(); ++n)
    CHECK_THROWS_WITH_AS(unpack_tensors({whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(n)}),
                         doctest::Contains("expected"), InputError);
}
