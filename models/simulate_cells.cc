// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <utility>

#include <fmt/format.h>

#include "engine/error.h"
#include "models/random_stream.h"
#include "models/simulate.h"
#include "models/simulate_population.h"

namespace genexx {
namespace {

constexpr std::uint32_t kCellStream = 0x63656c6cu;  // Philox; element: cell
constexpr double kMostProgramme = 0.2;              // of a cell's molecules, each
constexpr double kShareInTransition = 0.1;          // of the cells
constexpr double kMostTransition = 0.5;             // of such a cell's molecules
constexpr std::int64_t kChunkCells = 64;            // one task
constexpr int kDraws = 4;                           // components of a cell: own type, next type, programmes

void check_request(const CellSimulation& r) {
  const auto refuse = [](const char* field, const auto& value, const char* expected) {
    throw UsageError(fmt::format("simulated cells: {} is {}, expected {}", field, value, expected));
  };
  constexpr std::int64_t kMost = std::numeric_limits<std::int32_t>::max();
  if (r.cells < 1 || r.cells > kMost) refuse("cells", r.cells, "1 to 2147483647");
  if (r.genes < 10 || r.genes > 10'000'000) refuse("genes", r.genes, "10 to 10000000");
  if (r.types < 1 || r.types > r.cells) refuse("types", r.types, "1 to the number of cells");
  if (r.donors < 1 || r.donors > r.cells) refuse("donors", r.donors, "1 to the number of cells");
  if (!(r.density > 0 && r.density <= 0.9)) refuse("density", r.density, "over 0 and at most 0.9");
  if (!(r.type_ratio > 0 && r.type_ratio <= 1)) refuse("type_ratio", r.type_ratio, "over 0 and at most 1");
  if (!(r.separation >= 0 && r.separation <= 10)) refuse("separation", r.separation, "0 to 10");
  if (!(r.donor_effect >= 0 && r.donor_effect <= 10)) refuse("donor_effect", r.donor_effect, "0 to 10");
  if (!(r.dispersion >= 0 && r.dispersion <= 100)) refuse("dispersion", r.dispersion, "0 to 100");
}

// Size of a burst: logarithmic with parameter p, by two uniforms. Source: Kemp, Applied Statistics 30(3), 1981,
// algorithm LK.
std::int64_t burst_size(double p, double u, double v) {
  if (v >= p) return 1;
  const double q = -std::expm1(u * std::log1p(-p));
  if (v <= q * q) return static_cast<std::int64_t>(1.0 + std::log(v) / std::log(q));
  return v >= q ? 1 : 2;
}

// Counts of one cell, dense, with a bit for each gene that has any: rows come out sorted without sorting. One a thread.
class CellCounter {
 public:
  explicit CellCounter(std::int64_t genes)
      : count_(static_cast<std::size_t>(genes), 0.0f), used_(static_cast<std::size_t>(genes + 63) / 64, 0) {}

  void add_bursts(const Profile& profile, std::int64_t bursts, RandomStream& random) {
    const auto genes = static_cast<std::uint64_t>(count_.size());
    for (std::int64_t i = 0; i < bursts; ++i) {
      const PhiloxCounter words = random.words();
      auto gene = static_cast<std::size_t>((words.x * genes) >> 32);
      if (words.y * 0x1p-32 >= static_cast<double>(profile.table.probability[gene])) {
        gene = static_cast<std::size_t>(profile.table.alias[gene]);
      }
      const std::int64_t size = burst_size(static_cast<double>(profile.burst[gene]),
                                           RandomStream::open_uniform(words.z), RandomStream::open_uniform(words.w));
      count_[gene] += static_cast<float>(size);
      used_[gene / 64] |= std::uint64_t{1} << (gene % 64);
    }
  }

  // Appends the row to `rows` and empties the counter.
  void flush(CsrMatrix& rows) {
    for (std::size_t word = 0; word < used_.size(); ++word) {
      for (std::uint64_t bits = used_[word]; bits != 0; bits &= bits - 1) {
        const std::size_t gene = word * 64 + static_cast<std::size_t>(__builtin_ctzll(bits));
        rows.column.push_back(static_cast<std::int32_t>(gene));
        rows.value.push_back(count_[gene]);
        count_[gene] = 0.0f;
      }
      used_[word] = 0;
    }
    rows.row_begin.push_back(static_cast<std::int64_t>(rows.column.size()));
    ++rows.rows;
  }

 private:
  std::vector<float> count_;
  std::vector<std::uint64_t> used_;
};

void draw_cell(const CellSimulation& r, const Population& population, std::int64_t cell, CellCounter& counter) {
  RandomStream random(r.seed, kCellStream, cell);
  const std::int64_t type = population.type_of(cell);
  const std::int64_t donor = population.donor_of(cell);
  const double size = population.depth_factor(type, donor) * std::exp(Population::kLibrarySigma * random.normal());
  std::array<double, kProgrammes> activity = {};
  double rest = 1.0;
  for (double& a : activity) rest -= a = kMostProgramme * std::pow(random.uniform(), 4.0);
  const bool in_transition = random.uniform() < kShareInTransition;
  const double moved = in_transition ? kMostTransition * random.uniform() : 0.0;
  const std::array<std::pair<const Profile*, double>, kDraws> components = {
      {{&population.profile(type, donor), rest * (1.0 - moved)},
       {&population.profile(population.neighbour_of(type), donor), rest * moved},
       {&population.programme(0), activity[0]},
       {&population.programme(1), activity[1]}}};
  for (const auto& component : components) {
    const std::int64_t bursts = random.poisson(component.first->bursts * component.second * size);
    counter.add_bursts(*component.first, bursts, random);
  }
}

void append(CsrMatrix& matrix, CsrMatrix&& rows) {
  const std::int64_t before = matrix.nnz();
  for (std::size_t i = 1; i < rows.row_begin.size(); ++i) matrix.row_begin.push_back(before + rows.row_begin[i]);
  matrix.column.insert(matrix.column.end(), rows.column.begin(), rows.column.end());
  matrix.value.insert(matrix.value.end(), rows.value.begin(), rows.value.end());
  matrix.rows += rows.rows;
  rows = CsrMatrix{};
}

CsrMatrix draw_counts(const CellSimulation& r, const Population& population, ThreadPool& pool) {
  CsrMatrix matrix;
  matrix.cols = r.genes;
  const auto expected = static_cast<std::size_t>(1.05 * r.density * static_cast<double>(r.cells * r.genes));
  matrix.column.reserve(expected);
  matrix.value.reserve(expected);
  std::vector<CellCounter> counters(static_cast<std::size_t>(pool.threads()), CellCounter(r.genes));
  const std::int64_t chunks = (r.cells + kChunkCells - 1) / kChunkCells;
  std::vector<CsrMatrix> wave(static_cast<std::size_t>(8 * pool.threads()));
  for (std::int64_t first = 0; first < chunks; first += static_cast<std::int64_t>(wave.size())) {
    if (r.between_cells) r.between_cells();
    const std::int64_t count = std::min<std::int64_t>(static_cast<std::int64_t>(wave.size()), chunks - first);
    pool.run_on(count, [&](int thread, std::int64_t i) {
      const std::int64_t begin = (first + i) * kChunkCells;
      CellCounter& counter = counters[static_cast<std::size_t>(thread)];
      for (std::int64_t cell = begin; cell < std::min(begin + kChunkCells, r.cells); ++cell) {
        draw_cell(r, population, cell, counter);
        counter.flush(wave[static_cast<std::size_t>(i)]);
      }
    });
    for (std::int64_t i = 0; i < count; ++i) append(matrix, std::move(wave[static_cast<std::size_t>(i)]));
  }
  return matrix;
}

}  // namespace

SimulatedCells simulate_cells(const CellSimulation& request, ThreadPool& pool) {
  check_request(request);
  const Population population(request, pool);
  SimulatedCells cells;
  cells.counts = draw_counts(request, population, pool);
  for (std::int64_t i = 0; i < request.cells; ++i) {
    cells.cell_names.push_back(fmt::format("cell_{:06}", i));
    cells.cell_types.push_back(fmt::format("type_{:02}", population.type_of(i)));
    cells.donors.push_back(fmt::format("donor_{}", population.donor_of(i)));
  }
  for (std::int64_t g = 0; g < request.genes; ++g) cells.gene_names.push_back(fmt::format("gene_{:05}", g));
  return cells;
}

}  // namespace genexx
