// SPDX-License-Identifier: Apache-2.0
#include "io/predictions.h"

#include <filesystem>

#include <doctest/doctest.h>

#include "engine/error.h"
#include "tests/support/data.h"
#include "tests/support/text_file.h"

using namespace genexx;
using namespace genexx::test;

TEST_CASE("predictions: the columns, numbers and names of the file") {
  TemporaryDirectory directory;
  const std::vector<float> first = {0.25f, 0.7f, 0.05f};
  const std::vector<float> second = {1.0f, 0.0f, 0.0f};

  PredictionWriter writer(directory.file("p.tsv"), {"B cell", "T\tcell", "NK"});
  writer.add({.cell = "c1", .predicted = "unknown", .probability = first, .truth = "NK"});
  writer.add({.cell = "c\n2", .predicted = "B cell", .probability = second, .truth = ""});
  writer.commit();

  CHECK(read_text(directory.file("p.tsv")) ==
        "cell\tpredicted\tprobability\tmargin\ttrue\tp:B cell\tp:T cell\tp:NK\n"
        "c1\tunknown\t0.7\t0.45\tNK\t0.25\t0.7\t0.05\n"
        "c 2\tB cell\t1\t1\t\t1\t0\t0\n");
}

TEST_CASE("predictions: what is written is read back bit for bit") {
  TemporaryDirectory directory;
  const std::vector<float> p = {0.1f, 1.0f / 3.0f, 1e-30f, 0.56666666f};
  PredictionWriter writer(directory.file("p.tsv"), {"a", "b", "c", "d"});
  writer.add({.cell = "x", .predicted = "d", .probability = p, .truth = "a"});
  writer.commit();

  const Predictions back = read_predictions(directory.file("p.tsv"));

  CHECK(back.class_names == std::vector<std::string>{"a", "b", "c", "d"});
  CHECK(back.cells == std::vector<std::string>{"x"});
  CHECK(back.predicted == std::vector<std::string>{"d"});
  CHECK(back.truth == std::vector<std::string>{"a"});
  CHECK(back.probability == p);
}

TEST_CASE("predictions: confidence of ties, one class and none") {
  const std::vector<float> tie = {0.4f, 0.4f, 0.2f};
  const std::vector<float> one = {0.9f};

  CHECK(confidence(tie).probability == 0.4f);
  CHECK(confidence(tie).margin == 0.0f);
  CHECK(confidence(one).margin == 0.9f);
  CHECK(confidence({}).probability == 0.0f);
}

TEST_CASE("predictions: a row with too few probabilities is refused and no file is left") {
  TemporaryDirectory directory;
  const std::vector<float> p = {1.0f};

  const std::string message = message_of<UsageError>([&] {
    PredictionWriter writer(directory.file("p.tsv"), {"a", "b"});
    writer.add({.cell = "x", .predicted = "a", .probability = p, .truth = ""});
  });

  CHECK(contains(message, "cell 'x' has 1 probabilities, the file has 2 classes"));
  CHECK(std::filesystem::is_empty(directory.path()));
}

TEST_CASE("predictions: malformed files are named with their line") {
  TemporaryDirectory directory;
  const auto error = [&](const std::string& text) {
    write_text(directory.file("p.tsv"), text);
    return message_of<InputError>([&] { read_predictions(directory.file("p.tsv")); });
  };
  const std::string header = "cell\tpredicted\tprobability\tmargin\ttrue\tp:a\n";

  CHECK(contains(error(""), "is empty"));
  CHECK(contains(error("cell\tlabel\n"), "line 1: expected the columns"));
  CHECK(contains(error(header + "x\ta\t1\t1\t\n"), "line 2: 5 fields, the header has 6"));
  CHECK(contains(error(header + "x\ta\t1\t1\t\tone\n"), "line 2: column 6: 'one' is not a number"));
}
