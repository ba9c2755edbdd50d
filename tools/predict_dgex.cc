// SPDX-License-Identifier: Apache-2.0
#include "tools/predict_dgex.h"
#include "tools/output_place.h"

#include <algorithm>
#include <functional>
#include <memory>

#include <fmt/format.h>

#include "engine/error.h"
#include "io/gct_writer.h"
#include "io/gctx_writer.h"
#include "io/h5ad_writer.h"
#include "tools/stop_signal.h"

namespace genexx::tools {
namespace {

std::size_t at(std::int64_t i) { return static_cast<std::size_t>(i); }

bool ends_with(const std::string& text, const std::string& end) {
  return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

// Takes profiles in order, [rows, genes], and finishes the file.
struct Sink {
  std::function<void(const std::vector<float>&, std::int64_t)> append;
  std::function<void()> commit;
};

CsrMatrix as_csr(const std::vector<float>& values, std::int64_t rows) {
  CsrMatrix m;
  m.rows = rows;
  m.cols = static_cast<std::int64_t>(values.size()) / rows;
  for (std::int64_t i = 0; i < rows; ++i) {
    for (std::int64_t c = 0; c < m.cols; ++c) {
      if (values[at(i * m.cols + c)] == 0.0f) continue;
      m.column.push_back(static_cast<std::int32_t>(c));
      m.value.push_back(values[at(i * m.cols + c)]);
    }
    m.row_begin.push_back(static_cast<std::int64_t>(m.column.size()));
  }
  return m;
}

Sink h5ad_sink(const std::string& path, const Annotations& about, int threads) {
  const auto file = std::make_shared<H5adWriter>(path, H5adOptions{.threads = threads});
  file->write_cells(about.cell_names, about.cells);
  file->write_genes(about.gene_names, about.genes);
  file->begin_matrix(static_cast<std::int64_t>(about.gene_names.size()));
  return {[file](const std::vector<float>& values, std::int64_t rows) { file->append_rows(as_csr(values, rows)); },
          [file] { file->commit(); }};
}

Sink table_sink(const std::string& path, const Annotations& about) {
  const auto file = std::make_shared<AtomicFile>(path);
  const auto names = std::make_shared<std::vector<std::string>>(about.cell_names);
  const auto next = std::make_shared<std::size_t>(0);
  for (const std::string& gene : about.gene_names) file->write("\t" + gene);
  file->write("\n");
  return {[file, names, next](const std::vector<float>& values, std::int64_t rows) {
            const std::size_t cols = values.size() / at(rows);
            for (std::int64_t i = 0; i < rows; ++i) {
              std::string line = (*names)[(*next)++];
              for (std::size_t c = 0; c < cols; ++c) line += fmt::format("\t{}", values[at(i) * cols + c]);
              file->write(line + "\n");
            }
          },
          [file] { file->commit(); }};
}

template <class Writer>
Sink dense_sink(const std::string& path, const Annotations& about) {
  const auto file = std::make_shared<Writer>(path, about);
  return {[file](const std::vector<float>& values, std::int64_t rows) { file->append(values.data(), rows); },
          [file] { file->commit(); }};
}

Sink open_sink(const std::string& path, const Annotations& about, int threads) {
  if (ends_with(path, ".gctx")) return dense_sink<GctxWriter>(path, about);
  if (ends_with(path, ".gct")) return dense_sink<GctWriter>(path, about);
  return ends_with(path, ".tsv") ? table_sink(path, about) : h5ad_sink(path, about, threads);
}

Annotations annotations_of(const DgexApplication& application) {
  Annotations about;
  about.cell_names = application.source().cell_names();
  about.cells = application.source().cells();
  about.gene_names = application.landmarks();
  about.gene_names.insert(about.gene_names.end(), application.targets().begin(), application.targets().end());
  Strings role(about.gene_names.size(), "target");
  std::fill(role.begin(), role.begin() + static_cast<std::ptrdiff_t>(application.landmarks().size()), "landmark");
  about.genes.columns = {{"role", role}, {"symbol", application.symbols()}};
  return about;
}

// Landmarks, then targets, of each profile.
std::vector<float> rows_of(const DgexApplication::Block& block) {
  const std::size_t rows = at(block.rows), landmarks = block.landmarks.size() / rows,
                    targets = block.targets.size() / rows;
  std::vector<float> out(rows * (landmarks + targets));
  for (std::size_t i = 0; i < rows; ++i) {
    float* row = out.data() + i * (landmarks + targets);
    std::copy_n(block.landmarks.data() + i * landmarks, landmarks, row);
    std::copy_n(block.targets.data() + i * targets, targets, row + landmarks);
  }
  return out;
}

}  // namespace

void predict_dgex(const ApplicationOptions& application, const DgexPredictionOptions& o, const std::string& out,
                  Console& console) {
  const ReadingOptions& reading = application.reading;
  if (!ends_with(out, ".gctx") && !ends_with(out, ".gct") && !ends_with(out, ".tsv") && !ends_with(out, ".h5ad"))
    throw UsageError("--out " + out + ": expected a name that ends in .gctx, .gct, .tsv or .h5ad");
  expect_output(out, reading.overwrite);
  if (reading.time_limit > 0) set_time_limit(reading.time_limit);
  DgexApplication model(application, o, console);
  const Sink sink = open_sink(out, annotations_of(model), model.threads());
  const std::int64_t profiles = model.source().rows();
  model.for_blocks([&](const DgexApplication::Block& block) {
    sink.append(rows_of(block), block.rows);
    console.show_progress(block.first + block.rows, profiles, "predicting");
  });
  console.end_progress();
  sink.commit();
  console.say(fmt::format("{} profiles, {} landmarks and {} targets: {}", profiles, model.landmarks().size(),
                          model.targets().size(), out));
}

}  // namespace genexx::tools
