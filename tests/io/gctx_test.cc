// SPDX-License-Identifier: Apache-2.0
#include "io/gctx.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>

#include <doctest/doctest.h>

#include "engine/error.h"
#include "io/gctx_writer.h"
#include "io/open_matrix.h"
#include "tests/support/data.h"
#include "tests/support/hdf5_file.h"
#include "tests/support/peak_memory.h"
#include "tests/support/python.h"
#include "tests/support/text_file.h"

using namespace genexx;
using genexx::test::contains;
using genexx::test::data_file;
using genexx::test::dense;
using genexx::test::Hdf5File;
using genexx::test::message_of;
using genexx::test::TemporaryDirectory;

namespace {

// Three samples by two genes.
void write_small(Hdf5File& file, const std::vector<hsize_t>& shape = {3, 2}) {
  file.attribute("/", "version", std::vector<std::string>{"GCTX1.0"});
  file.doubles("/0/DATA/0/matrix", {1, 2, 0, -666, 5, 6}, {.shape = shape});
  file.fixed_strings("/0/META/COL/id", {"s1", "s2", "s3"}, 4);
  file.fixed_strings("/0/META/COL/drug", {"A", "-666", "B"}, 4);
  file.doubles("/0/META/COL/dose", {0.5, -666, 2});
  file.integers("/0/META/ROW/id", {207, 1053});
  file.fixed_strings("/0/META/ROW/symbol", {"TP53", "MYC"}, 8);
}

std::string bad_message(const std::function<void(Hdf5File&)>& spoil) {
  const TemporaryDirectory directory;
  const std::string path = directory.file("bad.gctx");
  {
    Hdf5File file(path);
    write_small(file);
    spoil(file);
  }
  return message_of<InputError>([&] { open_matrix(path); });
}

}  // namespace

TEST_CASE("gctx: samples are rows, numeric ids stay text, -666 is missing everywhere") {
  const TemporaryDirectory directory;
  const std::string path = directory.file("small.gctx");
  {
    Hdf5File file(path);
    write_small(file);
  }

  const auto source = open_matrix(path);
  const std::vector<float> values = dense(test::read_all(*source, 2));

  CHECK(source->cell_names() == Strings{"s1", "s2", "s3"});
  CHECK(source->gene_names() == Strings{"207", "1053"});
  CHECK(values[1] == 2);
  CHECK(values[2] == 0);
  CHECK(std::isnan(values[3]));
  CHECK(values[4] == 5);
  CHECK(std::get<Strings>(source->cells().find("drug")->values) == Strings{"A", "", "B"});
  CHECK(std::isnan(std::get<Numbers>(source->cells().find("dose")->values).values[1]));
  CHECK(describe_file(path).layout == "GCTX1.0");
}

TEST_CASE("gctx: a matrix stored genes first is told by its shape") {
  const TemporaryDirectory directory;
  const std::string path = directory.file("turned.gctx");
  {
    Hdf5File file(path);
    write_small(file, {2, 3});
  }

  const auto source = open_matrix(path);
  const std::vector<float> values = dense(test::read_all(*source));

  CHECK(contains(source->description(), "transposed"));
  CHECK(values[0] == 1);
  CHECK(std::isnan(values[1]));
  CHECK(values[2] == 2);
  CHECK(values[5] == 6);
}

TEST_CASE("gctx: malformed files are refused with their place") {
  CHECK(contains(bad_message([](Hdf5File& f) { f.remove("/0/META/COL/id"); }), "/0/META/COL: has no 'id'"));
  CHECK(contains(bad_message([](Hdf5File& f) {
                   f.remove("/0/META/ROW/id");
                   f.fixed_strings("/0/META/ROW/id", {"a", ""}, 4);
                 }),
                 "/0/META/ROW/id: row 2 has no id"));
  CHECK(contains(bad_message([](Hdf5File& f) {
                   f.remove("/0/META/ROW/id");
                   f.fixed_strings("/0/META/ROW/id", {"a", "b", "c"}, 4);
                   f.remove("/0/META/ROW/symbol");
                 }),
                 "is 3 x 2, but META/COL has 3 ids and META/ROW 3; expected 3 x 3"));
  CHECK(contains(bad_message([](Hdf5File& f) {
                   f.remove("/0/META/COL/dose");
                   f.doubles("/0/META/COL/dose", {1});
                 }),
                 "/0/META/COL/dose: has 1 elements, expected 3"));
  CHECK(contains(bad_message([](Hdf5File& f) { f.remove("/0/DATA/0/matrix"); }), "matrix"));
}

TEST_CASE("gctx: what is written is read back the same, and by h5py") {
  const TemporaryDirectory directory;
  const std::string first = directory.file("a.gctx"), second = directory.file("b.gctx");
  {
    Hdf5File file(first);
    write_small(file);
  }

  const auto source = open_matrix(first);
  write_gctx(second, *source);
  const auto back = open_matrix(second);
  const std::vector<float> values = dense(test::read_all(*back));

  CHECK(back->cell_names() == source->cell_names());
  CHECK(back->gene_names() == source->gene_names());
  CHECK(values[4] == 5);
  CHECK(std::isnan(values[3]));
  CHECK(std::get<Strings>(back->cells().find("drug")->values) == Strings{"A", "", "B"});
  const test::PythonRun run = test::run_python("h5py, numpy", R"(
import sys, h5py
f = h5py.File(sys.argv[1], 'r')
assert f.attrs['version'] == 'GCTX1.0' and f.attrs['src'] == 'b.gctx'
assert f['0/DATA/0/matrix'].shape == (3, 2) and f['0/DATA/0/matrix'].dtype == 'f4'
assert list(f['0/META/ROW/id'][:]) == [b'207', b'1053']
assert list(f['0/META/COL/drug'][:]) == [b'A', b'-666', b'B']
assert f['0/META/COL/dose'][1] == -666
)",
                                               second);
  if (run.ran) CHECK_MESSAGE(run.status == 0, run.output);
}

TEST_CASE("gctx: writing needs the memory of a block, not of the matrix") {
  const TemporaryDirectory directory;
  constexpr std::int64_t kSamples = 20000, kGenes = 2000, kBlock = 500;  // 160 MB
  Annotations about;
  for (std::int64_t i = 0; i < kSamples; ++i) about.cell_names.push_back("s" + std::to_string(i));
  for (std::int64_t i = 0; i < kGenes; ++i) about.gene_names.push_back("g" + std::to_string(i));
  std::vector<float> block(kBlock * kGenes);
  std::iota(block.begin(), block.end(), 0.0f);

  const auto growth = test::peak_growth([&] {
    GctxWriter writer(directory.file("long.gctx"), about);
    for (std::int64_t row = 0; row < kSamples; row += kBlock) writer.append(block.data(), kBlock);
    writer.commit();
  });

  if (growth) CHECK(*growth < (std::int64_t{24} << 20));
}

TEST_CASE("gctx: every L1000 gene is an affine map of the same gene in the GCT") {
  const auto scores = data_file("l1000_ljp_level4_zscore_377x978.gctx");
  const auto levels = data_file("l1000_ljp_level3_qnorm_377x978.gct");
  if (!scores || !levels) return;

  const auto a = open_matrix(*scores), b = open_matrix(*levels);
  const std::vector<float> x = dense(test::read_all(*a)), y = dense(test::read_all(*b));

  CHECK(a->cell_names() == b->cell_names());
  CHECK(a->gene_names() == b->gene_names());
  CHECK(a->cells().columns.size() == 37);
  const auto genes = static_cast<std::size_t>(a->cols()), cells = static_cast<std::size_t>(a->rows());
  double worst = 1;
  for (std::size_t g = 0; g < genes; ++g) {
    double mx = 0, my = 0, xx = 0, yy = 0, xy = 0;
    for (std::size_t c = 0; c < cells; ++c) mx += x[c * genes + g], my += y[c * genes + g];
    mx /= static_cast<double>(cells), my /= static_cast<double>(cells);
    for (std::size_t c = 0; c < cells; ++c) {
      const double dx = x[c * genes + g] - mx, dy = y[c * genes + g] - my;
      xx += dx * dx, yy += dy * dy, xy += dx * dy;
    }
    worst = std::min(worst, xy / std::sqrt(xx * yy));
  }
  CHECK(worst > 0.999999);
}
