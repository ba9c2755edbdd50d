// SPDX-License-Identifier: Apache-2.0
#include "engine/tensor_packing.h"

#include <cstring>

#include "engine/error.h"

namespace genexx {
namespace {

constexpr std::uint64_t kMostAxes = 64;

void put(std::vector<std::byte>& out, const void* data, std::size_t bytes) {
  const auto* begin = static_cast<const std::byte*>(data);
  out.insert(out.end(), begin, begin + bytes);
}

void put_count(std::vector<std::byte>& out, std::size_t value) {
  const auto count = static_cast<std::uint64_t>(value);
  put(out, &count, sizeof count);
}

// Takes bytes from the front; never beyond the end.
class Reader {
 public:
  explicit Reader(const std::vector<std::byte>& bytes) : at_(bytes.data()), left_(bytes.size()) {}

  const std::byte* take(std::uint64_t bytes) {
    if (bytes > left_)
      throw InputError("packed tensors end after " + std::to_string(left_) + " bytes, expected " +
                       std::to_string(bytes) + " more; all ranks must run the same version");
    const std::byte* begin = at_;
    at_ += bytes;
    left_ -= bytes;
    return begin;
  }
  std::uint64_t count() {
    std::uint64_t value = 0;
    std::memcpy(&value, take(sizeof value), sizeof value);
    return value;
  }
  bool done() const { return left_ == 0; }

 private:
  const std::byte* at_;
  std::uint64_t left_;
};

}  // namespace

std::vector<std::byte> pack_tensors(const std::vector<NamedTensor>& tensors) {
  std::vector<std::byte> out;
  std::size_t total = 0;
  for (const NamedTensor& t : tensors) total += t.bytes.size() + t.name.size() + 8 * (4 + t.shape.size());
  out.reserve(total);
  for (const NamedTensor& t : tensors) {
    put_count(out, t.name.size());
    put(out, t.name.data(), t.name.size());
    put_count(out, static_cast<std::size_t>(t.dtype));
    put_count(out, t.shape.size());
    put(out, t.shape.data(), t.shape.size() * sizeof(std::int64_t));
    put_count(out, t.bytes.size());
    put(out, t.bytes.data(), t.bytes.size());
  }
  return out;
}

std::vector<NamedTensor> unpack_tensors(const std::vector<std::byte>& bytes) {
  std::vector<NamedTensor> tensors;
  Reader in(bytes);
  while (!in.done()) {
    NamedTensor& t = tensors.emplace_back();
    const std::uint64_t letters = in.count();
    t.name.assign(reinterpret_cast<const char*>(in.take(letters)), letters);
    t.dtype = static_cast<DType>(in.count());
    const std::uint64_t rank = in.count();
    if (rank > kMostAxes) throw InputError("packed tensor '" + t.name + "' has " + std::to_string(rank) + " axes");
    const std::byte* shape = in.take(rank * sizeof(std::int64_t));
    t.shape.resize(rank);
    if (rank > 0) std::memcpy(t.shape.data(), shape, rank * sizeof(std::int64_t));
    const std::uint64_t size = in.count();
    const std::byte* data = in.take(size);
    t.bytes.assign(data, data + size);
  }
  return tensors;
}

}  // namespace genexx
