// SPDX-License-Identifier: Apache-2.0
// 10x HDF5, loom and plain files that the test makes.
#include <doctest/doctest.h>

#include "engine/error.h"
#include "io/file_info.h"
#include "io/open_matrix.h"
#include "io/xml_text.h"
#include "tests/support/data.h"
#include "tests/support/hdf5_file.h"

using namespace genexx;
using genexx::test::Hdf5File;
using genexx::test::TemporaryDirectory;

namespace {

using Values = std::vector<float>;
using Columns = std::vector<std::int32_t>;

void write_genome(Hdf5File& file, const std::string& genome, double value) {
  file.fixed_strings("/" + genome + "/barcodes", {"AA-1", "CC-1"}, 6);
  file.fixed_strings("/" + genome + "/genes", {"ENSG1", "ENSG2", "ENSG3"}, 8);
  file.fixed_strings("/" + genome + "/gene_names", {"A", "B", "C"}, 4);
  file.doubles("/" + genome + "/data", {value, 2});
  file.integers("/" + genome + "/indices", {0, 2});
  file.integers("/" + genome + "/indptr", {0, 1, 2});
  file.integers("/" + genome + "/shape", {3, 2});
}

void write_version_3(Hdf5File& file) {
  file.fixed_strings("/matrix/barcodes", {"AA-1", "CC-1"}, 6);
  file.integers("/matrix/data", {5, 6, 7, 8});
  file.integers("/matrix/indices", {0, 1, 2, 0});
  file.integers("/matrix/indptr", {0, 3, 4});
  file.integers("/matrix/shape", {3, 2});
  file.fixed_strings("/matrix/features/id", {"ENSG1", "CD3", "ENSG2"}, 8);
  file.fixed_strings("/matrix/features/name", {"A", "CD3_TotalSeq", "B"}, 16);
  file.fixed_strings("/matrix/features/feature_type", {"Gene Expression", "Antibody Capture", "Gene Expression"}, 20);
  file.fixed_strings("/matrix/features/_all_tag_keys", {"genome"}, 6);
  file.fixed_strings("/matrix/features/genome", {"GRCh38", "GRCh38", "GRCh38"}, 8);
}

// 2 genes by 3 cells.
void write_loom(Hdf5File& file) {
  file.doubles("/matrix", {1, 0, 2, 0, 3, 4}, {.shape = {2, 3}, .chunk = {2, 2}});
  file.doubles("/layers/spliced", {1, 1, 1, 1, 1, 1}, {.shape = {2, 3}});
  file.group("/attrs");
}

}  // namespace

TEST_CASE("tenx_hdf5: keeps genes and leaves other features out unless told") {
  const TemporaryDirectory directory;
  const std::string path = directory.file("v3.h5");
  {
    Hdf5File file(path);
    write_version_3(file);
  }
  const auto genes = open_matrix(path);
  const auto all = open_matrix(path, {.feature_type = ""});
  const auto proteins = open_matrix(path, {.feature_type = "Antibody Capture"});
  const CsrMatrix matrix = read_all(*genes);

  CHECK(genes->gene_names() == Strings{"A", "B"});
  CHECK(std::get<Strings>(genes->genes().find("id")->values) == Strings{"ENSG1", "ENSG2"});
  CHECK(matrix.cols == 2);
  CHECK(matrix.column == Columns{0, 1, 0});
  CHECK(matrix.value == Values{5, 7, 8});
  CHECK(read_all(*all).value == Values{5, 6, 7, 8});
  CHECK(read_all(*proteins).value == Values{6});
  CHECK_THROWS_WITH_AS(open_matrix(path, {.feature_type = "CRISPR"}),
                       doctest::Contains("Its types are: Antibody Capture, Gene Expression"), InputError);
}

TEST_CASE("tenx_hdf5: several genomes must be told apart") {
  const TemporaryDirectory directory;
  const std::string path = directory.file("v2.h5");
  {
    Hdf5File file(path);
    write_genome(file, "GRCh38", 1);
    write_genome(file, "mm10", 9);
  }

  CHECK_THROWS_WITH_AS(open_matrix(path), doctest::Contains("holds 2 genomes: GRCh38, mm10"), RefusedError);
  const auto mouse = open_matrix(path, {.matrix = "mm10"});
  CHECK(mouse->cell_names() == Strings{"AA-1", "CC-1"});
  CHECK(mouse->gene_names() == Strings{"A", "B", "C"});
  CHECK(read_all(*mouse).value == Values{9, 2});
  CHECK(describe_file(path).matrices.size() == 2);
}

TEST_CASE("loom: version 3 with variable strings, cells by genes") {
  const TemporaryDirectory directory;
  const std::string path = directory.file("v3.loom");
  {
    Hdf5File file(path);
    write_loom(file);
    file.strings("/attrs/LOOM_SPEC_VERSION", {"3.0.0"});
    file.strings("/row_attrs/Gene", {"G&amp;1", "G2"});
    file.strings("/row_attrs/Accession", {"E1", "E2"});
    file.strings("/col_attrs/CellID", {"x", "y", "z"});
    file.integers("/col_attrs/Cluster", {0, 1, 1});
  }
  const auto source = open_matrix(path);
  const CsrMatrix matrix = read_all(*source);

  CHECK(source->cell_names() == Strings{"x", "y", "z"});
  CHECK(source->gene_names() == Strings{"G&amp;1", "G2"});
  CHECK(matrix.row_begin == std::vector<std::int64_t>{0, 1, 2, 4});
  CHECK(matrix.column == Columns{0, 1, 0, 1});
  CHECK(matrix.value == Values{1, 3, 2, 4});
  CHECK(read_all(*open_matrix(path, {.matrix = "layers/spliced"})).nnz() == 6);
  CHECK_THROWS_AS(open_matrix(path, {.matrix = "layers/none"}), InputError);
  CHECK(describe_file(path).layout == "Loom 3.0.0");
}

TEST_CASE("loom: version 2 has XML entities in strings of fixed length") {
  const TemporaryDirectory directory;
  const std::string path = directory.file("v2.loom");
  {
    Hdf5File file(path);
    write_loom(file);
    file.fixed_strings("/row_attrs/Gene", {"G&amp;1", "G2"}, 10);
    file.fixed_strings("/col_attrs/Type", {"a&lt;b", "&#228;", "c"}, 12);
  }
  const auto source = open_matrix(path);

  CHECK(source->gene_names() == Strings{"G&1", "G2"});
  CHECK(source->cell_names() == Strings{"cell_0", "cell_1", "cell_2"});
  CHECK(std::get<Strings>(source->cells().find("Type")->values) == Strings{"a<b", "\xC3\xA4", "c"});
}

TEST_CASE("loom: an attribute of the wrong length is named") {
  const TemporaryDirectory directory;
  const std::string path = directory.file("bad.loom");
  {
    Hdf5File file(path);
    write_loom(file);
    file.strings("/row_attrs/Gene", {"G1", "G2"});
    file.strings("/col_attrs/CellID", {"x", "y"});
  }

  CHECK_THROWS_WITH_AS(open_matrix(path), doctest::Contains("/col_attrs/CellID: has 2 elements, expected 3"),
                       InputError);
}

TEST_CASE("plain_hdf5: labels are optional and must fit") {
  const TemporaryDirectory directory;
  const std::string path = directory.file("xy.h5");
  {
    Hdf5File file(path);
    file.doubles("/X", {1, 0, 0, 2, 0, 3}, {.shape = {2, 3}});
  }
  CHECK(read_all(*open_matrix(path)).value == Values{1, 2, 3});
  CHECK(open_matrix(path)->gene_names() == Strings{"gene_0", "gene_1", "gene_2"});
  {
    Hdf5File file(path);
    file.doubles("/X", {1, 0, 0, 2, 0, 3}, {.shape = {2, 3}});
    file.strings("/Y", {"left", "right"});
  }
  CHECK(std::get<Strings>(open_matrix(path)->cells().find("Y")->values) == Strings{"left", "right"});
  {
    Hdf5File file(path);
    file.doubles("/X", {1, 0, 0, 2, 0, 3}, {.shape = {2, 3}});
    file.integers("/Y", {1, 2, 3});
  }
  CHECK_THROWS_WITH_AS(open_matrix(path), doctest::Contains("/Y: has 3 labels, expected 2"), InputError);
}

TEST_CASE("xml_text: decodes entities and keeps what is none") {
  CHECK(decode_xml_entities("a &amp; b &lt;&gt;&quot;&apos;") == "a & b <>\"'");
  CHECK(decode_xml_entities("&#x20AC; &#128512;") == "\xE2\x82\xAC \xF0\x9F\x98\x80");
  CHECK(decode_xml_entities("R&D; &unknown; &#xZZ; &#0; &") == "R&D; &unknown; &#xZZ; &#0; &");
}
