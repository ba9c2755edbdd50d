// SPDX-License-Identifier: Apache-2.0
#include "models/judge.h"

#include <algorithm>
#include <cmath>

#include "engine/flat_tensor.h"
#include "kernels/ingest.h"
#include "models/device_data.h"
#include "models/initializer.h"
#include "models/metrics.h"
#include "tests/support/op_test.h"
#include "tests/support/toy_set.h"

using namespace genexx;
using namespace genexx::test;

namespace {

constexpr std::int64_t kGenes = 6, kClasses = 3, kCells = 50, kBatch = 8;

Network one_layer() {
  Network n;
  n.linear("output", n.input("genes", kGenes), kClasses);
  return n;
}

// Dense cells in place of the toy set's stored ones; two replicas with 21 and 16 cells, so that the last batch has rows
// of one alone, and one without any.
struct Case {
  TrainingSet set = toy_training_set({.cells = kCells, .genes = kGenes, .classes = kClasses}, 3);
  Network network = one_layer();
  std::vector<std::vector<std::int64_t>> lists = std::vector<std::vector<std::int64_t>>(3);
  std::vector<ReplicaTask> tasks = std::vector<ReplicaTask>(3);

  Case() {
    for (std::int64_t c = 0; c < 21; ++c) lists[0].push_back(2 * c);
    for (std::int64_t c = 0; c < 16; ++c) lists[1].push_back(kCells - 1 - c);
    set.labels[4] = -1;  // a cell of the first replica that nobody knows
  }
  JudgedCells::Lists cells() const { return {&lists[0], &lists[1], &lists[2]}; }
};

// Everything a judge needs on one device.
struct Setting {
  Session session;
  DeviceData data;
  Buffer targets;
  Judge judge;

  Setting(Context& ctx, const Case& c)
      : session(ctx, c.network, {.replicas = 3, .max_rows = kBatch, .dtype = DType::f64}),
        data(ctx, c.set, c.set.labels),
        targets(ctx, 3 * kBatch * 8 * std::max<std::int64_t>(1, c.set.targets.cols)),
        judge(session, c.set, c.tasks, c.cells(), [this, &ctx, &c](const Tensor& cells, std::int64_t rows) {
          ingest::run(ctx, {.data = data.expression(), .rows = cells, .out = session.input(rows)});
          if (c.set.targets.empty()) return Tensor();
          const Tensor out = {targets.data(), DType::f64, {3, rows, c.set.targets.cols}};
          ingest::run(ctx, {.data = data.targets(), .rows = cells, .out = out});
          return out;
        }) {}

  // W[r, k, g] and b[r, k].
  void set_weights(std::uint64_t seed) {
    const std::vector<double> values = random_values(session.flat_size(), seed);
    session.context().copy_to_device(session.flat_weights().data, values.data(), session.flat_size() * 8);
  }
};

// What replica r answers for a cell.
std::vector<double> answer(const Case& c, Setting& s, std::int64_t r, std::int64_t cell) {
  const std::vector<double> weight = download(s.session.context(), s.session.parameter(0));
  const std::vector<double> bias = download(s.session.context(), s.session.parameter(1));
  std::vector<double> x(kGenes, 0.0), y;
  const auto at = [](std::int64_t i) { return static_cast<std::size_t>(i); };
  for (std::int64_t e = c.set.data.row_begin[at(cell)]; e < c.set.data.row_begin[at(cell + 1)]; ++e)
    x[at(c.set.data.column[at(e)])] = static_cast<double>(c.set.data.value[at(e)]);
  for (std::int64_t k = 0; k < kClasses; ++k) {
    y.push_back(bias[at(r * kClasses + k)]);
    for (std::int64_t g = 0; g < kGenes; ++g) y.back() += x[at(g)] * weight[at((r * kClasses + k) * kGenes + g)];
  }
  return y;
}

void check_classification(const Case& c, Setting& s, const std::vector<Judgement>& got) {
  for (std::size_t r = 0; r < 2; ++r) {
    CAPTURE(r);
    double loss = 0;
    std::int64_t known = 0;
    Confusion confusion(kClasses);
    for (const std::int64_t cell : c.lists[r]) {
      const std::int32_t label = c.set.labels[static_cast<std::size_t>(cell)];
      if (label < 0) continue;
      const std::vector<double> y = answer(c, s, static_cast<std::int64_t>(r), cell);
      loss += std::log(std::exp(y[0]) + std::exp(y[1]) + std::exp(y[2])) - y[static_cast<std::size_t>(label)];
      confusion.add(label, static_cast<std::int32_t>(std::max_element(y.begin(), y.end()) - y.begin()));
      ++known;
    }
    const ClassificationMetrics want = classification_metrics(confusion);
    CHECK(got[r].loss == doctest::Approx(loss / static_cast<double>(known)).epsilon(1e-13));
    CHECK(got[r].accuracy == want.accuracy);
    CHECK(got[r].macro_f1 == want.macro_f1);
    CHECK(std::isnan(got[r].absolute_error));
  }
  CHECK(std::isnan(got[2].loss));
  CHECK(std::isnan(got[2].accuracy));
  CHECK(std::isnan(got[2].macro_f1));
}

}  // namespace

TEST_CASE("judge: classification is that of each replica's own cells, at first and again with other weights") {
  on_every_device([](Context& ctx) {
    const Case c;
    Setting s(ctx, c);
    for (const std::uint64_t seed : {1u, 2u, 3u}) {
      s.set_weights(seed);

      const std::vector<Judgement> got = s.judge.run();

      check_classification(c, s, got);
    }
  });
}

TEST_CASE("judge: on the CPU the losses have the bits of rows added one after another over all batches") {
  CpuContext ctx;
  const Case c;
  Setting s(ctx, c);
  s.set_weights(4);
  const JudgedCells cells(ctx, c.set, c.tasks, c.cells(), kBatch);
  double sums[2] = {0, 0};
  std::int64_t known[2] = {0, 0};
  for (std::int64_t b = 0; b < cells.batches(); ++b) {
    const JudgedCells::Batch batch = cells.batch(b);
    ingest::run(ctx, {.data = s.data.expression(), .rows = batch.cells, .out = s.session.input(batch.rows)});
    s.session.forward(batch.rows, Mode::inference);
    const std::vector<double> logits = download(ctx, s.session.value(1, 0, batch.rows));
    for (std::int64_t r = 0; r < 2; ++r)
      for (std::int64_t i = 0; i < batch.rows; ++i) {
        const std::int32_t label = batch.labels.as<std::int32_t>()[r * batch.rows + i];
        if (label < 0) continue;
        const double* row = logits.data() + (r * batch.rows + i) * kClasses;
        const double top = *std::max_element(row, row + kClasses);
        double sum = 0;
        for (std::int64_t k = 0; k < kClasses; ++k) sum += std::exp(row[k] - top);
        sums[r] += std::log(sum) + top - row[label];
        ++known[r];
      }
  }

  const std::vector<Judgement> got = s.judge.run();

  for (std::size_t r = 0; r < 2; ++r) CHECK(got[r].loss == sums[r] / static_cast<double>(known[r]));
}

TEST_CASE("judge: the absolute error is the mean over each replica's own cells and all targets") {
  on_every_device([](Context& ctx) {
    Case c;
    c.set.targets = {kCells, kClasses, {}};
    for (std::int64_t i = 0; i < kCells * kClasses; ++i)
      c.set.targets.value.push_back(static_cast<float>(i % 7) - 3.0f);
    Setting s(ctx, c);
    for (const std::uint64_t seed : {1u, 2u}) {
      s.set_weights(seed);

      const std::vector<Judgement> got = s.judge.run();

      for (std::size_t r = 0; r < 2; ++r) {
        double sum = 0;
        for (const std::int64_t cell : c.lists[r]) {
          const std::vector<double> y = answer(c, s, static_cast<std::int64_t>(r), cell);
          for (std::int64_t k = 0; k < kClasses; ++k)
            sum += std::abs(y[static_cast<std::size_t>(k)] -
                            static_cast<double>(c.set.targets.value[static_cast<std::size_t>(cell * kClasses + k)]));
        }
        CHECK(got[r].absolute_error ==
              doctest::Approx(sum / static_cast<double>(c.lists[r].size() * kClasses)).epsilon(1e-13));
        CHECK(std::isnan(got[r].loss));
      }
      CHECK(std::isnan(got[2].absolute_error));
    }
  });
}

TEST_CASE("judge: a replica's numbers have the bits of a judge of its own") {
  on_every_device([](Context& ctx) {
    const Case both;
    Case alone;
    alone.lists[1].clear();
    Setting a(ctx, both), b(ctx, alone);
    a.set_weights(5);
    b.set_weights(5);

    const Judgement joint = a.judge.run()[0], single = b.judge.run()[0];

    CHECK(joint.loss == single.loss);
    CHECK(joint.macro_f1 == single.macro_f1);
  });
}
