// SPDX-License-Identifier: Apache-2.0
#include "io/geuvadis.h"

#include <doctest/doctest.h>

#include "engine/error.h"
#include "io/open_matrix.h"
#include "tests/support/data.h"
#include "tests/support/text_file.h"

using namespace genexx;
using genexx::test::contains;
using genexx::test::dense;
using genexx::test::message_of;
using genexx::test::TemporaryDirectory;
using genexx::test::write_text;

namespace {

const std::string kTable =
    "TargetID\tGene_Symbol\tChr\tCoord\tHG1\tHG2\n"
    "ENSG1.3\tENSG1.3\t4\t155548\t1.5\t0\n"
    "ENSG2.7\tENSG2.7\tX\t99\t0.25\t3e-1\n";

}  // namespace

TEST_CASE("geuvadis: recognised by its header; values begin in column 5") {
  const TemporaryDirectory directory;
  const std::string path = directory.file("table.txt");
  write_text(path, kTable);

  const auto source = open_matrix(path);

  CHECK(recognise_format(path) == FileFormat::geuvadis);
  CHECK(source->cell_names() == Strings{"HG1", "HG2"});
  CHECK(source->gene_names() == Strings{"ENSG1.3", "ENSG2.7"});
  CHECK(std::get<Strings>(source->genes().find("Chr")->values) == Strings{"4", "X"});
  CHECK(dense(test::read_all(*source)) == std::vector<float>{1.5f, 0.25f, 0, 0.3f});
  CHECK(describe_file(path).matrices[0].cols == 2);
}

TEST_CASE("geuvadis: any header will do where the caller says what the table is") {
  const TemporaryDirectory directory;
  const std::string path = directory.file("other.txt");
  write_text(path, "gene\ta\tb\tc\ts1\nG\t\t\t\t4\n");

  CHECK(dense(test::read_all(*open_geuvadis(path, {}))) == std::vector<float>{4});
}

TEST_CASE("geuvadis: malformed tables are refused with their place") {
  const TemporaryDirectory directory;
  const std::string path = directory.file("bad.txt");
  const auto message = [&](const std::string& text) {
    write_text(path, text);
    return message_of<InputError>([&] { open_geuvadis(path, {}); });
  };
  CHECK(contains(message(""), "empty"));
  CHECK(contains(message("a\tb\tc\td\n"), "fewer than five columns"));
  CHECK(contains(message("a\tb\tc\td\ts\n"), "a header and no rows"));
  CHECK(contains(message("a\tb\tc\td\ts\nG\t\t\t\n"), "line 2: 0 values, but the header names 1"));
  CHECK(contains(message("a\tb\tc\td\ts\nG\t\t\t\t1\t2\n"), "line 2: 2 values"));
  CHECK(contains(message("a\tb\tc\td\ts\n\t\t\t\t1\n"), "line 2: the row has no gene id"));
  CHECK(contains(message("a\tb\tc\td\ts\nG\t\t\t\tx\n"), "line 2: column 5 ('s'): 'x' is not a number"));
}
