// SPDX-License-Identifier: Apache-2.0
#include "io/split_file.h"

#include <doctest/doctest.h>

#include "engine/error.h"
#include "tests/support/data.h"
#include "tests/support/text_file.h"

using namespace genexx;
using namespace genexx::test;

namespace {

SplitFile example() {
  SplitFile file;
  file.kind = "folds";
  file.seed = 18446744073709551615u;
  file.cell_names = {"a", "b", "c", "d\"\xCE\xB2", "e"};
  file.splits = {{{0, 2}, {1}, {3}}, {{1, 3}, {}, {0, 2}}};
  return file;
}

bool same(const CellSplit& a, const CellSplit& b) {
  return a.train == b.train && a.validation == b.validation && a.test == b.test;
}

}  // namespace

TEST_CASE("split_file: what is written is read back") {
  TemporaryDirectory directory;

  write_split_file(directory.file("split.json"), example());
  const SplitFile back = read_split_file(directory.file("split.json"));

  CHECK(back.kind == "folds");
  CHECK(back.seed == 18446744073709551615u);
  CHECK(back.cell_names == example().cell_names);
  REQUIRE(back.splits.size() == 2);
  CHECK(same(back.splits[0], example().splits[0]));
  CHECK(same(back.splits[1], example().splits[1]));
}

TEST_CASE("split_file: the text is the contract") {
  TemporaryDirectory directory;
  SplitFile file = example();
  file.seed = 7;
  file.splits.resize(1);

  write_split_file(directory.file("split.json"), file);

  CHECK(read_text(directory.file("split.json")) ==
        "{\"format\":\"genexx-split\",\"version\":1,\"kind\":\"folds\",\"seed\":7,"
        "\"cells\":[\"a\",\"b\",\"c\",\"d\\\"\xCE\xB2\",\"e\"],"
        "\"splits\":[{\"train\":[0,2],\"validation\":[1],\"test\":[3]}]}\n");
}

TEST_CASE("split_file: rows follow the names into data of another order") {
  const std::vector<CellSplit> splits = splits_for(example(), {"new", "e", "d\"\xCE\xB2", "c", "b", "a"});

  CHECK(same(splits[0], {{3, 5}, {4}, {2}}));
  CHECK(same(splits[1], {{2, 4}, {}, {3, 5}}));
}

TEST_CASE("split_file: repeated names are taken in order of appearance") {
  SplitFile file;
  file.cell_names = {"x", "x", "y"};
  file.splits = {{{0}, {1}, {2}}};

  const std::vector<CellSplit> splits = splits_for(file, {"y", "x", "x"});

  CHECK(same(splits[0], {{1}, {2}, {0}}));
}

TEST_CASE("split_file: a cell that is not in the data is refused by name") {
  const std::string message = message_of<RefusedError>([] { splits_for(example(), {"a", "b", "c"}); });

  CHECK(contains(message, "2 places"));
  CHECK(contains(message, "'d\"\xCE\xB2'"));
}

TEST_CASE("split_file: rows out of range or twice are refused when written and when read") {
  TemporaryDirectory directory;
  SplitFile outside = example();
  outside.splits[1].test = {5};
  SplitFile twice = example();
  twice.splits[0].test = {0};
  const auto write_error = [&](const SplitFile& file) {
    return message_of<UsageError>([&] { write_split_file(directory.file("s"), file); });
  };
  write_text(directory.file("r"), R"({"format":"genexx-split","version":1,"kind":"folds","seed":1,"cells":["a"],)"
                                  R"("splits":[{"train":[0],"validation":[],"test":[-1]}]})");

  CHECK(contains(write_error(outside), "split 1: row 5 is not one of 5 cells"));
  CHECK(contains(write_error(twice), "split 0: row 0 is there twice"));
  CHECK(contains(message_of<InputError>([&] { read_split_file(directory.file("r")); }), "split 0: row -1"));
}

TEST_CASE("split_file: other JSON, newer versions and missing fields are refused") {
  TemporaryDirectory directory;
  const auto error = [&](const std::string& text) {
    write_text(directory.file("s"), text);
    return message_of<InputError>([&] { read_split_file(directory.file("s")); });
  };

  CHECK(contains(error("{"), "is not JSON"));
  CHECK(contains(error("[1]"), "is not a split.json"));
  CHECK(contains(error("{}"), "is not a split.json"));
  CHECK(contains(error(R"({"format":["genexx-split"]})"), "is not a split.json"));
  CHECK(contains(error(R"({"format":"genexx-split","version":2})"), "has split version 2, this program reads up to 1"));
  CHECK(contains(error(R"({"format":"genexx-split"})"), "has split version null"));
  CHECK(contains(error(R"({"format":"genexx-split","version":1,"kind":"folds","seed":"x"})"), "field 'seed'"));
  CHECK(
      contains(error(R"({"format":"genexx-split","version":1,"kind":"folds","seed":1,"cells":[1]})"), "field 'cells'"));
}
