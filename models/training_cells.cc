// SPDX-License-Identifier: Apache-2.0
#include "models/training_cells.h"

#include <algorithm>

#include "kernels/sample_rows.h"
#include "models/sampler.h"

namespace genexx {
namespace {

template <class T>
Buffer upload(Context& ctx, const std::vector<T>& values) {
  Buffer buffer(ctx, static_cast<std::int64_t>(values.size() * sizeof(T)));
  ctx.copy_to_device(buffer.data(), values.data(), buffer.bytes());
  return buffer;
}

}  // namespace

TrainingCells::TrainingCells(Context& ctx, const TrainingSet& set, const std::vector<ReplicaTask>& tasks,
                             const ConstTensor& labels)
    : ctx_(ctx), replicas_(static_cast<std::int64_t>(tasks.size())), labels_(labels) {
  for (const ReplicaTask& t : tasks) longest_ = std::max(longest_, static_cast<std::int64_t>(t.train.size()));
  std::vector<std::int64_t> rows(static_cast<std::size_t>(replicas_ * longest_), -1), counts;
  for (std::size_t r = 0; r < tasks.size(); ++r) {
    const ReplicaTask& t = tasks[r];
    std::transform(t.train.begin(), t.train.end(), rows.begin() + static_cast<std::ptrdiff_t>(r) * longest_,
                   [&](std::int64_t cell) { return set.row_of(t.preparation, cell); });
    counts.push_back(static_cast<std::int64_t>(t.train.size()));
    if (!t.cell_weights.empty()) drawing_ = Drawing::weighted;
  }
  rows_ = upload(ctx, rows);
  count_ = upload(ctx, counts);
  if (drawing_ == Drawing::weighted) upload_tables(tasks);
  if (std::any_of(tasks.begin(), tasks.end(), [](const ReplicaTask& t) { return !t.train_labels.empty(); }))
    upload_labels(set, tasks);
}

void TrainingCells::upload_tables(const std::vector<ReplicaTask>& tasks) {
  std::vector<std::int32_t> alias(static_cast<std::size_t>(replicas_ * longest_), 0);
  std::vector<float> probability(alias.size(), 1.0f);
  for (std::size_t r = 0; r < tasks.size(); ++r) {
    const std::vector<double> equal(tasks[r].train.size(), 1.0);
    const AliasTable table = alias_table(tasks[r].cell_weights.empty() ? equal : tasks[r].cell_weights);
    const auto at = static_cast<std::ptrdiff_t>(r) * longest_;
    std::copy(table.probability.begin(), table.probability.end(), probability.begin() + at);
    std::copy(table.alias.begin(), table.alias.end(), alias.begin() + at);
  }
  probability_ = upload(ctx_, probability);
  alias_ = upload(ctx_, alias);
}

void TrainingCells::upload_labels(const TrainingSet& set, const std::vector<ReplicaTask>& tasks) {
  std::vector<std::int32_t> labels;
  for (const ReplicaTask& t : tasks) {
    std::vector<std::int32_t> own(static_cast<std::size_t>(set.rows()), -1);
    for (std::size_t i = 0; i < t.train.size(); ++i)
      own[static_cast<std::size_t>(set.row_of(t.preparation, t.train[i]))] =
          t.train_labels.empty() ? set.labels[static_cast<std::size_t>(t.train[i])] : t.train_labels[i];
    labels.insert(labels.end(), own.begin(), own.end());
  }
  own_labels_ = upload(ctx_, labels);
  labels_ = {own_labels_.data(), DType::i32, {replicas_, set.rows()}};
}

void TrainingCells::draw(const Session& session, const Batch& batch) const {
  sample_rows::Args args = {.seed = session.seed(),
                            .step = session.step(),
                            .steps_per_epoch = batch.steps_per_epoch,
                            .batch = batch.batch,
                            .cells = {rows_.data(), DType::i64, {replicas_, longest_}},
                            .count = {count_.data(), DType::i64, {replicas_}},
                            .rows = batch.rows};
  if (labels_) {
    args.labels = labels_;
    args.labels_out = batch.labels;
  }
  if (drawing_ == Drawing::weighted) {
    args.alias_probability = {probability_.data(), DType::f32, {replicas_, longest_}};
    args.alias_index = {alias_.data(), DType::i32, {replicas_, longest_}};
  }
  sample_rows::run(ctx_, args);
}

}  // namespace genexx
