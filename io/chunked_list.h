// SPDX-License-Identifier: Apache-2.0
// A growing list whose memory never doubles: what is collected in one order and given away in another.
#pragma once

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

namespace genexx {

// Elements live in chunks of 1 MB. Appending copies nothing that is there already, and drain() frees each chunk once it
// has been visited, so the list and what is built from it are never both whole for longer than that takes.
template <typename T>
class ChunkedList {
 public:
  void push_back(const T& element) {
    if (chunks_.empty() || used_ == kChunk) {
      chunks_.push_back(std::make_unique<T[]>(kChunk));
      used_ = 0;
    }
    chunks_.back()[used_++] = element;
    ++size_;
  }

  std::int64_t size() const { return size_; }

  // Calls visit(element) in order, frees the chunks on the way, and leaves the list empty.
  template <typename Visit>
  void drain(Visit&& visit) {
    for (std::size_t i = 0; i < chunks_.size(); ++i) {
      const std::size_t count = i + 1 == chunks_.size() ? used_ : kChunk;
      for (std::size_t j = 0; j < count; ++j) visit(std::as_const(chunks_[i][j]));
      chunks_[i].reset();
    }
    clear();
  }

  void clear() {
    chunks_.clear();
    used_ = 0;
    size_ = 0;
  }

 private:
  static constexpr std::size_t kChunk = (std::size_t{1} << 20) / sizeof(T);

  std::vector<std::unique_ptr<T[]>> chunks_;
  std::size_t used_ = 0;  // elements of the last chunk
  std::int64_t size_ = 0;
};

}  // namespace genexx
