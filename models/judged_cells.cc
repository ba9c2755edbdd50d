// SPDX-License-Identifier: Apache-2.0
#include "models/judged_cells.h"

#include <algorithm>

namespace genexx {
namespace {

template <class T>
Buffer upload(Context& ctx, const std::vector<T>& values) {
  Buffer buffer(ctx, static_cast<std::int64_t>(values.size() * sizeof(T)));
  if (!values.empty()) ctx.copy_to_device(buffer.data(), values.data(), buffer.bytes());
  return buffer;
}

}  // namespace

JudgedCells::JudgedCells(Context& ctx, const TrainingSet& set, const std::vector<ReplicaTask>& tasks,
                         const Lists& cells, std::int64_t batch)
    : batch_(batch) {
  for (const auto* list : cells) {
    counts_.push_back(static_cast<std::int64_t>(list->size()));
    longest_ = std::max(longest_, counts_.back());
  }
  std::vector<std::int64_t> rows;
  std::vector<std::int32_t> labels;
  for (std::int64_t begin = 0; begin < longest_; begin += batch_)
    for (std::size_t r = 0; r < tasks.size(); ++r)
      for (std::int64_t i = begin; i < std::min(begin + batch_, longest_); ++i) {
        const bool there = i < counts_[r];
        const std::int64_t cell = there ? (*cells[r])[static_cast<std::size_t>(i)] : -1;
        rows.push_back(there ? set.row_of(tasks[r].preparation, cell) : -1);
        if (set.targets.empty()) labels.push_back(there ? set.labels[static_cast<std::size_t>(cell)] : -1);
      }
  cells_ = upload(ctx, rows);
  labels_ = upload(ctx, labels);
}

JudgedCells::Batch JudgedCells::batch(std::int64_t index) const {
  const std::int64_t begin = index * batch_, replicas = static_cast<std::int64_t>(counts_.size());
  Batch b;
  b.rows = std::min(batch_, longest_ - begin);
  b.cells = {cells_.as<std::int64_t>() + replicas * begin, DType::i64, {replicas, b.rows}};
  if (labels_.bytes() > 0) b.labels = {labels_.as<std::int32_t>() + replicas * begin, DType::i32, {replicas, b.rows}};
  for (const std::int64_t count : counts_) b.mine.push_back(std::clamp<std::int64_t>(count - begin, 0, b.rows));
  return b;
}

}  // namespace genexx
