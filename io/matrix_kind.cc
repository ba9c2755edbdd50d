// SPDX-License-Identifier: Apache-2.0
#include "io/matrix_kind.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include <fmt/format.h>

namespace genexx {
namespace {

constexpr double kEqualSums = 0.02;     // relative spread of row sums that still counts as equal
constexpr double kMostRows = 0.95;      // share of the rows that must agree
constexpr double kWholeShare = 0.9;     // share of the values that must be whole multiples
constexpr double kWholeError = 0.02;    // distance from a whole multiple
constexpr double kLargestMultiple = 8;  // beyond, rounding of the stored values hides whether a multiple is whole
constexpr double kLargestLog = 25.0;    // no logarithm of a count is larger: 2^25 molecules of one gene
constexpr double kMostZeros = 0.2;
constexpr std::int64_t kMostValues = 4'000'000;

struct Row {
  const float* begin;
  const float* end;
};

Row row_of(const CsrMatrix& matrix, std::int64_t row) {
  return {matrix.value.data() + matrix.row_begin[static_cast<std::size_t>(row)],
          matrix.value.data() + matrix.row_begin[static_cast<std::size_t>(row) + 1]};
}

struct Tally {
  std::int64_t whole = 0, finite = 0;
};

Tally tally_values(const CsrMatrix& matrix, MatrixKindReport& report) {
  Tally tally;
  report.rows = matrix.rows;
  report.stored = matrix.nnz();
  for (const float v : matrix.value) {
    report.nan += std::isnan(v);
    report.infinite += std::isinf(v);
    if (!std::isfinite(v)) continue;
    ++tally.finite;
    tally.whole += v == std::floor(v);
    report.negative += v < 0;
    report.least = std::min(report.least, static_cast<double>(v));
    report.most = std::max(report.most, static_cast<double>(v));
  }
  if (matrix.nnz() == matrix.rows * matrix.cols && tally.finite > 0) {
    report.least = static_cast<double>(*std::min_element(matrix.value.begin(), matrix.value.end()));
  }
  return tally;
}

// Undoes a logarithm of the given base.
double undone(float x, MatrixKind kind) {
  return kind == MatrixKind::log1p ? std::expm1(static_cast<double>(x)) : std::exp2(static_cast<double>(x)) - 1.0;
}

struct Sums {
  double median = 0;
  double agreeing = 0;  // share of the rows within kEqualSums of it
};

Sums row_sums(const CsrMatrix& matrix, MatrixKind kind) {
  std::vector<double> sums;
  for (std::int64_t i = 0; i < matrix.rows; ++i) {
    const Row row = row_of(matrix, i);
    double sum = 0;
    for (const float* x = row.begin; x != row.end; ++x) sum += std::isfinite(*x) ? undone(*x, kind) : 0.0;
    if (row.begin != row.end) sums.push_back(sum);
  }
  if (sums.size() < 2) return {};
  std::vector<double> sorted = sums;
  std::sort(sorted.begin(), sorted.end());
  const double median = sorted[sorted.size() / 2];
  const auto near = std::count_if(sums.begin(), sums.end(), [&](double s) {
    return std::isfinite(s) && std::abs(s - median) <= kEqualSums * median;
  });
  return {median, static_cast<double>(near) / static_cast<double>(sums.size())};
}

// Share of the values of a row that, the logarithm undone, are whole multiples of the row's smallest: that is one
// count. Multiples of one prove nothing and are left out.
double whole_multiples(const CsrMatrix& matrix, MatrixKind kind) {
  std::int64_t looked_at = 0;
  std::int64_t whole = 0;
  for (std::int64_t i = 0; i < matrix.rows; ++i) {
    const Row row = row_of(matrix, i);
    if (row.begin == row.end) continue;
    const double unit = undone(*std::min_element(row.begin, row.end), kind);
    for (const float* x = row.begin; x != row.end && unit > 0; ++x) {
      const double multiple = undone(*x, kind) / unit;
      if (!(multiple >= 1.5 && multiple <= kLargestMultiple)) continue;
      ++looked_at;
      whole += std::abs(multiple - std::round(multiple)) <= kWholeError;
    }
  }
  return looked_at < 20 ? 0.0 : static_cast<double>(whole) / static_cast<double>(looked_at);
}

bool told_by_sums(const CsrMatrix& matrix, MatrixKindReport& report) {
  for (const MatrixKind kind : {MatrixKind::log1p, MatrixKind::log2p1}) {
    const Sums sums = row_sums(matrix, kind);
    if (sums.agreeing < kMostRows) continue;
    report.kind = kind;
    report.base_told = true;
    report.row_sum = sums.median;
    report.evidence = fmt::format("sums of {} over a row are {:.6g} within {:.0f} % in {:.0f} % of the rows",
                                  kind == MatrixKind::log1p ? "exp(x) - 1" : "2^x - 1", sums.median, 100 * kEqualSums,
                                  100 * sums.agreeing);
    return true;
  }
  return false;
}

bool told_by_multiples(const CsrMatrix& matrix, MatrixKindReport& report) {
  const double natural = whole_multiples(matrix, MatrixKind::log1p);
  const double binary = whole_multiples(matrix, MatrixKind::log2p1);
  if (std::max(natural, binary) < kWholeShare) return false;
  report.kind = natural >= binary ? MatrixKind::log1p : MatrixKind::log2p1;
  report.base_told = true;
  report.evidence = fmt::format(
      "{} is a whole multiple of the row's smallest for {:.0f} % of the values, so these were "
      "counts; row sums differ, so some genes were left out or sums were not made equal",
      natural >= binary ? "exp(x) - 1" : "2^x - 1", 100 * std::max(natural, binary));
  return true;
}

double zero_share(const CsrMatrix& matrix) {
  const double all = static_cast<double>(matrix.rows) * static_cast<double>(matrix.cols);
  return all > 0 ? 1.0 - static_cast<double>(matrix.nnz()) / all : 1.0;
}

void tell_kind(const CsrMatrix& matrix, const Tally& tally, MatrixKindReport& report) {
  const bool all_whole = tally.whole == tally.finite;
  if (tally.finite == 0) {
    report.evidence = matrix.rows == 0     ? "there are no cells"
                      : matrix.cols == 0   ? "there are no genes"
                      : report.stored == 0 ? "all values are zero"
                                           : "no value is finite";
  } else if (report.negative > 0) {
    report.kind = all_whole ? MatrixKind::unknown : MatrixKind::scaled;
    report.evidence = fmt::format("{} of {} non-zero values are negative, down to {:.6g}{}", report.negative,
                                  report.stored, report.least, all_whole ? ", and all are whole" : "");
  } else if (all_whole) {
    report.kind = MatrixKind::counts;
    report.evidence = fmt::format("all {} non-zero values are whole numbers, up to {:.6g}", report.stored, report.most);
  } else if (report.most <= 1.0 && zero_share(matrix) <= kMostZeros) {
    report.kind = MatrixKind::scaled;
    report.evidence = fmt::format("all values are between 0 and 1 and {:.0f} % are zero", 100 * zero_share(matrix));
  } else if (told_by_sums(matrix, report) || told_by_multiples(matrix, report)) {
    return;
  } else if (report.most <= kLargestLog) {
    report.kind = MatrixKind::log1p;
    report.evidence = fmt::format(
        "fractions from {:.4g} to {:.4g}, the range of a logarithm; its base cannot be told and "
        "is taken as natural",
        report.least, report.most);
  } else {
    report.evidence = fmt::format(
        "{:.0f} % of the non-zero values are fractions, up to {:.6g}: normalised, but not "
        "logarithms",
        100.0 * static_cast<double>(tally.finite - tally.whole) / static_cast<double>(tally.finite), report.most);
  }
}

}  // namespace

const char* name_of(MatrixKind kind) {
  switch (kind) {
    case MatrixKind::counts:
      return "counts";
    case MatrixKind::log1p:
      return "log1p";
    case MatrixKind::log2p1:
      return "log2p1";
    case MatrixKind::scaled:
      return "scaled";
    case MatrixKind::unknown:
      return "unknown";
  }
  return "?";
}

MatrixKindReport classify_matrix(const CsrMatrix& sample) {
  MatrixKindReport report;
  const Tally tally = tally_values(sample, report);
  tell_kind(sample, tally, report);
  if (report.nan + report.infinite > 0) {
    report.evidence += fmt::format("; {} NaN and {} infinite values", report.nan, report.infinite);
  }
  return report;
}

MatrixKindReport classify_source(BatchSource& source, std::int64_t rows) {
  CsrMatrix sample;
  sample.cols = source.cols();
  source.rewind();
  for (CsrMatrix block; sample.rows < rows && sample.nnz() < kMostValues && source.next(block, 64);) {
    for (std::int64_t i = 0; i < block.rows && sample.rows < rows; ++i, ++sample.rows) {
      const auto begin = static_cast<std::ptrdiff_t>(block.row_begin[static_cast<std::size_t>(i)]);
      const auto end = static_cast<std::ptrdiff_t>(block.row_begin[static_cast<std::size_t>(i) + 1]);
      sample.column.insert(sample.column.end(), block.column.begin() + begin, block.column.begin() + end);
      sample.value.insert(sample.value.end(), block.value.begin() + begin, block.value.begin() + end);
      sample.row_begin.push_back(static_cast<std::int64_t>(sample.value.size()));
    }
  }
  source.rewind();
  return classify_matrix(sample);
}

}  // namespace genexx
