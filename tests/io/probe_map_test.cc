// SPDX-License-Identifier: Apache-2.0
#include "io/probe_map.h"

#include <doctest/doctest.h>

#include "engine/error.h"
#include "io/memory_source.h"
#include "tests/support/data.h"
#include "tests/support/text_file.h"

using namespace genexx;
using genexx::test::contains;
using genexx::test::message_of;
using genexx::test::TemporaryDirectory;
using genexx::test::write_text;

namespace {

const std::string kMap =
    "# symbol, id, probes\n"
    "TP53\tENSG01.5\t201_at\n"
    "MYC\tENSG02\t202_at, 203_s_at\n"
    "EGFR\tENSG03\t204_at\n"
    "TP53\tENSG04\t205_at\n";

struct Files {
  TemporaryDirectory directory;
  std::string write(const std::string& name, const std::string& text) const {
    write_text(directory.file(name), text);
    return directory.file(name);
  }
};

MemorySource source_of(const std::vector<std::string>& genes) {
  return MemorySource({.cell_names = {"s"}, .gene_names = genes, .description = "the set"}, [] { return CsrMatrix(); });
}

}  // namespace

TEST_CASE("probe_map: symbol, id and probes of each line") {
  const Files files;

  const std::vector<ProbedGene> map = read_probe_map(files.write("map", kMap));

  REQUIRE(map.size() == 4);
  CHECK(map[1].symbol == "MYC");
  CHECK(map[1].id == "ENSG02");
  CHECK(map[1].probes == std::vector<std::string>{"202_at", "203_s_at"});
}

TEST_CASE("probe_map: only the version of an Ensembl id is cut off") {
  CHECK(without_version("ENSG00000141510.17") == "ENSG00000141510");
  CHECK(without_version("ENSMUSG01.2") == "ENSMUSG01");
  CHECK(without_version("ENSG01.x") == "ENSG01.x");
  CHECK(without_version("RP11-34P13.7") == "RP11-34P13.7");
}

TEST_CASE("probe_map: malformed maps are refused with their line") {
  const Files files;
  const auto message = [&](const std::string& text) {
    const std::string path = files.write("map", text);
    return message_of<InputError>([&] { read_probe_map(path); });
  };
  CHECK(contains(message("# nothing\n"), "has no genes"));
  CHECK(contains(message("A\tE1\n"), "line 1: 2 fields"));
  CHECK(contains(message("A\t\tp\n"), "line 1: the second field"));
  CHECK(contains(message("A\tE1\tp,,q\n"), "an empty probe in 'p,,q'"));
  CHECK(contains(message("A\tE1\tp,p\n"), "the probe 'p' twice"));
  CHECK(contains(message("A\tENS1\tp\nB\tENS1.2\tq\n"), "line 2: the id 'ENS1.2' was given before"));
}

TEST_CASE("probe_map: landmarks by id, symbol or probe; the rest are targets unless they would leak") {
  const Files files;
  const std::vector<ProbedGene> map = read_probe_map(files.write("map", kMap));

  const LandmarkSplit split = split_landmarks(map, files.write("landmarks", "ENSG01.9\n203_s_at\n"));

  REQUIRE(split.landmarks.size() == 2);
  CHECK(split.landmarks[0].id == "ENSG01.5");
  CHECK(split.landmarks[1].symbol == "MYC");
  REQUIRE(split.targets.size() == 1);
  CHECK(split.targets[0].symbol == "EGFR");
  CHECK(split.leaks == std::vector<std::string>{"ENSG04"});  // TP53 under another id
}

TEST_CASE("probe_map: landmarks may come as a map of their own") {
  const Files files;
  const std::vector<ProbedGene> map = read_probe_map(files.write("map", kMap));

  const LandmarkSplit split =
      split_landmarks(map, files.write("landmarks", "KRAS\tENSG09\t300_at\nX\tENSG10\t204_at\n"));

  CHECK(split.landmarks[0].probes == std::vector<std::string>{"300_at"});
  CHECK(split.leaks == std::vector<std::string>{"ENSG03"});  // EGFR's probe is a landmark's
  CHECK(split.targets.size() == 3);
}

TEST_CASE("probe_map: landmark lists that cannot be are refused") {
  const Files files;
  const std::vector<ProbedGene> map = read_probe_map(files.write("map", kMap));
  const auto split = [&](const std::string& text) { split_landmarks(map, files.write("landmarks", text)); };

  CHECK(contains(message_of<InputError>([&] { split("\n"); }), "names no landmark"));
  CHECK(contains(message_of<InputError>([&] { split("MYC\nENSG02\n"); }), "line 2: 'ENSG02' is a landmark"));
  CHECK(contains(message_of<RefusedError>([&] { split("MYC\nBRCA1\n"); }), "1 of 2 landmarks are not in the map"));
  CHECK(contains(message_of<RefusedError>([&] { split("MYC\nEGFR\nENSG01\nENSG04\n"); }), "no target is left"));
}

TEST_CASE("probe_map: columns by probe and by gene, and what is missing") {
  const Files files;
  const std::vector<ProbedGene> map = read_probe_map(files.write("map", kMap));
  const MemorySource array = source_of({"203_s_at", "201_at", "202_at"});
  const MemorySource sequences = source_of({"MYC", "ENSG01.77", "ENSG04.1"});

  const GeneColumns probes = probe_columns(map, array), genes = gene_columns(map, sequences);

  CHECK(probes.columns == std::vector<std::vector<std::int32_t>>{{1}, {2, 0}, {}, {}});
  CHECK(probes.missing_genes == 2);
  CHECK(probes.missing_probes == 2);
  CHECK(probes.first_missing == "204_at");
  CHECK(genes.columns == std::vector<std::vector<std::int32_t>>{{1}, {0}, {}, {2}});
  CHECK(genes.first_missing == "ENSG03");
}

TEST_CASE("probe_map: a name of several columns is refused only where it is wanted") {
  const Files files;
  const std::vector<ProbedGene> map = read_probe_map(files.write("map", kMap));

  CHECK(probe_columns(map, source_of({"x", "x", "201_at"})).columns[0] == std::vector<std::int32_t>{2});
  const MemorySource twice = source_of({"ENSG03.1", "ENSG03.2"});
  CHECK(contains(message_of<RefusedError>([&] { gene_columns(map, twice); }), "several columns are called 'ENSG03'"));
}
