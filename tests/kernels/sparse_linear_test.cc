// SPDX-License-Identifier: Apache-2.0
#include "kernels/sparse_linear.h"

#include <algorithm>
#include <array>

#include "kernels/ingest.h"
#include "kernels/linear.h"
#include "tests/oracle/linear_oracle.h"
#include "tests/oracle/sparse_linear_oracle.h"
#include "tests/support/allocation_count.h"
#include "tests/support/cells_case.h"
#include "tests/support/replicas.h"

using namespace genexx;
using namespace genexx::test;
using oracle::LinearSizes;

namespace {

constexpr std::int64_t kCells = 9;

struct Case {
  std::int64_t n, genes, out;
  oracle::SparseBatch batch;
  std::vector<double> weight, bias, dy;
  LinearSizes sizes() const { return {n, genes, out}; }
};

// A third of the entries stored, up to 4; repeated rows and padding rows; every fifth gene has no shift, every seventh
// is masked.
Case random_case(std::int64_t n, std::int64_t genes, std::int64_t out) {
  Case c = {n, genes, out, {}, {}, {}, {}};
  c.batch.genes = genes;
  const std::vector<double> keep = random_values(kCells * genes, 1, 0, 1),
                            size = random_values(kCells * genes, 2, 0, 4);
  for (std::size_t i = 0; i < keep.size(); ++i)
    c.batch.matrix.push_back(keep[i] < 0.33 ? static_cast<double>(static_cast<float>(size[i])) : 0);
  for (const std::int32_t row : random_labels(n, kCells + 1, 3)) c.batch.rows.push_back(row - 1);
  c.batch.shift = random_values(genes, 4, -1, 2);
  c.batch.factor = random_values(genes, 5, 0.3, 3);
  for (std::size_t j = 0; j < c.batch.shift.size(); j += 5) c.batch.shift[j] = 0;
  for (std::size_t j = 3; j < c.batch.factor.size(); j += 7) c.batch.factor[j] = 0;
  c.weight = random_values(out * genes, 6);
  c.bias = random_values(out, 7);
  c.dy = random_values(n * out, 8);
  return c;
}

enum class Scaled { no, yes };

// The input of a case on a device.
class DeviceInput {
 public:
  template <class T>
  DeviceInput(Context& ctx, const Case& c, Scaled scaled, T)
      : data_(ctx, kCells, c.genes, c.batch.matrix, Form::csr),
        rows_(ctx, {1, c.n}, c.batch.rows),
        shift_(ctx, {1, c.genes}, cast<T>(c.batch.shift)),
        factor_(ctx, {1, c.genes}, cast<T>(c.batch.factor)) {
    input = {.data = data_.data, .rows = rows_};
    if (scaled == Scaled::yes) input.shift = shift_, input.factor = factor_;
  }
  sparse_linear::Input input;

 private:
  DeviceData data_;
  DeviceArray rows_, shift_, factor_;
};

// A sum of `terms` products of values up to 12 (v factor and shift factor each) and weights up to 1, and the roundings
// of the scaling.
Tolerance sum_of(std::int64_t terms, DType t) {
  return {.k = 2.0 * static_cast<double>(terms) + 8, .dtype = t, .scale = 12};
}

template <class T>
std::vector<T> run_forward(Context& ctx, const Case& c, Fill fill = Fill::nan) {
  const DeviceInput x(ctx, c, Scaled::yes, T{});
  const DeviceArray w(ctx, {1, c.out, c.genes}, cast<T>(c.weight)), b(ctx, {1, c.out}, cast<T>(c.bias));
  const DeviceArray y(ctx, {1, c.n, c.out}, DTypeOf<T>::value, fill);
  sparse_linear::forward(ctx, {.x = x.input, .weight = w, .bias = b, .y = y});
  return y.template download<T>();
}

template <class T>
struct Gradients {
  std::vector<T> dweight, dbias;
};

template <class T>
Gradients<T> run_backward(Context& ctx, const Case& c, Fill fill = Fill::nan) {
  const DeviceInput x(ctx, c, Scaled::yes, T{});
  const DeviceArray dy(ctx, {1, c.n, c.out}, cast<T>(c.dy));
  const DeviceArray dw(ctx, {1, c.out, c.genes}, DTypeOf<T>::value, fill), db(ctx, {1, c.out}, DTypeOf<T>::value, fill);
  sparse_linear::backward(ctx, {.x = x.input, .dy = dy, .dweight = dw, .dbias = db});
  return {dw.template download<T>(), db.template download<T>()};
}

template <class T>
std::vector<double> doubles(const std::vector<T>& v) {
  return std::vector<double>(v.begin(), v.end());
}

// Of y's weighted sum, by complex step on the oracle.
Gradients<double> complex_gradients(const Case& c) {
  const auto complex = [](const std::vector<double>& v) { return std::vector<Complex>(v.begin(), v.end()); };
  const std::vector<Complex> x = complex(oracle::sparse_batch(c.batch)), w = complex(c.weight), b = complex(c.bias);
  const auto loss = [&](const auto& zw, const auto& zb) {
    return weighted_sum(c.dy, oracle::linear(c.sizes(), x, zw, zb));
  };
  return {complex_step([&](const std::vector<Complex>& z) { return loss(z, b); }, c.weight),
          complex_step([&](const std::vector<Complex>& z) { return loss(w, z); }, c.bias)};
}

}  // namespace

TEST_CASE("sparse_linear: literals") {
  on_every_device([](Context& ctx) {
    // Cells: (3 0 1), (0 0 0), (0 4 0); x = (value - (1 0 2)) * (2 1 0): the third gene is masked.
    const DeviceArray begin(ctx, {4}, std::vector<std::int64_t>{0, 2, 2, 3});
    const DeviceArray column(ctx, {3}, std::vector<std::int32_t>{0, 2, 1}),
        value(ctx, {3}, std::vector<float>{3, 1, 4});
    const DeviceArray rows(ctx, {1, 4}, std::vector<std::int64_t>{2, -1, 0, 1});
    const DeviceArray shift(ctx, {1, 3}, std::vector<double>{1, 0, 2}),
        factor(ctx, {1, 3}, std::vector<double>{2, 1, 0});
    const sparse_linear::Input x = {.data = {.row_begin = begin, .column = column, .value = value, .cols = 3},
                                    .rows = rows,
                                    .shift = shift,
                                    .factor = factor};  // rows of x: (-2 4 0), 0, (4 0 0), (-2 0 0)
    const DeviceArray w(ctx, {1, 2, 3}, std::vector<double>{1, 0.5, 9, -3, 2, 9});
    const DeviceArray b(ctx, {1, 2}, std::vector<double>{0.25, 1});
    const DeviceArray dy(ctx, {1, 4, 2}, std::vector<double>{1, 2, 100, 200, -1, 0.5, 3, -2});
    const DeviceArray y(ctx, {1, 4, 2}, DType::f64), dw(ctx, {1, 2, 3}, DType::f64), db(ctx, {1, 2}, DType::f64);

    sparse_linear::forward(ctx, {.x = x, .weight = w, .bias = b, .y = y});
    sparse_linear::backward(ctx, {.x = x, .dy = dy, .dweight = dw, .dbias = db});

    expect_close(y.values(), {0.25, 15, 0.25, 1, 4.25, -11, -1.75, 7}, {});
    expect_close(dw.values(), {-12, 4, 0, 2, 8, 0}, {});
    expect_close(db.values(), {103, 200.5}, {});
  });
}

TEST_CASE("sparse_linear: forward agrees with the oracle around the vector and tile widths") {
  on_every_device([](Context& ctx) {
    for (const auto& size : {std::array{1, 1, 1}, std::array{5, 31, 3}, std::array{33, 33, 31}, std::array{7, 65, 64},
                             std::array{129, 64, 65}, std::array{3, 257, 33}, std::array{2, 16, 257}}) {
      const Case c = random_case(size[0], size[1], size[2]);
      CAPTURE(c.n);
      CAPTURE(c.genes);
      CAPTURE(c.out);
      const std::vector<double> expected = oracle::linear(c.sizes(), oracle::sparse_batch(c.batch), c.weight, c.bias);

      expect_close(doubles(run_forward<double>(ctx, c)), expected, sum_of(c.genes, DType::f64));
      expect_close(doubles(run_forward<float>(ctx, c, Fill::huge)), expected, sum_of(c.genes, DType::f32));
    }
  });
}

TEST_CASE("sparse_linear: bias, shift and factor may be absent") {
  on_every_device([](Context& ctx) {
    const Case c = random_case(6, 40, 19);
    oracle::SparseBatch plain = c.batch;
    plain.shift.clear();
    plain.factor.clear();
    const DeviceInput x(ctx, c, Scaled::no, double{});
    const DeviceArray w(ctx, {1, c.out, c.genes}, c.weight), y(ctx, {1, c.n, c.out}, DType::f64);

    sparse_linear::forward(ctx, {.x = x.input, .weight = w, .y = y});

    expect_close(y.values(), oracle::linear(c.sizes(), oracle::sparse_batch(plain), c.weight, {}),
                 sum_of(c.genes, DType::f64));
  });
}

TEST_CASE("sparse_linear: backward matches complex step for weight and bias") {
  on_every_device([](Context& ctx) {
    for (const auto& size : {std::array{1, 3, 2}, std::array{7, 19, 5}, std::array{4, 33, 17}, std::array{70, 2, 5}}) {
      const Case c = random_case(size[0], size[1], size[2]);
      CAPTURE(c.n);
      const Gradients<double> expected = complex_gradients(c);

      const Gradients<double> f64 = run_backward<double>(ctx, c);
      const Gradients<float> f32 = run_backward<float>(ctx, c, Fill::huge);

      expect_close(f64.dweight, expected.dweight, sum_of(c.n, DType::f64));
      expect_close(f64.dbias, expected.dbias, sum_of(c.n, DType::f64));
      expect_close(doubles(f32.dweight), expected.dweight, sum_of(c.n, DType::f32));
      expect_close(doubles(f32.dbias), expected.dbias, sum_of(c.n, DType::f32));
    }
  });
}

TEST_CASE("sparse_linear: the weight gradient is whole where tiles, blocks and parts of genes end") {
  on_every_device([](Context& ctx) {
    for (const auto& size : {std::array{5, 31, 64}, std::array{6, 513, 65}, std::array{3, 4130, 2}}) {
      const Case c = random_case(size[0], size[1], size[2]);
      CAPTURE(c.genes);
      const std::vector<double> x = oracle::sparse_batch(c.batch);
      std::vector<double> expected;  // the map is linear: its gradient needs no step
      for (std::int64_t o = 0; o < c.out; ++o)
        for (std::int64_t g = 0; g < c.genes; ++g) {
          double sum = 0;
          for (std::int64_t i = 0; i < c.n; ++i) sum += c.dy[i * c.out + o] * x[i * c.genes + g];
          expected.push_back(sum);
        }

      expect_close(run_backward<double>(ctx, c).dweight, expected, sum_of(c.n, DType::f64));
      expect_close(doubles(run_backward<float>(ctx, c, Fill::huge).dweight), expected, sum_of(c.n, DType::f32));
    }
  });
}

TEST_CASE("sparse_linear: gradients are added where asked") {
  on_every_device([](Context& ctx) {
    for (const std::int64_t genes : {5, 48}) {
      const Case c = random_case(11, genes, 70);
      const Gradients<float> fresh = run_backward<float>(ctx, c);
      const std::vector<float> before = cast<float>(random_values(c.out * c.genes, 20)),
                               bias_before = cast<float>(random_values(c.out, 21));
      const DeviceInput x(ctx, c, Scaled::yes, float{});
      const DeviceArray dy(ctx, {1, c.n, c.out}, cast<float>(c.dy));
      const DeviceArray dw(ctx, {1, c.out, c.genes}, before), db(ctx, {1, c.out}, bias_before);

      sparse_linear::backward(ctx, {.x = x.input, .dy = dy, .dweight = dw, .dbias = db, .mode = WriteMode::accumulate});

      std::vector<double> weight, bias;
      for (std::size_t i = 0; i < before.size(); ++i) weight.push_back(double{before[i]} + double{fresh.dweight[i]});
      for (std::size_t i = 0; i < bias_before.size(); ++i)
        bias.push_back(double{bias_before[i]} + double{fresh.dbias[i]});
      expect_close(dw.values(), weight, sum_of(1, DType::f32));
      expect_close(db.values(), bias, sum_of(1, DType::f32));
    }
  });
}

TEST_CASE("sparse_linear: is the layer of the batch that ingest writes") {
  on_every_device([](Context& ctx) {
    const Case c = random_case(20, 70, 40);
    const DeviceInput x(ctx, c, Scaled::yes, double{});
    const DeviceArray w(ctx, {1, c.out, c.genes}, c.weight), b(ctx, {1, c.out}, c.bias);
    const DeviceArray dense(ctx, {1, c.n, c.genes}, DType::f64), y(ctx, {1, c.n, c.out}, DType::f64);

    ingest::run(
        ctx,
        {.data = x.input.data, .rows = x.input.rows, .shift = x.input.shift, .factor = x.input.factor, .out = dense});
    linear::forward(ctx, {.x = dense, .weight = w, .bias = b, .y = y});

    expect_close(run_forward<double>(ctx, c), y.values(), sum_of(c.genes, DType::f64));
  });
}

TEST_CASE("sparse_linear: replicas give the bits of calls of their own, with rows of their own or shared") {
  on_every_device([](Context& ctx) {
    const std::int64_t r = 3;
    const Case c = random_case(12, 50, 70);
    const DeviceData data(ctx, kCells, c.genes, c.batch.matrix, Form::csr);
    std::vector<std::int64_t> rows;
    for (const std::int32_t row : random_labels(r * c.n, kCells + 1, 30)) rows.push_back(row - 1);
    const std::vector<float> shift = cast<float>(random_values(r * c.genes, 31)),
                             factor = cast<float>(random_values(r * c.genes, 32, 0.5, 2));
    const std::vector<float> w = cast<float>(random_values(r * c.out * c.genes, 33)),
                             dy = cast<float>(random_values(r * c.n * c.out, 34));
    const auto run = [&](std::int64_t replicas, const auto& of_rows, const auto& of_shift, const auto& of_factor,
                         const auto& weight, const auto& gradient) {
      const DeviceArray at(ctx, {static_cast<std::int64_t>(of_rows.size()) / c.n, c.n}, of_rows);
      const DeviceArray s(ctx, {replicas, c.genes}, of_shift), f(ctx, {replicas, c.genes}, of_factor);
      const DeviceArray w_in(ctx, {replicas, c.out, c.genes}, weight), dy_in(ctx, {replicas, c.n, c.out}, gradient);
      const DeviceArray y(ctx, {replicas, c.n, c.out}, DType::f32), dw(ctx, {replicas, c.out, c.genes}, DType::f32);
      const DeviceArray db(ctx, {replicas, c.out}, DType::f32);
      const sparse_linear::Input x = {.data = data.data, .rows = at, .shift = s, .factor = f};
      sparse_linear::forward(ctx, {.x = x, .weight = w_in, .y = y});
      sparse_linear::backward(ctx, {.x = x, .dy = dy_in, .dweight = dw, .dbias = db});
      return std::array{y.download<float>(), dw.download<float>(), db.download<float>()};
    };
    const std::vector<std::int64_t> first(rows.begin(), rows.begin() + c.n);

    const auto joint = run(r, rows, shift, factor, w, dy), shared = run(r, first, shift, factor, w, dy);

    for (std::int64_t k = 0; k < r; ++k) {
      const std::vector<std::int64_t> own(rows.begin() + k * c.n, rows.begin() + (k + 1) * c.n);
      const auto part = [&](const auto& all) { return replica_part(all, k, r); };
      const auto alone = run(1, own, part(shift), part(factor), part(w), part(dy));
      const auto of_first = run(1, first, part(shift), part(factor), part(w), part(dy));
      for (std::size_t i = 0; i < joint.size(); ++i) {
        expect_equal_bits(alone[i], part(joint[i]));
        expect_equal_bits(of_first[i], part(shared[i]));
      }
    }
  });
}

TEST_CASE("sparse_linear: one and two threads give the same bits") {
  ThreadPool pool(2);
  CpuContext one, two(&pool);
  const Case c = random_case(41, 1100, 200);

  expect_equal_bits(run_forward<float>(one, c), run_forward<float>(two, c));
  expect_equal_bits(run_backward<float>(one, c).dweight, run_backward<float>(two, c).dweight);
}

TEST_CASE("sparse_linear: no rows give a weight gradient of zero") {
  on_every_device([](Context& ctx) {
    const Case c = random_case(0, 20, 3);

    const Gradients<double> got = run_backward<double>(ctx, c);

    expect_close(got.dweight, std::vector<double>(60, 0.0), {});
    expect_close(got.dbias, std::vector<double>(3, 0.0), {});
  });
}

TEST_CASE("sparse_linear: a batch with more values than any before needs no memory where the longest row is known") {
  CpuContext ctx;
  Case c = random_case(4, 300, 20);
  std::fill(c.batch.matrix.begin() + 300, c.batch.matrix.begin() + 600, 1.0);  // cell 1 stores every gene
  DeviceInput x(ctx, c, Scaled::yes, float{});
  x.input.data.longest_row = 300;
  const DeviceArray few(ctx, {1, 4}, std::vector<std::int64_t>{0, 2, 3, 4}),
      many(ctx, {1, 4}, std::vector<std::int64_t>{1, 1, 1, 1});
  const DeviceArray w(ctx, {1, 20, 300}, cast<float>(c.weight)), y(ctx, {1, 4, 20}, DType::f32);
  x.input.rows = few;
  sparse_linear::forward(ctx, {.x = x.input, .weight = w, .y = y});

  AllocationCount count;
  x.input.rows = many;
  sparse_linear::forward(ctx, {.x = x.input, .weight = w, .y = y});
  const std::optional<std::int64_t> calls = count.calls();

  CHECK(calls.value_or(0) == 0);
}

TEST_CASE("sparse_linear: names the wrong argument") {
  CpuContext ctx;
  const Case c = random_case(4, 8, 3);
  const DeviceInput x(ctx, c, Scaled::yes, float{});
  const DeviceArray w(ctx, {1, 3, 8}, DType::f32), y(ctx, {1, 4, 3}, DType::f32), narrow(ctx, {1, 3, 7}, DType::f32);
  const DeviceArray bias(ctx, {1, 4}, DType::f32), w64(ctx, {1, 3, 8}, DType::f64), shift(ctx, {1, 7}, DType::f32);
  const DeviceData dense(ctx, kCells, c.genes, c.batch.matrix, Form::dense);
  const auto fails = [&](const sparse_linear::ForwardArgs& args, const char* words) {
    CHECK_THROWS_WITH_AS(sparse_linear::forward(ctx, args), doctest::Contains(words), ShapeError);
  };
  sparse_linear::Input other = x.input;

  fails({.x = x.input, .weight = narrow, .y = y}, "weight is [1, 3, 7], expected [1, 3, 8]");
  fails({.x = x.input, .weight = w64, .y = y}, "weight is f64, expected f32");
  fails({.x = x.input, .y = y}, "weight is absent");
  fails({.x = x.input, .weight = w, .bias = bias, .y = y}, "bias is [1, 4], expected [1, 3]");
  fails({.x = (other.shift = shift, other), .weight = w, .y = y}, "x.shift is [1, 7], expected [1, 8]");
  other = x.input;
  fails({.x = (other.rows = {}, other), .weight = w, .y = y}, "x.rows is absent");
  other = x.input;
  fails({.x = (other.data = dense.data, other), .weight = w, .y = y}, "x.data is dense, expected CSR");
  CHECK_THROWS_WITH_AS(sparse_linear::backward(ctx, {.x = x.input, .dy = y, .dweight = narrow}),
                       doctest::Contains("dweight is [1, 3, 7], expected [1, 3, 8]"), ShapeError);
  CHECK_THROWS_WITH_AS(sparse_linear::backward(ctx, {.x = x.input, .dy = y, .dbias = bias}),
                       doctest::Contains("dbias is [1, 4], expected [1, 3]"), ShapeError);
}
