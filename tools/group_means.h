// SPDX-License-Identifier: Apache-2.0
// Means of groups of rows (regions of a brain, clusters of cells), taken block by block.
#pragma once

#include <string>
#include <vector>

#include "engine/csr_matrix.h"
#include "io/matrix_source.h"

namespace genexx::tools {

// Which group each row of the data is in; groups in sorted order.
struct Groups {
  std::vector<std::string> names;
  std::vector<std::int32_t> of_row;  // -1: none
};

// Groups by a column of the rows. TransBrain names rows REGION_sampleI_cellJ: in its column the group is what stands
// before the first underscore, and rows of the region "other" are in none (spec, section 3.1). Throws RefusedError for
// a column that is not there or is empty.
Groups groups_of(const MatrixSource& source, const std::string& column);

class GroupMeans {
 public:
  GroupMeans(const Groups& groups, std::int64_t columns);

  // Adds rows, the first of which is row `first` of the data. Sums in double, in the order of the rows.
  void add(const CsrMatrix& rows, std::int64_t first);

  // [groups, columns].
  std::vector<double> values() const;
  // The same, rounded to float, as the matrix ops read.
  CsrMatrix matrix() const;

 private:
  const Groups& groups_;
  std::size_t columns_;
  std::vector<double> sum_, count_;
};

}  // namespace genexx::tools
