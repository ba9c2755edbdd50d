// SPDX-License-Identifier: Apache-2.0
#include "engine/flat_tensor.h"

#include <algorithm>
#include <cstdint>
#include <cstring>

namespace genexx {

NamedTensor flat_tensor(Context& ctx, const std::string& name, const ConstTensor& t) {
  NamedTensor out;
  out.name = name;
  out.dtype = t.dtype;
  for (int i = 0; i < t.shape.rank(); ++i) out.shape.push_back(t.shape[i]);
  out.bytes.resize(static_cast<std::size_t>(t.shape.elements() * size_of(t.dtype)));
  ctx.copy_to_host(out.bytes.data(), t.data, static_cast<std::int64_t>(out.bytes.size()));
  return out;
}

void set_flat_tensor(Context& ctx, const std::vector<NamedTensor>& all, const std::string& name, const Tensor& t) {
  const auto found = std::find_if(all.begin(), all.end(), [&](const NamedTensor& n) { return n.name == name; });
  if (found == all.end()) throw InputError("tensor '" + name + "' is missing");
  const std::size_t bytes = static_cast<std::size_t>(t.shape.elements() * size_of(t.dtype));
  if (found->dtype != t.dtype || found->bytes.size() != bytes)
    throw InputError("tensor '" + name + "' has " + std::to_string(found->bytes.size()) + " bytes of " +
                     name_of(found->dtype) + ", expected " + std::to_string(bytes) + " of " + name_of(t.dtype));
  ctx.copy_to_device(t.data, found->bytes.data(), static_cast<std::int64_t>(bytes));
}

std::vector<double> download(Context& ctx, const ConstTensor& t) {
  const std::int64_t count = t.shape.elements();
  std::vector<double> values(static_cast<std::size_t>(count));
  if (t.dtype == DType::f64) {
    ctx.copy_to_host(values.data(), t.data, count * 8);
    return values;
  }
  if (t.dtype == DType::bf16) {  // the upper halves of f32 numbers
    std::vector<std::uint16_t> halves(static_cast<std::size_t>(count));
    ctx.copy_to_host(halves.data(), t.data, count * 2);
    std::transform(halves.begin(), halves.end(), values.begin(), [](std::uint16_t half) {
      const std::uint32_t bits = static_cast<std::uint32_t>(half) << 16;
      float x;
      std::memcpy(&x, &bits, sizeof x);
      return static_cast<double>(x);
    });
    return values;
  }
  expect_dtype("downloaded tensor", t, DType::f32);
  std::vector<float> narrow(static_cast<std::size_t>(count));
  ctx.copy_to_host(narrow.data(), t.data, count * 4);
  std::copy(narrow.begin(), narrow.end(), values.begin());
  return values;
}

}  // namespace genexx
