// SPDX-License-Identifier: Apache-2.0
#include "tools/attribution_output.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include <fmt/format.h>

#include "engine/error.h"
#include "io/atomic_file.h"
#include "io/h5ad_writer.h"
#include "io/npy_header.h"

namespace genexx::tools {
namespace {

std::string row_name(const AttributionRows& rows, std::size_t i, std::int64_t classes_each) {
  return classes_each == 1 ? rows.cell[i] : rows.cell[i] + " | " + rows.explained[i];
}

class H5adAttributions final : public AttributionWriter {
 public:
  H5adAttributions(const std::string& path, const AttributionShape& shape) : writer_(path), shape_(shape) {
    writer_.begin_matrix(static_cast<std::int64_t>(shape.genes.size()));
  }

  void append(const AttributionRows& rows) override {
    const std::size_t genes = shape_.genes.size();
    CsrMatrix block;
    block.cols = static_cast<std::int64_t>(genes);
    for (std::size_t i = 0; i < rows.cell.size(); ++i) {
      for (std::size_t g = 0; g < genes; ++g) {
        if (rows.values[i * genes + g] == 0) continue;
        block.column.push_back(static_cast<std::int32_t>(g));
        block.value.push_back(rows.values[i * genes + g]);
      }
      block.row_begin.push_back(static_cast<std::int64_t>(block.column.size()));
      names_.push_back(row_name(rows, i, shape_.classes_each));
      class_.push_back(rows.explained[i]);
      difference_.values.push_back(rows.difference[i]);
    }
    block.rows = static_cast<std::int64_t>(rows.cell.size());
    writer_.append_rows(block);
  }

  void commit(const std::vector<std::string>& classes, const std::vector<double>& class_means) override {
    writer_.write_cells(names_, {{{"class", as_categorical({"class", class_})}, {"output_difference", difference_}}});
    ObsTable table;
    const auto genes = static_cast<std::ptrdiff_t>(shape_.genes.size());
    for (std::size_t k = 0; k < classes.size(); ++k) {
      Numbers mean;
      const auto at = class_means.begin() + static_cast<std::ptrdiff_t>(k) * genes;
      mean.values.assign(at, at + genes);
      std::string name = "mean:" + classes[k];
      std::replace(name.begin(), name.end(), '/', '|');  // which HDF5 takes for a folder
      table.columns.push_back({name, mean});
    }
    writer_.write_genes(shape_.genes, table);
    writer_.commit();
  }

 private:
  H5adWriter writer_;
  AttributionShape shape_;
  std::vector<std::string> names_;
  Strings class_;
  Numbers difference_;
};

class TextAttributions final : public AttributionWriter {
 public:
  TextAttributions(const std::string& path, const AttributionShape& shape) : file_(path), genes_(shape.genes.size()) {
    std::string header = "cell\tclass";
    for (const std::string& gene : shape.genes) header += "\t" + gene;
    file_.write(header + "\n");
  }

  void append(const AttributionRows& rows) override {
    for (std::size_t i = 0; i < rows.cell.size(); ++i) {
      std::string line = rows.cell[i] + "\t" + rows.explained[i];
      for (std::size_t g = 0; g < genes_; ++g) line += fmt::format("\t{}", rows.values[i * genes_ + g]);
      file_.write(line + "\n");
    }
  }

  void commit(const std::vector<std::string>&, const std::vector<double>&) override { file_.commit(); }

 private:
  AtomicFile file_;
  std::size_t genes_;
};

class NpyAttributions final : public AttributionWriter {
 public:
  NpyAttributions(const std::string& path, const AttributionShape& shape) : file_(path) {
    std::vector<std::int64_t> extents = {shape.cells};
    if (shape.classes_each != 1) extents.push_back(shape.classes_each);
    extents.push_back(static_cast<std::int64_t>(shape.genes.size()));
    file_.write(npy_header_bytes(DType::f32, extents));
  }

  void append(const AttributionRows& rows) override {
    file_.write(rows.values.data(), rows.values.size() * sizeof(float));
  }

  void commit(const std::vector<std::string>&, const std::vector<double>&) override { file_.commit(); }

 private:
  AtomicFile file_;
};

}  // namespace

std::unique_ptr<AttributionWriter> open_attributions(const std::string& path, const AttributionShape& shape) {
  const std::string end = path.substr(std::min(path.size(), path.rfind('.')));
  if (end == ".h5ad") return std::make_unique<H5adAttributions>(path, shape);
  if (end == ".tsv") return std::make_unique<TextAttributions>(path, shape);
  if (end == ".npy") return std::make_unique<NpyAttributions>(path, shape);
  throw UsageError("--out " + path + ": expected a name that ends in .h5ad, .tsv or .npy");
}

AttributionSummary::AttributionSummary(std::int64_t classes, std::int64_t genes)
    : genes_(genes),
      cells_(static_cast<std::size_t>(classes), 0),
      sum_(static_cast<std::size_t>(classes * genes), 0.0) {}

void AttributionSummary::add(std::int32_t target, const float* values, double difference) {
  double total = 0;
  for (std::int64_t g = 0; g < genes_; ++g) {
    sum_[static_cast<std::size_t>(target * genes_ + g)] += values[g];
    total += values[g];
  }
  ++cells_[static_cast<std::size_t>(target)];
  const double error = std::abs(total - difference);
  squared_error_ += error * error;
  squared_difference_ += difference * difference;
  if (error > 0) worst_ = std::max(worst_, error / std::abs(difference));
}

std::vector<double> AttributionSummary::means() const {
  std::vector<double> mean = sum_;
  for (std::size_t i = 0; i < mean.size(); ++i) {
    const std::int64_t n = cells_[i / static_cast<std::size_t>(genes_)];
    if (n > 0) mean[i] /= static_cast<double>(n);
  }
  return mean;
}

std::vector<std::int64_t> AttributionSummary::top_genes(std::int64_t target, std::size_t count) const {
  const double* sum = sum_.data() + target * genes_;
  std::vector<std::int64_t> order(static_cast<std::size_t>(genes_));
  std::iota(order.begin(), order.end(), std::int64_t{0});
  const std::size_t some = std::min(count, order.size());
  std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(some), order.end(),
                    [&](std::int64_t a, std::int64_t b) {
                      const double x = std::abs(sum[a]), y = std::abs(sum[b]);
                      return x > y || (x == y && a < b);
                    });
  order.resize(some);
  while (!order.empty() && sum[order.back()] == 0) order.pop_back();
  return order;
}

double AttributionSummary::relative_error() const {
  return squared_error_ == 0 ? 0 : std::sqrt(squared_error_ / squared_difference_);
}

}  // namespace genexx::tools
