// SPDX-License-Identifier: Apache-2.0
#include "io/gct.h"

#include <algorithm>
#include <cmath>

#include <doctest/doctest.h>

#include "engine/error.h"
#include "io/gct_writer.h"
#include "io/open_matrix.h"
#include "tests/support/data.h"
#include "tests/support/text_file.h"

using namespace genexx;
using genexx::test::contains;
using genexx::test::data_file;
using genexx::test::dense;
using genexx::test::message_of;
using genexx::test::TemporaryDirectory;
using genexx::test::write_text;

namespace {

// Two genes, three samples, two fields about genes, two about samples.
const std::string kSmall =
    "#1.3\n"
    "2\t3\t2\t2\n"
    "id\tsymbol\tlen\ts1\ts2\ts3\n"
    "dose\t-666\t-666\t0.5\t-666\t2\n"
    "drug\t-666\t-666\tA\tB\t-666\n"
    "007_at\tTP53\t120\t1.5\t0\t-2\n"
    "8_at\t-666\t99\t3\t4.25\t5\n";

std::string replaced(std::string text, const std::string& what, const std::string& with) {
  const std::size_t at = text.find(what);
  REQUIRE(at != std::string::npos);
  return text.replace(at, what.size(), with);
}

struct BadFile {
  TemporaryDirectory directory;
  std::string message(const std::string& text) {
    const std::string path = directory.file("bad.gct");
    write_text(path, text);
    return message_of<InputError>([&] { open_matrix(path); });
  }
};

}  // namespace

TEST_CASE("gct: samples become rows, fields become tables, -666 is missing") {
  const TemporaryDirectory directory;
  const std::string path = directory.file("small.gct");
  write_text(path, kSmall);

  const auto source = open_matrix(path);
  const CsrMatrix matrix = test::read_all(*source, 2);

  CHECK(source->cell_names() == Strings{"s1", "s2", "s3"});
  CHECK(source->gene_names() == Strings{"007_at", "8_at"});
  CHECK(dense(matrix) == std::vector<float>{1.5f, 3, 0, 4.25f, -2, 5});
  CHECK(std::get<Strings>(source->cells().find("drug")->values) == Strings{"A", "B", ""});
  const auto& dose = std::get<Numbers>(source->cells().find("dose")->values).values;
  CHECK(dose[0] == 0.5);
  CHECK(std::isnan(dose[1]));
  CHECK(std::get<Strings>(source->genes().find("symbol")->values) == Strings{"TP53", ""});
  const auto& length = std::get<Numbers>(source->genes().find("len")->values);
  CHECK(length.values == std::vector<double>{120, 99});
  CHECK(length.kind == NumberKind::integer);
}

TEST_CASE("gct: version 1.2 has a description, and a spreadsheet's tabs and line ends do no harm") {
  const TemporaryDirectory directory;
  const std::string path = directory.file("old.gct");
  write_text(path, "#1.2\t\t\t\r\n1\t2\t\t\r\nNAME\tDescription\ta\tb\r\ng1\tna\t7\t-666\r\n\r\n");

  const auto source = open_matrix(path);
  const std::vector<float> values = dense(test::read_all(*source));

  CHECK(values[0] == 7);
  CHECK(std::isnan(values[1]));
  CHECK(std::get<Strings>(source->genes().find("Description")->values) == Strings{"na"});
  CHECK(describe_file(path).layout == "GCT 1.2");
}

TEST_CASE("gct: text under a gctx name and gzip are told by content") {
  const TemporaryDirectory directory;
  const std::string path = directory.file("named.gctx");
  write_text(path, test::gzip(kSmall));

  CHECK(recognise_format(path) == FileFormat::gct);
  CHECK(dense(test::read_all(*open_matrix(path)))[3] == 4.25f);
}

TEST_CASE("gct: only the first cells are kept when so asked, the rest is still checked") {
  const TemporaryDirectory directory;
  const std::string path = directory.file("small.gct");
  write_text(path, kSmall);

  const auto source = open_matrix(path, {.limit_cells = 2});

  CHECK(dense(test::read_all(*source)) == std::vector<float>{1.5f, 3, 0, 4.25f});
  write_text(path, replaced(kSmall, "\t-2\n", "\tx\n"));
  CHECK_THROWS_AS(open_matrix(path, {.limit_cells = 2}), InputError);
}

TEST_CASE("gct: malformed files are refused with their place") {
  BadFile bad;
  CHECK(contains(bad.message("#1.3\n"), "the file ends here, expected the counts"));
  CHECK(contains(bad.message(replaced(kSmall, "2\t3\t2\t2", "2\t3")), "2 counts, expected 4 in version 1.3"));
  CHECK(contains(bad.message(replaced(kSmall, "2\t3\t2\t2", "2\t-3\t2\t2")), "'-3' is not a count"));
  CHECK(contains(bad.message(replaced(kSmall, "2\t3\t2\t2", "0\t3\t2\t2")), "without rows or columns"));
  CHECK(contains(bad.message(replaced(kSmall, "2\t3\t2\t2", "2\t99999999999\t2\t2")), "a count over"));
  CHECK(contains(bad.message(replaced(kSmall, "2\t3\t2\t2", "2\t4\t2\t2")), "line 3: 6 fields in the header"));
  CHECK(contains(bad.message(replaced(kSmall, "2\t3\t2\t2", "2\t3\t2\t3")), "ends after 1 rows of data"));
  CHECK(
      contains(bad.message(replaced(kSmall, "2\t3\t2\t2", "3\t3\t2\t2")), "ends after 2 rows of data, line 2 says 3"));
  CHECK(contains(bad.message(replaced(kSmall, "2\t3\t2\t2", "1\t3\t2\t2")), "line 7: more rows of data than the 1"));
  CHECK(contains(bad.message(replaced(kSmall, "s2", "")), "line 3: column 2 has no id"));
  CHECK(contains(bad.message(replaced(kSmall, "8_at", std::string(70000, 'a'))), "line 7: a field of 70000"));
  CHECK(contains(bad.message(replaced(kSmall, "s2", std::string(70000, 's'))), "line 3: a field of 70000"));
  CHECK(contains(bad.message(replaced(kSmall, "8_at", "-666")), "line 7: the row has no id"));
  CHECK(contains(bad.message(replaced(kSmall, "4.25\t5", "4.25")), "line 7: 2 values, but line 2 says 3"));
  CHECK(contains(bad.message(replaced(kSmall, "4.25", "4,25")), "column 5 ('s2'): '4,25' is not a number"));
}

TEST_CASE("gct: what is written is read back the same") {
  const TemporaryDirectory directory;
  const std::string first = directory.file("a.gct"), second = directory.file("b.gct");
  write_text(first, replaced(kSmall, "4.25", "NaN"));

  const auto source = open_matrix(first);
  write_gct(second, *source);
  const auto back = open_matrix(second);

  const std::vector<float> values = dense(test::read_all(*back));
  CHECK(values[0] == 1.5f);
  CHECK(std::isnan(values[3]));
  CHECK(values[5] == 5);
  CHECK(back->cell_names() == source->cell_names());
  CHECK(back->gene_names() == source->gene_names());
  CHECK(std::get<Strings>(back->cells().find("drug")->values) == Strings{"A", "B", ""});
  CHECK(std::get<Numbers>(back->genes().find("len")->values).values == std::vector<double>{120, 99});
}

TEST_CASE("gct: rows arrive in blocks of any size, and a missing row is an error") {
  const TemporaryDirectory directory;
  const std::string path = directory.file("blocks.gct");
  const Annotations about = {.cell_names = {"a", "b", "c"}, .gene_names = {"g", "h"}};
  const std::vector<float> values = {1, 2, 3, 4, 5, 6};
  GctWriter writer(path, about);
  writer.append(values.data(), 1);
  CHECK_THROWS_AS(writer.commit(), UsageError);
  writer.append(values.data() + 2, 2);
  CHECK_THROWS_AS(writer.append(values.data(), 1), UsageError);
  writer.commit();

  CHECK(dense(test::read_all(*open_matrix(path))) == values);
}

TEST_CASE("gct: the L1000 table has its wells, genes and values") {
  const auto path = data_file("l1000_ljp_level3_qnorm_377x978.gct");
  if (!path) return;

  const auto source = open_matrix(*path, {.gene_column = "pr_gene_symbol"});
  const std::vector<float> values = dense(test::read_all(*source));

  CHECK(source->rows() == 377);
  CHECK(source->cols() == 978);
  CHECK(source->cells().columns.size() == 35);
  CHECK(source->genes().columns.size() == 11);
  CHECK(source->cell_names()[0] == "LJP005_A375_24H_X1_B19:A03");
  const auto [low, high] = std::minmax_element(values.begin(), values.end());
  CHECK(*low == doctest::Approx(3.23).epsilon(0.01));
  CHECK(*high == doctest::Approx(15.0).epsilon(0.001));
  const Categorical types = as_categorical(*source->cells().find("pert_type"));
  CHECK(category_counts(types) == std::vector<std::int64_t>{26, 328, 23});
}
