// SPDX-License-Identifier: Apache-2.0
// The files of genexx explain: attributions of every cell, the genes that decide for each class, a report.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "engine/csr_matrix.h"

namespace genexx::tools {

// One row for each cell and explained class.
struct AttributionRows {
  std::vector<std::string> cell, explained;  // explained: the class
  std::vector<double> difference;            // of the class's output to the baseline's
  std::vector<float> values;                 // [rows, genes]
};

// Writes rows as they come.
class AttributionWriter {
 public:
  virtual ~AttributionWriter() = default;
  virtual void append(const AttributionRows& rows) = 0;
  // The file appears now. `class_means` [classes, genes].
  virtual void commit(const std::vector<std::string>& classes, const std::vector<double>& class_means) = 0;
};

struct AttributionShape {
  std::int64_t cells = 0, classes_each = 1;  // classes explained of each cell
  std::vector<std::string> genes;
};

// By the end of the name: h5ad (X, obs class and difference, var mean:CLASS), tsv (cell, class, genes), npy ([cells,
// genes], or [cells, classes, genes] for several classes each). Throws UsageError for another end.
std::unique_ptr<AttributionWriter> open_attributions(const std::string& path, const AttributionShape& shape);

// Mean attributions of each class over the cells explained for it, and how well they add up.
class AttributionSummary {
 public:
  AttributionSummary(std::int64_t classes, std::int64_t genes);
  void add(std::int32_t target, const float* values, double difference);

  std::int64_t cells(std::int64_t target) const { return cells_[static_cast<std::size_t>(target)]; }
  // [classes, genes]; 0 for a class without cells.
  std::vector<double> means() const;
  // Genes of a class by the size of their mean, largest first, at most `count`, those of mean 0 left out.
  std::vector<std::int64_t> top_genes(std::int64_t target, std::size_t count) const;

  // Sum of the attributions less the difference of the outputs, relative to that difference: over all rows together (in
  // the mean square), and of the worst row.
  double relative_error() const;
  double worst_error() const { return worst_; }

 private:
  std::int64_t genes_;
  std::vector<std::int64_t> cells_;
  std::vector<double> sum_;
  double squared_error_ = 0, squared_difference_ = 0, worst_ = 0;
};

}  // namespace genexx::tools
