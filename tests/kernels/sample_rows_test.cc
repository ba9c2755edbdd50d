// SPDX-License-Identifier: Apache-2.0
#include "kernels/sample_rows.h"

#include <algorithm>
#include <cmath>

#include "tests/oracle/sample_rows_oracle.h"
#include "tests/support/op_test.h"

using namespace genexx;
using namespace genexx::test;

namespace {

using Rows = std::vector<std::int64_t>;
using Labels = std::vector<std::int32_t>;

// What one call is made of, on the host. Replica k has counts[k] cells; tables are random where `weighted`.
struct Case {
  Rows seeds, steps, counts;
  std::int64_t width = 0;  // N
  std::int64_t n = 0, steps_per_epoch = 1;
  enum class Way { shuffle, weighted } way = Way::shuffle;

  std::int64_t replicas() const { return static_cast<std::int64_t>(seeds.size()); }
  // Row of the data set at position p of replica k: distinct, out of order, different between replicas.
  std::int64_t cell(std::int64_t k, std::int64_t p) const { return (p * 3 + k * 5) % (3 * width + 7); }
  std::int64_t data_rows() const { return 3 * width + 7; }
  float probability(std::int64_t k, std::int64_t p) const { return static_cast<float>((p * 37 + k * 11) % 101) / 100; }
  std::int32_t alias(std::int64_t k, std::int64_t p) const {
    return static_cast<std::int32_t>((p * 29 + k) % counts[static_cast<std::size_t>(k)]);
  }
};

std::int32_t label_of(std::int64_t row) { return static_cast<std::int32_t>(row * 13 % 11); }

struct Result {
  Rows rows;
  Labels labels;
};

Result run(Context& ctx, const Case& c) {
  const std::int64_t r = c.replicas();
  Rows cells;
  Labels labels, alias;
  std::vector<float> probability;
  for (std::int64_t k = 0; k < r; ++k)
    for (std::int64_t p = 0; p < c.width; ++p) {
      const bool padding = p >= c.counts[static_cast<std::size_t>(k)];
      cells.push_back(padding ? -7 : c.cell(k, p));
      probability.push_back(padding ? -1 : c.probability(k, p));
      alias.push_back(padding ? -1 : c.alias(k, p));
    }
  for (std::int64_t row = 0; row < c.data_rows(); ++row) labels.push_back(label_of(row));
  const DeviceArray seeds(ctx, {r}, c.seeds), steps(ctx, {r}, c.steps), counts(ctx, {r}, c.counts);
  const DeviceArray all_cells(ctx, {r, c.width}, cells), all_labels(ctx, {c.data_rows()}, labels);
  const DeviceArray probabilities(ctx, {r, c.width}, probability), aliases(ctx, {r, c.width}, alias);
  const DeviceArray rows(ctx, {r, c.n}, Rows(static_cast<std::size_t>(r * c.n), -99));
  const DeviceArray labels_out(ctx, {r, c.n}, Labels(static_cast<std::size_t>(r * c.n), -99));
  sample_rows::Args args{.seed = seeds,
                         .step = steps,
                         .steps_per_epoch = c.steps_per_epoch,
                         .cells = all_cells,
                         .count = counts,
                         .labels = all_labels,
                         .rows = rows,
                         .labels_out = labels_out};
  if (c.way == Case::Way::weighted) {
    args.alias_probability = probabilities;
    args.alias_index = aliases;
  }
  sample_rows::run(ctx, args);
  return {rows.download<std::int64_t>(), labels_out.download<std::int32_t>()};
}

Result expected(const Case& c) {
  Result result;
  for (std::size_t k = 0; k < c.seeds.size(); ++k) {
    const std::int64_t replica = static_cast<std::int64_t>(k);
    const std::uint64_t seed = static_cast<std::uint64_t>(c.seeds[k]);
    const std::uint64_t epoch = static_cast<std::uint64_t>(c.steps[k] / c.steps_per_epoch);
    const Rows order = oracle::shuffled_epoch(seed, epoch, static_cast<std::uint64_t>(c.counts[k]));
    std::vector<float> probability;
    Labels alias;
    for (std::int64_t p = 0; p < c.counts[k]; ++p) {
      probability.push_back(c.probability(replica, p));
      alias.push_back(c.alias(replica, p));
    }
    for (std::int64_t i = 0; i < c.n; ++i) {
      const std::int64_t place = c.steps[k] % c.steps_per_epoch * c.n + i;
      std::int64_t row = -1;
      if (place < c.counts[k])
        row = c.cell(replica,
                     c.way == Case::Way::shuffle
                         ? order[static_cast<std::size_t>(place)]
                         : oracle::weighted_draw({seed, epoch, static_cast<std::uint64_t>(place)}, probability, alias));
      result.rows.push_back(row);
      result.labels.push_back(row < 0 ? -1 : label_of(row));
    }
  }
  return result;
}

void expect_same(const Result& a, const Result& b) {
  CHECK(a.rows == b.rows);
  CHECK(a.labels == b.labels);
}

}  // namespace

TEST_CASE("sample_rows: literals") {
  on_every_device([](Context& ctx) {
    // The order of (seed 42, epoch 0) over ten elements is 8 6 5 7 9 4 2 3 1 0; positions hold the cells 3 p.
    const Case c{.seeds = {42}, .steps = {1}, .counts = {10}, .width = 10, .n = 4, .steps_per_epoch = 3};

    const Result got = run(ctx, c);

    CHECK(got.rows == Rows{27, 12, 6, 9});
    CHECK(got.labels == Labels{27 * 13 % 11, 12 * 13 % 11, 6 * 13 % 11, 9 * 13 % 11});
  });
}

TEST_CASE("sample_rows: agrees with the definition at every size, shuffled and weighted") {
  on_every_device([](Context& ctx) {
    for (const std::int64_t n : {1, 31, 32, 33, 257})
      for (const std::int64_t width : {1, 63, 64, 65, 300}) {
        CAPTURE(n);
        CAPTURE(width);
        const std::int64_t steps = (width + n - 1) / n;
        Case c{.seeds = {5, -9, std::int64_t{1} << 40},
               .steps = {0, steps * 3 + steps - 1, steps / 2 + (steps << 33)},
               .counts = {width, (width + 1) / 2, width},
               .width = width,
               .n = n,
               .steps_per_epoch = steps};

        expect_same(run(ctx, c), expected(c));
        c.way = Case::Way::weighted;
        expect_same(run(ctx, c), expected(c));
      }
  });
}

TEST_CASE("sample_rows: the steps of an epoch visit each cell once, then none") {
  on_every_device([](Context& ctx) {
    Rows visited;
    std::int64_t padding = 0;
    for (std::int64_t step = 12; step < 18; ++step)
      for (const std::int64_t row :
           run(ctx, {.seeds = {3}, .steps = {step}, .counts = {41}, .width = 45, .n = 8, .steps_per_epoch = 6}).rows)
        row < 0 ? static_cast<void>(++padding) : visited.push_back(row);
    std::sort(visited.begin(), visited.end());

    Rows all;
    for (std::int64_t p = 0; p < 41; ++p) all.push_back(3 * p);
    CHECK(visited == all);
    CHECK(padding == 7);
  });
}

TEST_CASE("sample_rows: a replica of a joint call draws what it draws alone") {
  on_every_device([](Context& ctx) {
    const Case joint{.seeds = {7, 8}, .steps = {2, 2}, .counts = {50, 50}, .width = 50, .n = 33, .steps_per_epoch = 2};
    const Case alone{.seeds = {7}, .steps = {2}, .counts = {50}, .width = 50, .n = 33, .steps_per_epoch = 2};
    const Result both = run(ctx, joint), one = run(ctx, alone);

    CHECK(Rows(both.rows.begin(), both.rows.begin() + 33) == one.rows);
    CHECK(Labels(both.labels.begin(), both.labels.begin() + 33) == one.labels);
    CHECK(Rows(both.rows.begin() + 33, both.rows.end()) != one.rows);
  });
}

TEST_CASE("sample_rows: replicas may share cells and tables, and labels may be absent") {
  on_every_device([](Context& ctx) {
    const DeviceArray seeds(ctx, {2}, Rows{7, 8}), steps(ctx, {2}, Rows{0, 5});
    const DeviceArray shared_count(ctx, {1}, Rows{6}), shared(ctx, {1, 6}, Rows{60, 50, 40, 30, 20, 10});
    const DeviceArray each_count(ctx, {2}, Rows{6, 6});
    const DeviceArray each(ctx, {2, 6}, Rows{60, 50, 40, 30, 20, 10, 60, 50, 40, 30, 20, 10});
    const DeviceArray p1(ctx, {1, 6}, std::vector<float>(6, 0.5f)), p2(ctx, {2, 6}, std::vector<float>(12, 0.5f));
    const DeviceArray a1(ctx, {1, 6}, Labels{5, 4, 3, 2, 1, 0});
    const DeviceArray a2(ctx, {2, 6}, Labels{5, 4, 3, 2, 1, 0, 5, 4, 3, 2, 1, 0});
    const DeviceArray got1(ctx, {2, 4}, DType::i64), got2(ctx, {2, 4}, DType::i64);
    sample_rows::Args args{.seed = seeds, .step = steps, .steps_per_epoch = 2};

    args.cells = shared, args.count = shared_count, args.alias_probability = p1, args.alias_index = a1,
    args.rows = got1;
    sample_rows::run(ctx, args);
    args.cells = each, args.count = each_count, args.alias_probability = p2, args.alias_index = a2, args.rows = got2;
    sample_rows::run(ctx, args);

    CHECK(got1.download<std::int64_t>() == got2.download<std::int64_t>());
    CHECK(got1.download<std::int64_t>()[7] == -1);
  });
}

TEST_CASE("sample_rows: each replica may have labels of its own") {
  on_every_device([](Context& ctx) {
    const DeviceArray seeds(ctx, {2}, Rows{7, 7}), steps(ctx, {2}, Rows{0, 0}), count(ctx, {1}, Rows{3});
    const DeviceArray cells(ctx, {1, 3}, Rows{4, 2, 0});
    const DeviceArray labels(ctx, {2, 5}, Labels{0, 1, 2, 3, 4, 10, 11, 12, 13, 14});
    const DeviceArray rows(ctx, {2, 4}, DType::i64), out(ctx, {2, 4}, DType::i32);

    sample_rows::run(ctx, {.seed = seeds,
                           .step = steps,
                           .steps_per_epoch = 1,
                           .cells = cells,
                           .count = count,
                           .labels = labels,
                           .rows = rows,
                           .labels_out = out});

    const Rows drawn = rows.download<std::int64_t>();
    const Labels got = out.download<std::int32_t>();
    for (std::size_t i = 0; i < 3; ++i) {
      CHECK(got[i] == drawn[i]);
      CHECK(got[4 + i] == 10 + drawn[4 + i]);
    }
    CHECK(got[3] == -1);
    CHECK(got[7] == -1);
  });
}

TEST_CASE("sample_rows: a replica without cells draws none") {
  on_every_device([](Context& ctx) {
    const Result got = run(ctx, {.seeds = {1}, .steps = {0}, .counts = {0}, .width = 3, .n = 2, .steps_per_epoch = 1});

    CHECK(got.rows == Rows{-1, -1});
    CHECK(got.labels == Labels{-1, -1});
  });
}

TEST_CASE("sample_rows: names the wrong argument") {
  CpuContext ctx;
  const DeviceArray two(ctx, {2}, Rows{0, 0}), one(ctx, {1}, Rows{3}), cells(ctx, {1, 3}, Rows{0, 1, 2});
  const DeviceArray rows(ctx, {2, 4}, DType::i64), labels(ctx, {5}, DType::i32), floats(ctx, {1, 3}, DType::f32);
  const sample_rows::Args good{
      .seed = two, .step = two, .steps_per_epoch = 1, .cells = cells, .count = one, .rows = rows};
  const auto expect = [&](sample_rows::Args args, const char* message) {
    CHECK_THROWS_WITH_AS(sample_rows::run(ctx, args), doctest::Contains(message), ShapeError);
  };

  sample_rows::run(ctx, good);
  sample_rows::Args bad = good;
  bad.seed = one;
  expect(bad, "seed is [1], expected [2]");
  bad = good;
  bad.steps_per_epoch = 0;
  expect(bad, "steps_per_epoch is 0");
  bad = good;
  bad.count = two;
  expect(bad, "count is [2], expected [1]");
  bad = good;
  bad.cells = floats;
  expect(bad, "cells is f32, expected i64");
  bad = good;
  bad.alias_probability = floats;
  expect(bad, "alias_index is absent");
  bad = good;
  bad.labels = labels;
  expect(bad, "labels_out is absent");
  const DeviceArray three(ctx, {3, 5}, DType::i32), labels_out(ctx, {2, 4}, DType::i32);
  bad = good;
  bad.labels = three;
  bad.labels_out = labels_out;
  expect(bad, "labels is [3, 5], expected [cells] or [2, cells]");
  bad = good;
  bad.rows = Tensor();
  expect(bad, "rows is absent");
}

TEST_CASE("sample_rows: a short last batch continues where the full ones ended") {
  on_every_device([](Context& ctx) {
    const std::int64_t cells = 10, batch = 4;
    const DeviceArray seed(ctx, {1}, std::vector<std::int64_t>{3}), last(ctx, {1}, std::vector<std::int64_t>{2});
    const DeviceArray list(ctx, {1, cells}, std::vector<std::int64_t>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9});
    const DeviceArray count(ctx, {1}, std::vector<std::int64_t>{cells});
    const DeviceArray full(ctx, {1, batch}, DType::i64), tail(ctx, {1, 2}, DType::i64);

    sample_rows::run(ctx,
                     {.seed = seed, .step = last, .steps_per_epoch = 3, .cells = list, .count = count, .rows = full});
    sample_rows::run(ctx, {.seed = seed,
                           .step = last,
                           .steps_per_epoch = 3,
                           .batch = batch,
                           .cells = list,
                           .count = count,
                           .rows = tail});

    const std::vector<std::int64_t> padded = full.download<std::int64_t>();
    CHECK(tail.download<std::int64_t>() == std::vector<std::int64_t>{padded[0], padded[1]});
    CHECK(padded[2] == -1);
  });
}
