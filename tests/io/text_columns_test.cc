// SPDX-License-Identifier: Apache-2.0
#include "io/text_columns.h"

#include <doctest/doctest.h>

#include "engine/error.h"
#include "tests/support/data.h"
#include "tests/support/text_file.h"

using namespace genexx;
using namespace genexx::test;

namespace {

std::vector<std::vector<std::string>> columns_of(const std::string& text, const std::vector<std::string>& names) {
  TemporaryDirectory folder;
  write_text(folder.file("table.csv"), text);
  return read_text_columns(folder.file("table.csv"), names);
}

std::string complaint(const std::string& text, const std::vector<std::string>& names) {
  return message_of<InputError>([&] { columns_of(text, names); });
}

}  // namespace

TEST_CASE("text_columns: a list as pandas writes it, with an index and quotes") {
  const auto got =
      columns_of(",human_region,mouse_region\n0,A32p,PL\n1,\"TE1.0, TE1.2\",AUDp\n", {"mouse_region", "human_region"});

  CHECK(got[0] == std::vector<std::string>{"PL", "AUDp"});
  CHECK(got[1] == std::vector<std::string>{"A32p", "TE1.0, TE1.2"});
}

TEST_CASE("text_columns: one column, tabs, empty lines, CRLF and gzip") {
  TemporaryDirectory folder;
  write_text(folder.file("genes.tsv.gz"), gzip("genes\tnote\r\n\r\nA1BG\tx\r\nNA\t\r\n"));

  CHECK(columns_of("genes\nB\nA\n", {"genes"})[0] == std::vector<std::string>{"B", "A"});
  CHECK(read_text_columns(folder.file("genes.tsv.gz"), {"genes"})[0] == std::vector<std::string>{"A1BG", "NA"});
}

TEST_CASE("text_columns: what is wrong is named with its line") {
  CHECK(contains(complaint("", {"genes"}), "is empty"));
  CHECK(contains(complaint("genes\n", {"genes"}), "a header and no rows"));
  CHECK(contains(complaint(",gene,x\n0,A,1\n", {"genes"}), "there is no column 'genes'; the columns are gene, x"));
  CHECK(contains(complaint("genes,genes\nA,B\n", {"genes"}), "is there twice"));
  CHECK(contains(complaint("a,genes\n1,A\n2\n", {"genes"}), "line 3: 1 fields, but the header has 2"));
  CHECK(contains(complaint("a,genes\n1,\"A\n", {"genes"}), "line 2: a quote that is not closed"));
}
