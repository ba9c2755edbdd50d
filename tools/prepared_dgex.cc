// SPDX-License-Identifier: Apache-2.0
#include "tools/prepared_dgex.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "io/atomic_file.h"
#include "io/npy_writer.h"

namespace genexx::tools {
namespace {

constexpr std::int64_t kRowsAtOnce = 256;

void append(NpyWriter& file, DType dtype, const double* values, std::int64_t count) {
  if (dtype == DType::f64) return file.append(values, count);
  const std::vector<float> narrow(values, values + count);
  file.append(narrow.data(), count);
}

}  // namespace

void write_part(const std::string& directory, const PreparedPart& part, const dgex::RankedSet& set,
                std::int64_t landmarks, DType dtype) {
  const std::int64_t genes = set.ranks.cols();
  NpyWriter x(directory + "/X_" + part.name + ".npy", dtype, {part.count, landmarks});
  NpyWriter y(directory + "/Y_" + part.name + ".npy", dtype, {part.count, genes - landmarks});
  for (std::int64_t done = 0; done < part.count; done += kRowsAtOnce) {
    const std::int64_t count = std::min(kRowsAtOnce, part.count - done);
    const std::vector<double> values = set.standardised(part.begin + done, count);
    for (std::int64_t i = 0; i < count; ++i) {
      append(x, dtype, values.data() + i * genes, landmarks);
      append(y, dtype, values.data() + i * genes + landmarks, genes - landmarks);
    }
  }
  x.commit();
  y.commit();
}

void write_genes(const std::string& directory, const std::vector<ProbedGene>& genes, std::int64_t landmarks,
                 const std::vector<NamedStatistics>& statistics) {
  AtomicFile file(directory + "/genes.tsv");
  file.write("role\tcolumn\tid\tsymbol\tprobes");
  for (const NamedStatistics& s : statistics) file.write(fmt::format("\tmean_{}\tdeviation_{}", s.name, s.name));
  file.write("\n");
  for (std::size_t g = 0; g < genes.size(); ++g) {
    const auto place = static_cast<std::int64_t>(g);
    const bool is_landmark = place < landmarks;
    file.write(fmt::format("{}\t{}\t{}\t{}\t{}", is_landmark ? "landmark" : "target",
                           is_landmark ? place : place - landmarks, genes[g].id, genes[g].symbol,
                           fmt::join(genes[g].probes, ",")));
    for (const NamedStatistics& s : statistics)
      file.write(fmt::format("\t{}\t{}", s.statistics.mean[g], s.statistics.deviation[g]));
    file.write("\n");
  }
  file.commit();
}

void write_samples(const std::string& directory, const std::vector<PreparedSample>& samples) {
  AtomicFile file(directory + "/samples.tsv");
  file.write("set\trow\tsample\tsource_row\n");
  for (const PreparedSample& s : samples)
    file.write(fmt::format("{}\t{}\t{}\t{}\n", s.part, s.row, s.name, s.source_row));
  file.commit();
}

}  // namespace genexx::tools
