// SPDX-License-Identifier: Apache-2.0
// Time and peak memory of scAnnoNet's stage 1 on simulated counts.
//
//   bench_gene_selection [CELLS GENES DENSITY TYPES THREADS]      default 12000 20000 0.05 12 2
#include <chrono>
#include <ctime>
#include <fstream>
#include <string>

#include <fmt/format.h>

#include "models/class_codes.h"
#include "models/scannonet/gene_selection.h"
#include "models/simulate.h"

namespace {

// From here on the highest resident memory is counted anew.
void reset_peak() { std::ofstream("/proc/self/clear_refs") << 5; }

// Resident memory in MB: now ("VmRSS:") or at its highest ("VmHWM:").
double memory(const std::string& field) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.compare(0, field.size(), field) == 0) return std::stod(line.substr(field.size())) / 1024;
  return 0;
}

}  // namespace

int main(int count, char** values) {
  const auto argument = [&](int i, const char* otherwise) { return std::string(i < count ? values[i] : otherwise); };
  genexx::CellSimulation request;
  request.cells = std::stoll(argument(1, "12000"));
  request.genes = std::stoll(argument(2, "20000"));
  request.density = std::stod(argument(3, "0.05"));
  request.types = std::stoll(argument(4, "12"));
  genexx::ThreadPool pool(std::stoi(argument(5, "2")));
  const genexx::SimulatedCells cells = genexx::simulate_cells(request, pool);
  const genexx::ClassCodes codes = genexx::encode_classes(cells.cell_types);
  genexx::CpuContext ctx(&pool);
  const double before = memory("VmRSS:");
  reset_peak();
  const std::clock_t processor = std::clock();
  const auto start = std::chrono::steady_clock::now();

  const genexx::scannonet::Selection s =
      genexx::scannonet::select_genes(ctx, {cells.counts, codes.codes, codes.names}, {});

  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  const double processor_seconds = static_cast<double>(std::clock() - processor) / CLOCKS_PER_SEC;
  fmt::print(
      "{} cells x {} genes, {} stored ({:.1f} %), {} threads, {}\n", cells.counts.rows, cells.counts.cols,
      cells.counts.nnz(),
      100.0 * static_cast<double>(cells.counts.nnz()) / static_cast<double>(cells.counts.rows * cells.counts.cols),
      ctx.threads(), name_of(ctx.isa()));
  fmt::print("kept {} genes, {} variable, {} markers, {} lines of gene_list, {} features\n", s.genes.size(),
             s.variable.size(), s.markers.size(), s.coexpressed.size(), s.features.size());
  fmt::print(
      "stage 1: {:.2f} s ({:.2f} s of processor time), {:.0f} MB at the highest, of which {:.0f} MB were the data and "
      "the program before it\n",
      seconds.count(), processor_seconds, memory("VmHWM:"), before);
}
