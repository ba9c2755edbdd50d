// SPDX-License-Identifier: Apache-2.0
#include "io/gene_matcher.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "engine/error.h"
#include "io/memory_source.h"
#include "io/open_matrix.h"
#include "tests/support/data.h"
#include "tests/support/text_file.h"

using namespace genexx;
using namespace genexx::test;

namespace {

using Names = std::vector<std::string>;

GeneNaming named(const std::string& source, Names names) { return {source, std::move(names)}; }

GeneMatch match(const Names& data, const Names& model, const GeneMatchOptions& options = {}) {
  return match_genes({named("gene names", data)}, {named("model ids", model)}, options);
}

std::string refusal(const Names& data, const Names& model, const GeneMatchOptions& options = {}) {
  return message_of<RefusedError>([&] { match(data, model, options); });
}

// Two cells by four genes: (1, 2, 0, 4), (0, 0, 3, -4).
MemorySource four_genes(const Names& names) {
  Annotations annotations;
  annotations.cell_names = {"a", "b"};
  annotations.gene_names = names;
  return MemorySource(std::move(annotations), [] {
    CsrMatrix m;
    m.rows = 2;
    m.cols = 4;
    m.row_begin = {0, 3, 5};
    m.column = {0, 1, 3, 2, 3};
    m.value = {1, 2, 4, 3, -4};
    return m;
  });
}

}  // namespace

TEST_CASE("gene_matcher: the target of each column, what is missing and the overlap") {
  const GeneMatch m = match({"D", "X", "B", "A"}, {"A", "B", "C", "D"}, {.min_overlap = 0.5});

  CHECK(m.target == std::vector<std::int32_t>{3, -1, 1, 0});
  CHECK(m.missing == std::vector<std::int64_t>{2});
  CHECK(m.missing_mask() == std::vector<std::uint8_t>{0, 0, 1, 0});
  CHECK(m.overlap == 0.75);
  CHECK(m.merged == 0);
  CHECK(contains(m.description, "3 of 4 genes of the model found (75.0 %)"));
}

TEST_CASE("gene_matcher: the pair of namings with the largest overlap is taken and named") {
  const std::vector<GeneNaming> data = {named("gene names", {"Actb", "Cd3e", "x"}),
                                        named("gene column 'id'", {"ENSMUSG01", "ENSMUSG02", "ENSMUSG03"})};
  const std::vector<GeneNaming> model = {named("model symbols", {"Actb", "Cd3e", "Gapdh"}),
                                         named("model ids", {"ENSMUSG01", "ENSMUSG02", "ENSMUSG03"})};

  const GeneMatch m = match_genes(data, model, {});

  CHECK(m.target == std::vector<std::int32_t>{0, 1, 2});
  CHECK(contains(m.description, "gene column 'id' matched with model ids"));
}

TEST_CASE("gene_matcher: versions are cut off Ensembl ids and nothing else") {
  const GeneMatch versions = match({"ENSG00000141510.17", "ENSG00000012048"}, {"ENSG00000141510", "ENSG00000012048.3"});
  const GeneMatch clones = match({"AC012345.1", "A"}, {"AC012345.2", "A"}, {.min_overlap = 0.1});

  CHECK(versions.target == std::vector<std::int32_t>{0, 1});
  CHECK(contains(versions.description, "versions of Ensembl ids cut off"));
  CHECK(clones.target == std::vector<std::int32_t>{-1, 1});
}

TEST_CASE("gene_matcher: duplicates are summed, the first taken, or refused") {
  const Names data = {"A", "B", "A"};
  const GeneMatch sum = match(data, {"A", "B"}, {.duplicates = DuplicateGenes::sum});
  const GeneMatch first = match(data, {"A", "B"}, {.duplicates = DuplicateGenes::first});

  CHECK(sum.target == std::vector<std::int32_t>{0, 1, 0});
  CHECK(sum.merged == 1);
  CHECK(contains(sum.description, "1 further columns of the same genes summed"));
  CHECK(first.target == std::vector<std::int32_t>{0, 1, -1});
  CHECK(contains(refusal(data, {"A", "B"}, {.duplicates = DuplicateGenes::error}), "gene 'A'"));
}

TEST_CASE("gene_matcher: duplicates of genes the model does not use are no error") {
  const GeneMatch m = match({"A", "Z", "Z"}, {"A"}, {.duplicates = DuplicateGenes::error});

  CHECK(m.target == std::vector<std::int32_t>{0, -1, -1});
}

TEST_CASE("gene_matcher: too small an overlap is refused with numbers and examples of both sides") {
  const std::string message = refusal({"A", "B", "q1"}, {"A", "B", "C", "D", "E"}, {.min_overlap = 0.6});

  CHECK(contains(message, "2 of the 5 genes of the model (40.0 %), at least 60.0 %"));
  CHECK(contains(message, "gene names: 'A', 'B', 'q1'"));
  CHECK(contains(message, "model ids: 'A', 'B', 'C'"));
  CHECK(contains(message, "--min-overlap"));
  CHECK_FALSE(contains(message, "species"));
}

TEST_CASE("gene_matcher: no overlap is refused whatever is asked, with a hint where only case differs") {
  const std::string message = refusal({"Actb", "Gapdh", "Cd3e"}, {"ACTB", "GAPDH", "CD3E"}, {.min_overlap = 0});

  CHECK(contains(message, "none of the 3 genes"));
  CHECK(contains(message, "Regardless of case 3 would match"));
  CHECK(contains(message, "species"));
}

TEST_CASE("gene_matcher: empty names match nothing") {
  CHECK(match({"", "A"}, {"", "A"}, {.min_overlap = 0.5}).target == std::vector<std::int32_t>{-1, 1});
}

TEST_CASE("gene_matcher: a matched source has the model's columns, sums and no zeros") {
  MemorySource source = four_genes({"C", "A", "A", "A"});
  const GeneMatch m = match(source.gene_names(), {"A", "B", "C"}, {.min_overlap = 0.5});
  MatchedSource matched(source, m);

  const CsrMatrix got = read_all(matched, 1);

  CHECK(got.cols == 3);
  CHECK(got.row_begin == std::vector<std::int64_t>{0, 2, 3});
  CHECK(got.column == std::vector<std::int32_t>{0, 2, 0});
  CHECK(got.value == std::vector<float>{6, 1, -1});
  matched.rewind();
  CHECK(read_all(matched).value == got.value);
}

TEST_CASE("gene_matcher: values that cancel leave no zero behind") {
  MemorySource source = four_genes({"A", "B", "C", "C"});
  const GeneMatch all = match(source.gene_names(), {"A", "B", "C"});
  source.rewind();
  MatchedSource matched(source, all);

  const CsrMatrix got = read_all(matched);

  CHECK(dense(got) == std::vector<float>{1, 2, 4, 0, 0, -1});
  CHECK(got.nnz() == 4);
}

TEST_CASE("gene_matcher: a match for other data is refused") {
  MemorySource source = four_genes({"A", "B", "C", "D"});
  const GeneMatch m = match({"A"}, {"A"});

  CHECK(contains(message_of<UsageError>([&] { MatchedSource(source, m); }), "1 columns, the data have 4"));
}

TEST_CASE("gene_matcher: namings are the names and the columns that tell genes apart") {
  Annotations annotations;
  annotations.cell_names = {"a"};
  annotations.gene_names = {"Actb", "Cd3e", "Gapdh"};
  annotations.genes.columns = {{"id", Strings{"E1", "E2", "E3"}},
                               {"feature_type", Strings{"Gene", "Gene", "Gene"}},
                               {"entrez", Numbers{{11461, 12501, 14433}, NumberKind::integer}},
                               {"mean", Numbers{{0.5, 1.5, 2.5}, NumberKind::real}}};
  const MemorySource source(std::move(annotations), nullptr);

  const std::vector<GeneNaming> namings = gene_namings(source);

  REQUIRE(namings.size() == 3);
  CHECK(namings[0].names == Names{"Actb", "Cd3e", "Gapdh"});
  CHECK(namings[1].source == "gene column 'id'");
  CHECK(namings[2].names == Names{"11461", "12501", "14433"});
}

TEST_CASE("gene_matcher: unique names keep the order of first appearance") {
  CHECK(unique_names({"B", "A", "B", "C", "A"}) == Names{"B", "A", "C"});
}

TEST_CASE("gene_matcher: the missing genes are written with all their names") {
  TemporaryDirectory directory;
  const std::vector<GeneNaming> model = {named("id", {"E1", "E2", "E3"}), named("symbol", {"A", "B", "C"})};
  const GeneMatch m = match_genes({named("gene names", {"B"})}, model, {.min_overlap = 0.1});

  write_missing_genes(directory.file("missing.tsv"), m, model);

  CHECK(read_text(directory.file("missing.tsv")) == "id\tsymbol\nE1\tA\nE3\tC\n");
}

// By pandas: len(set(wang.var_names) & set(xin.var_names)) == 219 of 980.
TEST_CASE("gene_matcher: the islet studies share 219 genes") {
  const auto xin = data_file("islet_xin_log.h5ad");
  const auto wang = data_file("islet_wang_log.h5ad");
  if (!xin || !wang) return;
  const auto model = open_matrix(*xin);
  const auto data = open_matrix(*wang);

  const GeneMatch m = match_genes(gene_namings(*data), gene_namings(*model), {.min_overlap = 0.2});
  MatchedSource matched(*data, m);
  const CsrMatrix whole = read_all(*data);
  data->rewind();
  const CsrMatrix got = read_all(matched);

  CHECK(m.overlap == 219.0 / 980.0);
  CHECK(m.missing.size() == 761);
  CHECK(got.cols == 980);
  CHECK(got.nnz() == whole.nnz());
  CHECK(contains(message_of<RefusedError>([&] { match_genes(gene_namings(*data), gene_namings(*model), {}); }),
                 "22.3 %"));
}
