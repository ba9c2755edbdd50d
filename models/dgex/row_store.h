// SPDX-License-Identifier: Apache-2.0
// Dense rows that can be reached in any order without being in memory: what the preparation works on. Who gives it
// disk space implements it; the one in memory is for small data and tests.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

namespace genexx::dgex {

// rows() rows of cols() elements. Reading and writing separate rows may happen from several threads.
template <class T>
class RowStore {
 public:
  virtual ~RowStore() = default;
  virtual std::int64_t rows() const = 0;
  virtual std::int64_t cols() const = 0;
  virtual void write(std::int64_t first, std::int64_t count, const T* from) = 0;
  virtual void read(std::int64_t first, std::int64_t count, T* to) const = 0;

  // Row index[i] of the store as row i of `to`.
  void gather(const std::int64_t* index, std::int64_t count, T* to) const {
    for (std::int64_t i = 0; i < count; ++i) read(index[i], 1, to + i * cols());
  }
};

template <class T>
class MemoryRows final : public RowStore<T> {
 public:
  MemoryRows(std::int64_t rows, std::int64_t cols)
      : rows_(rows), cols_(cols), values_(static_cast<std::size_t>(rows * cols)) {}
  std::int64_t rows() const override { return rows_; }
  std::int64_t cols() const override { return cols_; }
  void write(std::int64_t first, std::int64_t count, const T* from) override {
    std::copy_n(from, count * cols_, values_.data() + first * cols_);
  }
  void read(std::int64_t first, std::int64_t count, T* to) const override {
    std::copy_n(values_.data() + first * cols_, count * cols_, to);
  }

 private:
  std::int64_t rows_, cols_;
  std::vector<T> values_;
};

}  // namespace genexx::dgex
