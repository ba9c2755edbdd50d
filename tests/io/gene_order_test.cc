// SPDX-License-Identifier: Apache-2.0
#include "io/gene_order.h"

#include <doctest/doctest.h>

#include "engine/error.h"
#include "tests/support/data.h"
#include "tests/support/text_file.h"

using namespace genexx;
using genexx::test::contains;
using genexx::test::message_of;
using genexx::test::TemporaryDirectory;
using genexx::test::write_text;

namespace {

const std::string kGtf =
    "#!genome-build BDGP6\n"
    "X\tFlyBase\tgene\t300\t900\t.\t-\t.\tgene_id \"FBgn03\"; gene_symbol \"w\";\n"
    "X\tFlyBase\ttranscript\t1\t900\t.\t-\t.\tgene_id \"FBgn03\"; transcript_id \"FBtr1\";\n"
    "2R\tFlyBase\tgene\t20\t90\t.\t+\t.\tgene_id \"FBgn02\"; gene_name \"en\"; biotype \"protein_coding\";\n"
    "10\tensembl\tgene\t5\t9\t.\t+\t.\tgene_id \"ENSG07.12\"; gene_name \"TEN\";\n"
    "2R\tFlyBase\tgene\t7\t15\t.\t+\t.\tgene_id \"FBgn01\"; gene_symbol \"eve\";\n";

struct Files {
  TemporaryDirectory directory;
  std::string write(const std::string& name, const std::string& text) const {
    write_text(directory.file(name), text);
    return directory.file(name);
  }
};

std::vector<std::string> ids(const GeneOrder& order) {
  std::vector<std::string> all;
  for (const GenePlace& g : order.genes) all.push_back(g.id);
  return all;
}

std::string error_of(const std::string& text) {
  const Files files;
  const std::string path = files.write("order", text);
  return message_of<InputError>([&] { read_gene_order(path); });
}

}  // namespace

TEST_CASE("gene_order: the gene lines of a GTF, by chromosome and start") {
  const Files files;

  const GeneOrder order = read_gene_order(files.write("a.gtf", kGtf));

  CHECK(ids(order) == std::vector<std::string>{"FBgn01", "FBgn02", "ENSG07", "FBgn03"});
  CHECK(order.genes[0].name == "eve");
  CHECK(order.genes[1].name == "en");
  CHECK(order.genes[3].chromosome == "X");
  CHECK(order.genes[3].start == 300);  // not the transcript's
}

TEST_CASE("gene_order: a compressed GTF is read as the plain one") {
  const Files files;

  CHECK(ids(read_gene_order(files.write("a.gtf.gz", genexx::test::gzip(kGtf)))) ==
        ids(read_gene_order(files.write("a.gtf", kGtf))));
}

TEST_CASE("gene_order: a GTF without gene lines gives each gene its least start") {
  const Files files;
  const std::string text =
      "chr2\trefGene\texon\t50\t60\t.\t+\t.\tgene_id \"B\"; transcript_id \"t\";\n"
      "chr2\trefGene\texon\t40\t45\t.\t+\t.\ttranscript_id \"a gene_id of a kind\"; gene_id \"B\"\n"
      "chr2\trefGene\texon\t45\t49\t.\t+\t.\tgene_id A;\n";

  const GeneOrder order = read_gene_order(files.write("a.gtf", text));

  CHECK(ids(order) == std::vector<std::string>{"B", "A"});
  CHECK(order.genes[0].start == 40);
}

TEST_CASE("gene_order: a table by tabs or commas, columns in any order") {
  const Files files;
  const std::vector<std::string> expected = {"b", "c,d", "a"};

  CHECK(ids(read_gene_order(files.write("t.tsv", "start\tgene\tchromosome\n9\ta\t3\n1\tb\t2\n2\tc,d\t2\n"))) ==
        expected);
  CHECK(ids(read_gene_order(files.write("t.csv", "gene,chrom,start,note\na,3,9,\nb,2,1,\n\"c,d\",2,2,x\n"))) ==
        expected);
}

TEST_CASE("gene_order: chromosomes come in natural order") {
  const std::vector<std::string> sorted = {
      "1", "chr2", "2L", "2R", "chr10", "22", "III", "X", "chrY", "MT", "chr1_KI270706v1_random", "GL000194.1"};
  for (std::size_t i = 0; i + 1 < sorted.size(); ++i) {
    CAPTURE(sorted[i]);
    CHECK(chromosome_before(sorted[i], sorted[i + 1]));
    CHECK_FALSE(chromosome_before(sorted[i + 1], sorted[i]));
  }
}

TEST_CASE("gene_order: genes are found by id or name, versions aside, and the rest have no rank") {
  const Files files;
  const GeneOrder order = read_gene_order(files.write("a.gtf", kGtf));
  const std::vector<std::string> names = {"w", "ENSG07.3", "nothing", "unknown"}, others = {"", "", "FBgn01", ""};

  const GeneRanks ranks = rank_genes(order, names, others, 0.5);

  CHECK(ranks.rank == std::vector<std::int64_t>{3, 2, 0, -1});
  CHECK(ranks.found == 3);
}

TEST_CASE("gene_order: too few genes are refused with names of both sides") {
  const Files files;
  const GeneOrder order = read_gene_order(files.write("a.gtf", kGtf));
  const std::vector<std::string> names = {"w", "TP53", "MYC"};

  const std::string message = message_of<RefusedError>([&] { rank_genes(order, names, {}, 0.5); });

  CHECK(contains(message, "1 of the 3 genes of the data are in it, expected at least 50 %"));
  CHECK(contains(message, "FBgn01 (eve)"));
  CHECK(contains(message, "w, TP53, MYC"));
  CHECK(rank_genes(order, names, {}, 0.3).found == 1);
  CHECK_THROWS_AS(rank_genes(order, std::vector<std::string>{"TP53"}, {}, 0.0), RefusedError);
}

TEST_CASE("gene_order: bad files are refused with line, field and what was expected") {
  CHECK(contains(error_of("# nothing\n"), "has no genes"));
  CHECK(contains(error_of("gene,chromosome,start\n"), "has no genes"));
  CHECK(contains(error_of("gene,start\na,1\n"), "line 1: the columns are 'gene', 'start', expected gene, chromosome"));
  CHECK(contains(error_of("gene,chromosome,start\na,1\n"), "line 2: 2 fields, expected the 3"));
  CHECK(contains(error_of("gene,chromosome,start\na,1,x\n"), "line 2: field 3 (start) is 'x', expected a coordinate"));
  CHECK(contains(error_of("gene,chromosome,start\na,1,-4\n"), "field 3 (start) is '-4'"));
  CHECK(contains(error_of("gene,chromosome,start\n,1,4\n"), "line 2: field 1 (gene) is empty"));
  CHECK(contains(error_of("gene,chromosome,start\n\"a,1,4\n"), "line 2: a quote"));
  CHECK(contains(error_of(kGtf + "X\tF\tgene\t1\n"), "line 7: 4 fields separated by tabs, expected the 9 of a GTF"));
  CHECK(contains(error_of(kGtf + "X\tF\tgene\t1e5\t2\t.\t+\t.\tgene_id \"a\";\n"), "line 7: field 4 (start) is '1e5'"));
  CHECK(contains(error_of("X\tF\tgene\t1\t2\t.\t+\t.\tID=gene:FBgn01;Name=w\n"), "this looks like GFF3"));
  CHECK(contains(error_of("X\tF\tgene\t1\t2\t.\t+\t.\tgene_ids \"a\";\n"), "line 1: field 9 (attributes) is"));
}
