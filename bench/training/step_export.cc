// SPDX-License-Identifier: Apache-2.0
#include <cstring>

#include <fmt/format.h>

#include "bench/training/case_file.h"
#include "bench/training/step_check.h"
#include "bench/training/step_options.h"
#include "engine/error.h"
#include "engine/sampling.h"

namespace genexx::bench {
namespace {

constexpr std::int64_t kEpochs = 4;  // whose orders are exported

template <class T>
NamedTensor tensor(std::string name, std::vector<std::int64_t> shape, const std::vector<T>& values) {
  NamedTensor t = {std::move(name), DTypeOf<T>::value, std::move(shape), {}};
  t.bytes.resize(values.size() * sizeof(T));
  std::memcpy(t.bytes.data(), values.data(), t.bytes.size());
  return t;
}

// The first `rows` cells as the network sees them, dense.
template <class T>
std::vector<T> dense(const TrainingSet& set, std::int64_t rows) {
  const Preparation& p = set.preparations[0];
  const auto genes = static_cast<std::size_t>(set.genes());
  const auto scaled = [&](double value, std::size_t g) {
    return static_cast<T>((value - static_cast<double>(p.shift[g])) * static_cast<double>(p.factor[g]));
  };
  std::vector<T> x(static_cast<std::size_t>(rows) * genes);
  for (std::size_t row = 0; row < static_cast<std::size_t>(rows); ++row) {
    for (std::size_t g = 0; g < genes; ++g)
      x[row * genes + g] = scaled(set.dense.empty() ? 0.0 : set.dense.value[row * genes + g], g);
    if (!set.dense.empty()) continue;
    for (std::int64_t k = set.data.row_begin[row]; k < set.data.row_begin[row + 1]; ++k) {
      const auto g = static_cast<std::size_t>(set.data.column[static_cast<std::size_t>(k)]);
      x[row * genes + g] = scaled(set.data.value[static_cast<std::size_t>(k)], g);
    }
  }
  return x;
}

void add(const std::string& prefix, std::vector<NamedTensor> weights, std::vector<NamedTensor>& out) {
  for (NamedTensor& w : weights) {
    w.name = prefix + w.name;
    out.push_back(std::move(w));
  }
}

void add_check(const StepOptions& o, const StepCase& c, Context& ctx, DType dtype, std::vector<NamedTensor>& out) {
  const std::string prefix = dtype == DType::f64 ? "f64." : "f32.";
  Trajectory t = trajectory(ctx, c, dtype, o.check_steps);
  add(prefix + "before.", std::move(t.before), out);
  if (dtype == DType::f64) add(prefix + "after.", std::move(t.after), out);
  for (std::size_t i = 0; i < t.phases.size(); ++i) {
    const Trajectory::Phase& phase = t.phases[i];
    out.push_back(tensor(prefix + "losses." + phase.name, {o.check_steps, phase.losses}, phase.values));
    if (dtype == DType::f64) add(prefix + "gradient." + phase.name + ".", first_gradient(ctx, c, DType::f64, i), out);
  }
}

// Orders of the cells as the trainer's sampler shuffles them, an epoch a row.
std::vector<std::int64_t> orders(std::int64_t cells) {
  std::vector<std::int64_t> rows;
  for (std::int64_t epoch = 0; epoch < kEpochs; ++epoch) {
    const EpochShuffle shuffle = epoch_shuffle(0, epoch, cells);
    for (std::int64_t i = 0; i < cells; ++i) rows.push_back(shuffled_index(shuffle, i));
  }
  return rows;
}

template <class T>
std::vector<T> read(const NamedTensor& t) {
  std::vector<T> values(t.bytes.size() / sizeof(T));
  std::memcpy(values.data(), t.bytes.data(), t.bytes.size());
  return values;
}

// Dense rows as stored ones.
CsrMatrix sparse(const std::vector<float>& x, std::int64_t rows, std::int64_t cols) {
  CsrMatrix m;
  m.rows = rows;
  m.cols = cols;
  for (std::int64_t i = 0; i < rows; ++i) {
    for (std::int64_t j = 0; j < cols; ++j) {
      const float value = x[static_cast<std::size_t>(i * cols + j)];
      if (value == 0) continue;
      m.column.push_back(static_cast<std::int32_t>(j));
      m.value.push_back(value);
    }
    m.row_begin.push_back(static_cast<std::int64_t>(m.value.size()));
  }
  return m;
}

}  // namespace

void export_case(const StepOptions& o, const StepCase& c, ThreadPool& pool) {
  CpuContext ctx(o.threads > 1 ? &pool : nullptr);
  CaseFile file;
  std::vector<NamedTensor>& all = file.tensors;
  all.push_back(tensor("x", {c.set.cells, c.set.genes()}, dense<float>(c.set, c.set.cells)));
  all.push_back(tensor("batch", {c.sizes.batch, c.set.genes()}, dense<double>(c.set, c.sizes.batch)));
  all.push_back(tensor("order", {kEpochs, c.set.cells}, orders(c.set.cells)));
  if (c.set.targets.empty()) {
    all.push_back(tensor("labels", {c.set.cells}, c.set.labels));
  } else {
    all.push_back(tensor("targets", {c.set.cells, c.set.targets.cols}, c.set.targets.value));
  }
  if (const std::vector<float>& index = c.set.preparations[0].index; !index.empty())
    all.push_back(tensor("index", {c.set.genes()}, index));
  if (o.check == "f32" || o.check == "both") add_check(o, c, ctx, DType::f32, all);
  if (o.check == "f64" || o.check == "both") add_check(o, c, ctx, DType::f64, all);
  if (o.check == "none") add("f32.before.", first_weights(ctx, c), all);
  file.sizes = {{"cells", std::to_string(c.sizes.cells)},
                {"inputs", std::to_string(c.sizes.inputs)},
                {"outputs", std::to_string(c.sizes.outputs)},
                {"batch", std::to_string(c.sizes.batch)}};
  if (c.sizes.hidden > 0) file.sizes["hidden layers"] = fmt::format("{} x {}", c.sizes.layers, c.sizes.hidden);
  if (c.sizes.density > 0) file.sizes["density"] = fmt::format("{}", c.sizes.density);
  write_case_file(o.export_file, file);
}

void take_data(const std::string& path, StepCase& c) {
  const CaseFile file = read_case_file(path);
  const NamedTensor& x = file.at("x");
  if (x.shape != std::vector<std::int64_t>{c.set.cells, c.set.genes()})
    throw InputError(path + ": x is of other sizes than those asked for; give the options it was exported with");
  std::vector<float> values = read<float>(x);
  if (c.set.dense.empty()) {
    c.set.data = sparse(values, c.set.cells, c.set.genes());
  } else {
    c.set.dense.value = std::move(values);
  }
  Preparation& p = c.set.preparations[0];
  p.shift.assign(p.shift.size(), 0.0f);
  p.factor.assign(p.factor.size(), 1.0f);
  if (file.has("targets")) c.set.targets.value = read<float>(file.at("targets"));
  if (file.has("labels")) c.set.labels = read<std::int32_t>(file.at("labels"));
  if (file.has("index")) p.index = read<float>(file.at("index"));
}

}  // namespace genexx::bench
