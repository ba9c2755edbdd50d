// SPDX-License-Identifier: Apache-2.0
#include "kernels/ingest.h"

#include <algorithm>
#include <numeric>

#include "tests/oracle/ingest_oracle.h"
#include "tests/support/cells_case.h"

using namespace genexx;
using namespace genexx::test;
using ingest::Transform;
using oracle::IngestCase;

namespace {

// A third of the entries stored, counts up to 40; genes a random injection of two thirds of the columns, some genes
// without a column; repeated rows and padding rows; statistics away from 0 and 1, every seventh gene masked.
IngestCase random_case(std::int64_t cells, std::int64_t cols, std::int64_t replicas, std::int64_t n, std::int64_t genes,
                       std::uint64_t seed) {
  IngestCase c;
  c.cells = cells;
  c.cols = cols;
  c.replicas = replicas;
  c.n = n;
  c.genes = genes;
  const std::vector<double> keep = random_values(cells * cols, seed, 0, 1);
  const std::vector<double> size = random_values(cells * cols, seed + 1, 0, 40);
  for (std::size_t i = 0; i < keep.size(); ++i) c.matrix.push_back(keep[i] < 0.33 ? std::ceil(size[i]) : 0);
  for (const std::int32_t row : random_labels(replicas * n, static_cast<std::int32_t>(cells + 1), seed + 2))
    c.rows.push_back(row - 1);
  c.gene_of_column.assign(cols, -1);
  std::vector<std::int64_t> order(genes);
  std::iota(order.begin(), order.end(), 0);
  const std::vector<std::int32_t> draw = random_labels(genes, 1 << 30, seed + 3);
  std::sort(order.begin(), order.end(), [&](std::int64_t a, std::int64_t b) { return draw[a] < draw[b]; });
  for (std::int64_t j = 0; j < cols; ++j)
    if (j % 3 != 1 && j < genes) c.gene_of_column[j] = static_cast<std::int32_t>(order[j]);
  c.row_factor = random_values(replicas * cells, seed + 4, 0.5, 2.5);
  c.shift = random_values(replicas * genes, seed + 5, -1, 3);
  c.factor = random_values(replicas * genes, seed + 6, 0.3, 4);
  for (std::size_t j = 0; j < c.factor.size(); j += 7) c.factor[j] = 0;
  c.transform = Transform::log1p;
  c.clip = 5;
  return c;
}

// Device copies of a case in one of its two forms.
class DeviceCase {
 public:
  DeviceCase(Context& ctx, const IngestCase& c, Form form, DType dtype, Fill fill)
      : data_(ctx, c.cells, c.cols, c.matrix, form),
        rows_(ctx, {c.replicas, c.n}, c.rows),
        genes_(ctx, {c.cols}, c.gene_of_column),
        row_factor_(ctx, {c.replicas, c.cells}, cast<float>(c.row_factor)),
        out_(ctx, {c.replicas, c.n, c.genes}, dtype, fill) {
    args.data = data_.data;
    args.rows = rows_;
    args.gene_of_column = genes_;
    args.row_factor = row_factor_;
    args.transform = c.transform;
    const Shape statistics = {c.replicas, c.genes};
    if (dtype == DType::f64) {
      shift_ = std::make_unique<DeviceArray>(ctx, statistics, c.shift);
      factor_ = std::make_unique<DeviceArray>(ctx, statistics, c.factor);
    } else {
      shift_ = std::make_unique<DeviceArray>(ctx, statistics, cast<float>(c.shift));
      factor_ = std::make_unique<DeviceArray>(ctx, statistics, cast<float>(c.factor));
    }
    args.shift = *shift_;
    args.factor = *factor_;
    args.clip = c.clip;
    args.out = out_;
  }
  const DeviceArray& out() const { return out_; }

  ingest::Args args;

 private:
  DeviceData data_;
  DeviceArray rows_, genes_, row_factor_, out_;
  std::unique_ptr<DeviceArray> shift_, factor_;
};

template <class T>
std::vector<T> run(Context& ctx, const IngestCase& c, Form form, Fill fill = Fill::nan) {
  DeviceCase d(ctx, c, form, DTypeOf<T>::value, fill);
  ingest::run(ctx, d.args);
  return d.out().download<T>();
}

// log1p within 2 ulp of at most 5, then a subtraction (terms up to 8) and a factor up to 4: 32 half-ulps of 8.
Tolerance tolerance(DType t) { return {.k = 16, .dtype = t, .scale = 8}; }

template <class T>
std::vector<double> doubles(const std::vector<T>& v) {
  return std::vector<double>(v.begin(), v.end());
}

}  // namespace

TEST_CASE("ingest: literals") {
  on_every_device([](Context& ctx) {
    // Cells (columns a b c): (3 0 1), (0 0 0), (0 4 0); genes: 0 = c, 1 = no column, 2 = a; b is not used.
    const DeviceArray begin(ctx, {4}, std::vector<std::int64_t>{0, 2, 2, 3});
    const DeviceArray column(ctx, {3}, std::vector<std::int32_t>{0, 2, 1}),
        value(ctx, {3}, std::vector<float>{3, 1, 4});
    const DeviceArray genes(ctx, {3}, std::vector<std::int32_t>{2, -1, 0});
    const DeviceArray rows(ctx, {1, 4}, std::vector<std::int64_t>{2, -1, 0, 1});
    const DeviceArray row_factor(ctx, {1, 3}, std::vector<float>{2, 7, 9});
    const DeviceArray shift(ctx, {1, 3}, std::vector<double>{0.5, 3, 1}),
        factor(ctx, {1, 3}, std::vector<double>{10, 2, 1});
    const DeviceArray out(ctx, {1, 4, 3}, DType::f64);

    ingest::run(ctx, {.data = {.row_begin = begin, .column = column, .value = value, .cols = 3},
                      .rows = rows,
                      .gene_of_column = genes,
                      .row_factor = row_factor,
                      .shift = shift,
                      .factor = factor,
                      .clip = 12,
                      .out = out});

    expect_close(out.values(), {-5, -6, -1, 0, 0, 0, 12, -6, 5, -5, -6, -1}, {});
  });
}

TEST_CASE("ingest: agrees with the oracle at every number of genes around the vector width, CSR and dense") {
  on_every_device([](Context& ctx) {
    for (const std::int64_t genes : {1, 2, 3, 5, 31, 32, 33, 257}) {
      CAPTURE(genes);
      const IngestCase c = random_case(11, genes + 4, 2, 9, genes, 100 + static_cast<std::uint64_t>(genes));
      const std::vector<double> expected = oracle::ingest(c);

      expect_close(doubles(run<float>(ctx, c, Form::csr)), expected, tolerance(DType::f32));
      expect_close(doubles(run<float>(ctx, c, Form::dense, Fill::huge)), expected, tolerance(DType::f32));
      expect_close(run<double>(ctx, c, Form::csr, Fill::huge), expected, {.k = 1 << 5, .scale = 8});
      expect_close(run<double>(ctx, c, Form::dense), expected, {.k = 1 << 5, .scale = 8});
    }
  });
}

TEST_CASE("ingest: a row longer than one tile of shared memory is whole") {
  on_every_device([](Context& ctx) {
    const IngestCase c = random_case(4, 6500, 1, 3, 6401, 7);

    expect_close(doubles(run<float>(ctx, c, Form::csr)), oracle::ingest(c), tolerance(DType::f32));
    expect_close(run<double>(ctx, c, Form::csr), oracle::ingest(c), {.k = 1 << 5, .scale = 8});
  });
}

TEST_CASE("ingest: without transform, statistics, limit or gene map it copies the stored values") {
  on_every_device([](Context& ctx) {
    IngestCase c = random_case(6, 33, 1, 5, 33, 21);
    DeviceCase d(ctx, c, Form::csr, DType::f32, Fill::huge);
    d.args.transform = Transform::none;
    d.args.clip = 0;
    d.args.gene_of_column = d.args.row_factor = d.args.shift = d.args.factor = {};

    ingest::run(ctx, d.args);

    std::vector<float> expected;
    for (std::int64_t i = 0; i < c.n; ++i)
      for (std::int64_t j = 0; j < c.genes; ++j)
        expected.push_back(c.rows[i] < 0 ? 0.0f : static_cast<float>(c.matrix[c.rows[i] * c.cols + j]));
    expect_equal_bits(d.out().download<float>(), expected);
  });
}

TEST_CASE("ingest: dense data in the order of the genes gives the bits of genes looked up one by one") {
  on_every_device([](Context& ctx) {
    IngestCase c = random_case(7, 67, 2, 9, 67, 31);
    std::iota(c.gene_of_column.begin(), c.gene_of_column.end(), 0);
    DeviceCase looked_up(ctx, c, Form::dense, DType::f32, Fill::nan),
        whole(ctx, c, Form::dense, DType::f32, Fill::huge);
    looked_up.args.transform = whole.args.transform = Transform::none;
    looked_up.args.clip = whole.args.clip = 0;
    whole.args.gene_of_column = {};

    ingest::run(ctx, looked_up.args);
    ingest::run(ctx, whole.args);

    expect_equal_bits(whole.out().download<float>(), looked_up.out().download<float>());
  });
}

TEST_CASE("ingest: a gene with factor 0 is exactly 0 even where the value is not finite") {
  on_every_device([](Context& ctx) {
    const float inf = std::numeric_limits<float>::infinity();
    const DeviceArray dense(ctx, {1, 3}, std::vector<float>{inf, std::nanf(""), 2}),
        rows(ctx, {1, 1}, std::vector<std::int64_t>{0});
    const DeviceArray shift(ctx, {1, 3}, std::vector<float>{1, inf, 5}),
        factor(ctx, {1, 3}, std::vector<float>{0, 0, -1});
    const DeviceArray out(ctx, {1, 1, 3}, DType::f32);

    ingest::run(ctx, {.data = {.dense = dense, .cols = 3}, .rows = rows, .shift = shift, .factor = factor, .out = out});

    expect_equal_bits(out.download<float>(), std::vector<float>{0, 0, 3});
  });
}

TEST_CASE("ingest: a stored NaN stays NaN through the limit") {
  on_every_device([](Context& ctx) {
    const DeviceArray dense(ctx, {1, 2}, std::vector<float>{std::nanf(""), 9}),
        rows(ctx, {1, 1}, std::vector<std::int64_t>{0});
    const DeviceArray out(ctx, {1, 1, 2}, DType::f32, Fill::huge);

    ingest::run(ctx, {.data = {.dense = dense, .cols = 2}, .rows = rows, .clip = 3, .out = out});

    CHECK(std::isnan(out.values()[0]));
    CHECK(out.values()[1] == 3);
  });
}

TEST_CASE("ingest: a joint call gives each replica the bits of its own call") {
  on_every_device([](Context& ctx) {
    const IngestCase joint = random_case(13, 40, 3, 17, 37, 5);
    const std::vector<float> together = run<float>(ctx, joint, Form::csr);
    std::vector<float> apart;
    for (std::int64_t k = 0; k < 3; ++k) {
      IngestCase one = joint;
      one.replicas = 1;
      one.rows.assign(joint.rows.begin() + k * 17, joint.rows.begin() + (k + 1) * 17);
      one.row_factor.assign(joint.row_factor.begin() + k * 13, joint.row_factor.begin() + (k + 1) * 13);
      one.shift.assign(joint.shift.begin() + k * 37, joint.shift.begin() + (k + 1) * 37);
      one.factor.assign(joint.factor.begin() + k * 37, joint.factor.begin() + (k + 1) * 37);
      for (const float x : run<float>(ctx, one, Form::csr)) apart.push_back(x);
    }

    expect_equal_bits(together, apart);
  });
}

TEST_CASE("ingest: tensors shared by all replicas give the bits of their copies") {
  on_every_device([](Context& ctx) {
    IngestCase copies = random_case(9, 35, 2, 8, 33, 8);
    for (std::int64_t i = 0; i < 8; ++i) copies.rows[8 + i] = copies.rows[i];
    for (std::int64_t i = 0; i < 9; ++i) copies.row_factor[9 + i] = copies.row_factor[i];
    for (std::int64_t i = 0; i < 33; ++i) copies.shift[33 + i] = copies.shift[i];
    for (std::int64_t i = 0; i < 33; ++i) copies.factor[33 + i] = copies.factor[i];
    DeviceCase shared(ctx, copies, Form::csr, DType::f32, Fill::nan);
    shared.args.rows.shape = {1, 8};
    shared.args.row_factor.shape = {1, 9};
    shared.args.shift.shape = {1, 33};
    shared.args.factor.shape = {1, 33};

    ingest::run(ctx, shared.args);

    expect_equal_bits(shared.out().download<float>(), run<float>(ctx, copies, Form::csr));
  });
}

TEST_CASE("ingest: shift and factor may be shared one without the other") {
  on_every_device([](Context& ctx) {
    IngestCase c = random_case(9, 35, 2, 8, 33, 12);
    for (std::int64_t i = 0; i < 33; ++i) c.shift[33 + i] = c.shift[i];
    DeviceCase d(ctx, c, Form::csr, DType::f64, Fill::nan);
    d.args.shift.shape = {1, 33};

    ingest::run(ctx, d.args);

    expect_close(d.out().values(), oracle::ingest(c), {.k = 1 << 5, .scale = 8});
  });
}

TEST_CASE("ingest: one and two threads give the same bits") {
  ThreadPool pool(2);
  CpuContext one, two(&pool);
  const IngestCase c = random_case(50, 300, 2, 41, 257, 3);

  expect_equal_bits(run<float>(one, c, Form::csr), run<float>(two, c, Form::csr));
}

TEST_CASE("ingest: names the wrong argument") {
  CpuContext ctx;
  const IngestCase c = random_case(5, 8, 1, 3, 6, 1);
  DeviceCase d(ctx, c, Form::csr, DType::f32, Fill::nan);
  const DeviceArray wide(ctx, {1, 7}, DType::f32), narrow(ctx, {1, 6}, DType::f64);
  const auto fails = [&](ingest::Args args, const char* words) {
    CHECK_THROWS_WITH_AS(ingest::run(ctx, args), doctest::Contains(words), ShapeError);
  };
  ingest::Args a = d.args;

  fails((a.shift = wide, a), "shift is [1, 7], expected [1, 6]");
  a = d.args;
  fails((a.factor = narrow, a), "factor is f64, expected f32");
  a = d.args;
  fails((a.gene_of_column = {}, a), "data.cols is 8 without gene_of_column, expected the 6 genes of out");
  a = d.args;
  fails((a.data.dense = wide, a), "both dense and CSR");
  a = d.args;
  fails((a.data.value = {}, a), "data.value is []");
  a = d.args;
  fails((a.rows.shape = {1, 2}, a), "rows is [1, 2], expected [1, 3]");
  a = d.args;
  fails((a.clip = -1, a), "clip is -1");
  a = d.args;
  fails((a.out = {}, a), "out is absent");
}
