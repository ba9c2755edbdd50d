// SPDX-License-Identifier: Apache-2.0
// genexx convert IN OUT: any readable format to h5ad, csv, tsv, npy, gct or gctx.
#include <algorithm>

#include <fmt/format.h>

#include "engine/error.h"
#include "io/atomic_file.h"
#include "io/dense_rows.h"
#include "io/field_text.h"
#include "io/gct_writer.h"
#include "io/gctx_writer.h"
#include "io/h5ad_writer.h"
#include "io/npy_writer.h"
#include "tools/dataset.h"
#include "tools/output_place.h"
#include "tools/stop_signal.h"
#include "tools/stoppable_source.h"
#include "tools/verbs.h"

namespace genexx::tools {
namespace {

constexpr std::int64_t kBlockRows = 1024;

std::string extension(const std::string& path) {
  const std::size_t dot = path.rfind('.');
  return dot == std::string::npos ? "" : path.substr(dot + 1);
}

// Cells in rows, streamed.
void write_text(const std::string& path, MatrixSource& source, char separator) {
  AtomicFile file(path);
  const auto field = [&](const std::string& name) { return separator == ',' ? csv_field(name) : one_line(name); };
  for (const std::string& gene : source.gene_names()) file.write(separator + field(gene));
  file.write("\n");
  CsrMatrix block;
  std::int64_t done = 0;
  while (source.next(block, kBlockRows)) {
    const std::vector<float> values = dense_rows(block);
    for (std::int64_t i = 0; i < block.rows; ++i) {
      std::string line = field(source.cell_names()[static_cast<std::size_t>(done++)]);
      for (std::int64_t c = 0; c < block.cols; ++c)
        line += fmt::format("{}{}", separator, values[static_cast<std::size_t>(i * block.cols + c)]);
      file.write(line + "\n");
    }
  }
  file.commit();
}

void write_array(const std::string& path, MatrixSource& source) {
  NpyWriter file(path, DType::f32, {source.rows(), source.cols()});
  CsrMatrix block;
  while (source.next(block, kBlockRows)) file.append(dense_rows(block).data(), block.rows * block.cols);
  file.commit();
}

void warn_of_unread(const ObsTable& table, const std::string& kind, Console& console) {
  for (const UnreadColumn& column : table.unread)
    console.warn(fmt::format("{}: the {} column '{}' is left out, for it cannot be read: {}", column.place, kind,
                             column.name, column.reason));
}

void convert(const ReadingOptions& o, const std::string& out, Console& console) {
  refuse_unused(o, "convert",
                {Unused::label, Unused::exclude_label, Unused::batch, Unused::group, Unused::input_kind,
                 Unused::duplicates, Unused::min_overlap});
  expect_output(out, o.overwrite);
  const std::string kind = extension(out);
  const std::vector<std::string> known = {"h5ad", "csv", "tsv", "npy", "gct", "gctx"};
  if (std::find(known.begin(), known.end(), kind) == known.end())
    throw UsageError(out + ": expected a name that ends in .h5ad, .csv, .tsv, .npy, .gct or .gctx");
  if (o.time_limit > 0) set_time_limit(o.time_limit);
  const std::unique_ptr<MatrixSource> source =
      std::make_unique<StoppableSource>(open_matrix(o.data, reader_options(o)), "converting");
  for (const std::string& text : source->warnings()) console.warn(text);
  warn_of_unread(source->cells(), "cell", console);
  warn_of_unread(source->genes(), "gene", console);
  if (kind == "h5ad") write_h5ad(out, *source, {.threads = thread_count(o)});
  if (kind == "csv") write_text(out, *source, ',');
  if (kind == "tsv") write_text(out, *source, '\t');
  if (kind == "npy") write_array(out, *source);
  if (kind == "gct") write_gct(out, *source);
  if (kind == "gctx") write_gctx(out, *source);
  console.say(fmt::format("{}: {} cells, {} genes", out, source->rows(), source->cols()));
}

}  // namespace

void add_convert(CLI::App& app, Program& program) {
  CLI::App* verb = app.add_subcommand("convert", "Any readable format to h5ad, csv, tsv, npy, gct or gctx.");
  const auto o = std::make_shared<ReadingOptions>();
  const auto out = std::make_shared<std::string>();
  verb->add_option("IN", o->data, "any readable file or a 10x directory")->required();
  verb->add_option("OUT", *out, "file to write")->required();
  add_reading_options(*verb, *o);
  verb->callback([&program, o, out] { program.action = [&program, o, out] { convert(*o, *out, program.console); }; });
}

}  // namespace genexx::tools
