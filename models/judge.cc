// SPDX-License-Identifier: Apache-2.0
#include "models/judge.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include "kernels/accumulate.h"
#include "kernels/metrics_confusion.h"
#include "kernels/regression_loss.h"
#include "models/metrics.h"

namespace genexx {
namespace {

constexpr double kUndefined = std::numeric_limits<double>::quiet_NaN();
constexpr std::int64_t kMostCaptured = 256;  // batches; more of them are launched one by one, which costs the host more

// Replicas [first, first + count) of a tensor [r, ...].
ConstTensor part(const Tensor& t, std::int64_t first, std::int64_t count, std::int64_t rows) {
  const std::int64_t at = first * t.shape[1] * t.shape[2] * size_of(t.dtype);
  return {static_cast<const char*>(t.data) + at, t.dtype, {count, rows, t.shape[2]}};
}

}  // namespace

Judge::Judge(Session& session, const TrainingSet& set, const std::vector<ReplicaTask>& tasks,
             const JudgedCells::Lists& cells, Feed feed)
    : session_(session),
      cells_(session.context(), set, tasks, cells, session.options().max_rows),
      feed_(std::move(feed)),
      replicas_(session.options().replicas),
      classes_(set.targets.empty() ? set.classes : 0),
      sums_(session.context(), replicas_ * 8 * (1 + classes_ * classes_)),
      error_(session.context(), replicas_ * 8) {}

void Judge::pass() {
  Context& ctx = session_.context();
  ctx.fill_bytes(sums_.data(), 0, sums_.bytes());
  const int last = static_cast<int>(session_.network().nodes().size()) - 1;
  for (std::int64_t i = 0; i < cells_.batches(); ++i) {
    const JudgedCells::Batch batch = cells_.batch(i);
    const Tensor targets = feed_(batch.cells, batch.rows);
    session_.forward(batch.rows, Mode::inference);
    const Tensor output = session_.value(last, 0, batch.rows);
    classes_ > 0 ? judge_classification(batch, output) : judge_regression(batch, output, targets);
  }
}

void Judge::judge_classification(const JudgedCells::Batch& batch, const Tensor& output) {
  metrics_confusion::count(
      session_.context(),
      {.scores = output,
       .labels = batch.labels,
       .counts = {sums_.as<std::int64_t>() + replicas_, DType::i64, {replicas_, classes_, classes_}},
       .cross_entropy = {sums_.data(), DType::f64, {replicas_}}});
}

// Replicas with as many rows as each other are judged in one call.
void Judge::judge_regression(const JudgedCells::Batch& batch, const Tensor& output, const Tensor& targets) {
  for (std::int64_t first = 0, end = 0; first < replicas_; first = end) {
    const std::int64_t rows = batch.mine[static_cast<std::size_t>(first)];
    end = rows == batch.rows ? first : first + 1;
    while (end < replicas_ && rows == batch.rows && batch.mine[static_cast<std::size_t>(end)] == rows) ++end;
    if (rows == 0) continue;
    const std::int64_t count = end - first;
    const Tensor error = {error_.as<double>() + first, DType::f64, {count}};
    regression_loss::run(session_.context(), {.prediction = part(output, first, count, rows),
                                              .target = part(targets, first, count, rows),
                                              .kind = regression_loss::Kind::absolute,
                                              .loss = error});
    accumulate::run(session_.context(), {.value = error,
                                         .weight = static_cast<double>(rows),
                                         .sum = {sums_.as<double>() + first, DType::f64, {count}}});
  }
}

std::vector<Judgement> Judge::run() {
  Context& ctx = session_.context();
  if (graph_) {
    graph_->replay();
  } else {
    pass();
    if (cells_.batches() <= kMostCaptured) graph_ = ctx.capture([this] { pass(); });
  }
  std::vector<double> sums(static_cast<std::size_t>(sums_.bytes() / 8));
  ctx.copy_to_host(sums.data(), sums_.data(), sums_.bytes());
  std::vector<std::int64_t> counts(sums.size() - static_cast<std::size_t>(replicas_));
  std::memcpy(counts.data(), sums.data() + replicas_, counts.size() * sizeof(std::int64_t));
  std::vector<Judgement> all;
  for (std::size_t r = 0; r < static_cast<std::size_t>(replicas_); ++r) {
    if (cells_.count(r) == 0) {
      all.push_back({kUndefined, kUndefined, kUndefined, kUndefined});
    } else if (classes_ > 0) {
      all.push_back(classification(sums.data(), counts.data(), r));
    } else {
      all.push_back({kUndefined, kUndefined, kUndefined, sums[r] / static_cast<double>(cells_.count(r))});
    }
  }
  return all;
}

Judgement Judge::classification(const double* sums, const std::int64_t* counts, std::size_t replica) const {
  Confusion confusion(classes_);
  std::copy_n(counts + static_cast<std::int64_t>(replica) * classes_ * classes_, classes_ * classes_,
              confusion.counts.begin());
  const ClassificationMetrics metrics = classification_metrics(std::move(confusion));
  const double loss = metrics.cells > 0 ? sums[replica] / static_cast<double>(metrics.cells) : kUndefined;
  return {loss, metrics.accuracy.value_or(kUndefined), metrics.macro_f1.value_or(kUndefined), kUndefined};
}

}  // namespace genexx
