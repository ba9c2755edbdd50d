// SPDX-License-Identifier: Apache-2.0
// Random data sets for the ops that go over cells, and their copies on a device.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "tests/oracle/gene_stats_oracle.h"
#include "tests/support/op_test.h"

namespace genexx::test {

enum class Form { csr, dense };

// A third of the entries stored, counts up to 40; column 0 is constant, column 1 is never stored, column 2 holds about
// 1e4; rows repeat and some are -1.
oracle::CellsCase random_cells(std::int64_t cells, std::int64_t cols, std::int64_t replicas, std::int64_t n,
                               std::uint64_t seed);

// The part of replica `k` as a case of its own.
oracle::CellsCase replica_of(const oracle::CellsCase& c, std::int64_t k);

// A data set on a device, as CSR or dense.
class DeviceData {
 public:
  DeviceData(Context& ctx, std::int64_t cells, std::int64_t cols, const std::vector<double>& matrix, Form form);
  ExpressionData data;

 private:
  std::unique_ptr<DeviceArray> row_begin_, column_, value_, dense_;
};

// The same with the rows and factors of a case.
class DeviceCells {
 public:
  DeviceCells(Context& ctx, const oracle::CellsCase& c, Form form)
      : data(ctx, c.cells, c.cols, c.matrix, form),
        rows(ctx, {c.replicas, c.n}, c.rows),
        row_factor(ctx, {c.replicas, c.cells}, cast<float>(c.row_factor)) {}
  DeviceData data;
  DeviceArray rows, row_factor;
};

}  // namespace genexx::test
