// SPDX-License-Identifier: Apache-2.0
#include "io/labels.h"

#include <doctest/doctest.h>

#include "engine/error.h"
#include "io/memory_source.h"
#include "tests/support/data.h"
#include "tests/support/text_file.h"

using namespace genexx;
using namespace genexx::test;

namespace {

MemorySource cells_named(std::vector<std::string> names) {
  Annotations annotations;
  annotations.cell_names = std::move(names);
  annotations.gene_names = {"g"};
  return MemorySource(std::move(annotations), nullptr);
}

}  // namespace

TEST_CASE("labels: matched by name, header ignored, missing left empty, all counted") {
  TemporaryDirectory directory;
  write_text(directory.file("l.tsv"), "cell\ttype\nb\tT cell\n\na\tB cell\nz\tNK\n");
  MemorySource source = cells_named({"a", "c", "b", "a"});

  const LabelMatch match = apply_labels_file(directory.file("l.tsv"), source);

  CHECK(match.labelled == 3);
  CHECK(match.unlabelled == 1);
  CHECK(match.unused == 2);
  const Column* column = source.cells().find("label");
  REQUIRE(column);
  CHECK(std::get<Strings>(column->values) == Strings{"B cell", "", "T cell", "B cell"});
}

TEST_CASE("labels: commas, gzip and quotes are read") {
  TemporaryDirectory directory;
  write_text(directory.file("l.gz"), gzip("a,\"T, helper\"\r\nb,B\r\n"));

  const LabelFile labels = read_label_file(directory.file("l.gz"));

  CHECK(labels.cell == std::vector<std::string>{"a", "b"});
  CHECK(labels.label == std::vector<std::string>{"T, helper", "B"});
}

TEST_CASE("labels: a line with three fields is named") {
  TemporaryDirectory directory;
  write_text(directory.file("l.tsv"), "a\tT\nb\tB\tx\n");

  const std::string message = message_of<InputError>([&] { read_label_file(directory.file("l.tsv")); });

  CHECK(contains(message, "line 2: 3 fields, expected 2"));
}

TEST_CASE("labels: two labels for one cell are refused, the same one twice is not") {
  TemporaryDirectory directory;
  write_text(directory.file("l.tsv"), "a\tT\na\tT\na\tB\n");

  const std::string message = message_of<InputError>([&] { read_label_file(directory.file("l.tsv")); });

  CHECK(contains(message, "line 3: cell 'a' has the label 'B', before it had 'T'"));
}

TEST_CASE("labels: no cell in common is refused with an example of both sides") {
  TemporaryDirectory directory;
  write_text(directory.file("l.tsv"), "AAACCTG-1\tT\n");
  MemorySource source = cells_named({"Actb", "Gapdh"});

  const std::string message = message_of<RefusedError>([&] { apply_labels_file(directory.file("l.tsv"), source); });

  CHECK(contains(message, "'AAACCTG-1'"));
  CHECK(contains(message, "'Actb'"));
}

TEST_CASE("labels: an empty file is an error") {
  TemporaryDirectory directory;
  write_text(directory.file("l.tsv"), "");

  CHECK(contains(message_of<InputError>([&] { read_label_file(directory.file("l.tsv")); }), "is empty"));
}
