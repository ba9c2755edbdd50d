// SPDX-License-Identifier: Apache-2.0
// Every HDF5 file of the data folder against numbers computed with h5py, SciPy and anndata 0.8.
#include <cmath>
#include <map>

#include <doctest/doctest.h>

#include "io/file_info.h"
#include "io/open_matrix.h"
#include "tests/support/data.h"

using namespace genexx;
using genexx::test::data_file;

namespace {

struct Sums {
  std::int64_t rows = 0, cols = 0, nnz = 0;
  double sum = 0, row_3 = 0;
  double weighted = 0;  // sum of value * (column % 97 + 1) * (row % 89 + 1): notices any value in a wrong place
  float maximum = 0;
};

Sums sums(MatrixSource& source, std::int64_t rows_at_once) {
  Sums s;
  s.rows = source.rows();
  s.cols = source.cols();
  std::int64_t row = 0;
  CsrMatrix block;
  while (source.next(block, rows_at_once)) {
    REQUIRE(block.cols == s.cols);
    for (std::int64_t r = 0; r < block.rows; ++r, ++row) {
      std::int32_t last = -1;
      for (auto i = block.row_begin[r]; i < block.row_begin[r + 1]; ++i) {
        const double value = block.value[i];
        if (block.column[i] <= last || value == 0.0) FAIL("row " << row << " is not canonical");
        last = block.column[i];
        s.sum += value;
        if (row == 3) s.row_3 += value;
        s.weighted += value * (block.column[i] % 97 + 1) * static_cast<double>(row % 89 + 1);
        s.maximum = std::max(s.maximum, block.value[i]);
        ++s.nnz;
      }
    }
  }
  CHECK(row == s.rows);
  return s;
}

std::map<std::string, std::int64_t> label_counts(const MatrixSource& source, const std::string& column) {
  const Column* found = source.cells().find(column);
  REQUIRE(found != nullptr);
  const Categorical labels = as_categorical(*found);
  const std::vector<std::int64_t> counts = category_counts(labels);
  std::map<std::string, std::int64_t> by_name;
  for (std::size_t i = 0; i < counts.size(); ++i) by_name[labels.categories[i]] = counts[i];
  return by_name;
}

double column_sum(const ObsTable& table, const std::string& name) {
  const Column* found = table.find(name);
  REQUIRE(found != nullptr);
  double sum = 0;
  for (const double value : std::get<Numbers>(found->values).values) sum += value;
  return sum;
}

void check_sums(const Sums& got, const Sums& want) {
  CHECK(got.rows == want.rows);
  CHECK(got.cols == want.cols);
  CHECK(got.nnz == want.nnz);
  CHECK(got.sum == doctest::Approx(want.sum).epsilon(1e-9));
  CHECK(got.row_3 == doctest::Approx(want.row_3).epsilon(1e-8));
  CHECK(got.weighted == doctest::Approx(want.weighted).epsilon(1e-9));
  CHECK(got.maximum == want.maximum);
}

using Counts = std::map<std::string, std::int64_t>;

const Counts kZhengLabels{{"Dendritic", 240},
                          {"CD14+ Monocyte", 129},
                          {"CD19+ B", 95},
                          {"CD4+/CD25 T Reg", 68},
                          {"CD8+ Cytotoxic T", 54},
                          {"CD8+/CD45RA+ Naive Cytotoxic", 43},
                          {"CD56+ NK", 31},
                          {"CD4+/CD45RO+ Memory", 19},
                          {"CD34+", 13},
                          {"CD4+/CD45RA+/CD25- Naive T", 8}};

}  // namespace

TEST_CASE("real data: CSR of AnnData 0.8 (tabula_muris_immune_1000)") {
  const auto path = data_file("tabula_muris_immune_1000.h5ad");
  if (!path) return;
  const auto source = open_matrix(*path);

  check_sums(sums(*source, 37), {1000, 19371, 1459617, 4971267, 16485, 10871957847, 4609});
  CHECK(source->stored_values() == 1459617);
  CHECK(source->cell_names().front() == "tma_mfd_1808");
  CHECK(source->cell_names().back() == "tma_mfd_33381");
  CHECK(source->gene_names().front() == "Xkr4");
  CHECK(source->gene_names().back() == "Erdr1");
  CHECK(label_counts(*source, "cell_type") ==
        Counts{{"B cell", 477}, {"T cell", 312}, {"NK cell", 74}, {"Monocyte", 69}, {"Granulocyte", 68}});
}

TEST_CASE("real data: uncompressed int32 CSR (zheng68k_counts_csr_int32)") {
  const auto path = data_file("zheng68k_counts_csr_int32.h5ad");
  if (!path) return;
  const auto source = open_matrix(*path);

  check_sums(sums(*source, 256), {700, 765, 174400, 486651, 389, 958367595, 259});
  CHECK(label_counts(*source, "bulk_labels") == kZhengLabels);
}

TEST_CASE("real data: dense X and CSR raw of AnnData 0.8 (zheng68k_reduced)") {
  const auto path = data_file("zheng68k_reduced.h5ad");
  if (!path) return;
  const auto x = open_matrix(*path);
  const auto raw = open_matrix(*path, {.matrix = "raw"});

  check_sums(sums(*x, 100), {700, 765, 535433, -243.681058, 23.08599911, -1516853.04355, 28.408000946044922f});
  check_sums(sums(*raw, 100), {700, 765, 174400, 319044.2382, 390.2959914, 661479703.751, 6.488999843597412f});
  CHECK(label_counts(*x, "bulk_labels") == kZhengLabels);
  CHECK(column_sum(x->cells(), "n_genes") == 830061);
  CHECK(column_sum(x->genes(), "highly_variable") == 309);
  CHECK(std::get<Numbers>(x->genes().find("highly_variable")->values).kind == NumberKind::boolean);
  CHECK(std::get<Numbers>(x->cells().find("n_genes")->values).kind == NumberKind::integer);
  CHECK(raw->genes().columns.empty());
}

TEST_CASE("real data: the compound layout of AnnData 0.5 gives what the 0.8 file gives") {
  const auto path = data_file("zheng68k_reduced_legacy_h5sparse.h5ad");
  if (!path) return;
  const auto x = open_matrix(*path);
  const auto raw = open_matrix(*path, {.matrix = "raw"});

  check_sums(sums(*x, 100), {700, 765, 535433, -243.681058, 23.08599911, -1516853.04355, 28.408000946044922f});
  check_sums(sums(*raw, 100), {700, 765, 174400, 319044.2382, 390.2959914, 661479703.751, 6.488999843597412f});
  CHECK(x->cell_names().front() == "AAAGCCTGGCTAAC-1");
  CHECK(raw->gene_names().back() == "MT-ND3");
  CHECK(label_counts(*x, "bulk_labels") == kZhengLabels);
  CHECK(column_sum(x->cells(), "n_genes") == 830061);
  CHECK(column_sum(x->genes(), "n_counts") == doctest::Approx(2833583.909).epsilon(1e-6));
  CHECK(column_sum(x->genes(), "highly_variable") == 309);
}

TEST_CASE("real data: CSC (baron_mouse1_csc)") {
  const auto path = data_file("baron_mouse1_csc.h5ad");
  if (!path) return;
  const auto source = open_matrix(*path);

  check_sums(sums(*source, 64), {822, 14878, 1164056, 3075159, 8641, 6940669981, 3477});
  CHECK(label_counts(*source, "cell_type") == Counts{{"beta", 343},
                                                     {"ductal", 236},
                                                     {"delta", 85},
                                                     {"endothelial", 72},
                                                     {"quiescent_stellate", 29},
                                                     {"macrophage", 17},
                                                     {"gamma", 14},
                                                     {"alpha", 9},
                                                     {"T_cell", 4},
                                                     {"activated_stellate", 4},
                                                     {"immune_other", 4},
                                                     {"schwann", 3},
                                                     {"B_cell", 2}});
}

TEST_CASE("real data: categories behind references in AnnData 0.7 (darmanis_brain_466)") {
  const auto path = data_file("darmanis_brain_466_v07layout.h5ad");
  if (!path) return;
  const auto source = open_matrix(*path);

  check_sums(sums(*source, 466), {466, 22085, 1977716, 269031214, 348406, 554464874699, 58272});
  CHECK(label_counts(*source, "cell_type") == Counts{{"neurons", 131},
                                                     {"fetal_quiescent", 110},
                                                     {"astrocytes", 62},
                                                     {"hybrid", 46},
                                                     {"oligodendrocytes", 38},
                                                     {"fetal_replicating", 25},
                                                     {"endothelial", 20},
                                                     {"OPC", 18},
                                                     {"microglia", 16}});
  CHECK(source->gene_names().front() == "1/2-SBSRNA4");
}

TEST_CASE("real data: LZF in a file of AnnData 0.7 (pbmc10k_protein_200)") {
  const auto path = data_file("pbmc10k_protein_200_lzf_v07.h5ad");
  if (!path) return;
  const auto source = open_matrix(*path);

  check_sums(sums(*source, 33), {200, 16727, 317760, 909531, 1244, 1763022540, 3117});
  CHECK(source->cell_names().back() == "AAGATAGAGAGCCATG-1");
  CHECK(source->gene_names().back() == "AC240274.1");
  CHECK(column_sum(source->genes(), "n_cells") == 10317274);
  CHECK(column_sum(source->genes(), "highly_variable") == 4000);
  CHECK(std::get<Categorical>(source->genes().find("encode")->values).categories.size() == 14);
}

TEST_CASE("real data: dense with chunks across the genes (fca_drosophila_gut)") {
  const auto path = data_file("fca_drosophila_gut_dense.h5ad");
  if (!path) return;
  const auto source = open_matrix(*path);

  check_sums(sums(*source, 7), {180, 13407, 222899, 372079.2993, 3220.086695, 790154836.702, 7.130887985229492f});
  CHECK(label_counts(*source, "annotation").size() == 18);
  CHECK(label_counts(*source, "annotation").at("copper cell") == 10);
  CHECK(label_counts(*source, "annotation_broad").at("artefact") == 10);
}

TEST_CASE("real data: the two islet studies") {
  const auto xin = data_file("islet_xin_log.h5ad");
  const auto wang = data_file("islet_wang_log.h5ad");
  if (!xin || !wang) return;
  const auto a = open_matrix(*xin);
  const auto b = open_matrix(*wang);

  check_sums(sums(*a, 100), {674, 980, 243023, 1180407.048, 2219.27384, 2441089706.53, 18.530887603759766f});
  check_sums(sums(*b, 100), {501, 219, 48628, 277804.4642, 672.763402, 529192266.717, 17.318119049072266f});
  CHECK(label_counts(*a, "cell_type") == Counts{{"alpha", 285}, {"beta", 261}, {"gamma", 79}, {"delta", 49}});
  CHECK(label_counts(*b, "cell_type") == Counts{{"alpha", 206},
                                                {"beta", 118},
                                                {"ductal", 96},
                                                {"stellate", 45},
                                                {"gamma", 21},
                                                {"delta", 10},
                                                {"acinar", 5}});
}

TEST_CASE("real data: a plain matrix in one chunk of 174 MB (mouse_bladder_2100)") {
  const auto path = data_file("mouse_bladder_2100_xy.h5");
  if (!path) return;
  const auto source = open_matrix(*path);

  check_sums(sums(*source, 300), {2100, 20670, 2214875, 4528297, 519, 9860298736, 303});
  CHECK(source->gene_names().back() == "gene_20669");
  CHECK(label_counts(*source, "Y") == Counts{{"1", 550},
                                             {"2", 299},
                                             {"3", 268},
                                             {"4", 229},
                                             {"5", 184},
                                             {"6", 158},
                                             {"7", 102},
                                             {"8", 60},
                                             {"9", 53},
                                             {"10", 45},
                                             {"11", 30},
                                             {"12", 33},
                                             {"13", 33},
                                             {"14", 27},
                                             {"15", 21},
                                             {"16", 8}});
}

TEST_CASE("real data: loom 2.0.1, genes by cells (starmap_mouse_mpfc)") {
  const auto path = data_file("starmap_mouse_mpfc.loom");
  if (!path) return;
  const auto source = open_matrix(*path);

  check_sums(sums(*source, 1000), {3704, 158, 150007, 1616247, 399, 2819751521, 5894});
  const Counts clusters = label_counts(*source, "Clusters");
  CHECK(clusters.size() == 16);
  CHECK(clusters.at("NA") == 526);
  CHECK(clusters.at("eL2/3") == 329);
  CHECK(clusters.at("VIP") == 44);
  CHECK(label_counts(*source, "BatchID").size() == 3);
  REQUIRE(source->cells().unread.size() == 1);
  CHECK(source->cells().unread[0].name == "Spatial_coordinates");
}

TEST_CASE("real data: 10x HDF5 of Cell Ranger 3 and 2") {
  const auto three = data_file("tenx_cellranger3_tiny.h5");
  const auto two = data_file("tenx_cellranger2_tiny.h5");
  if (!three || !two) return;
  const auto a = open_matrix(*three);
  const auto b = open_matrix(*two);

  check_sums(sums(*a, 100), {1107, 507, 23866, 41549, 12, 91343942, 36});
  check_sums(sums(*b, 100), {12, 343, 12, 12, 1, 2483, 1});
  CHECK(a->cell_names().back() == "TTTGGTTGTAGAATAC-1");
  CHECK(b->cell_names().front() == "AACACGTGTACGCTGC-1");
  CHECK(a->genes().find("genome") != nullptr);
}

TEST_CASE("real data: only the first cells are read where asked") {
  const auto csr = data_file("tabula_muris_immune_1000.h5ad");
  const auto csc = data_file("baron_mouse1_csc.h5ad");
  const auto loom = data_file("starmap_mouse_mpfc.loom");
  if (!csr || !csc || !loom) return;

  for (const std::string& path : {*csr, *csc, *loom}) {
    const auto whole = open_matrix(path);
    const auto some = open_matrix(path, {.limit_cells = 10});
    CsrMatrix first;
    whole->next(first, 10);
    const CsrMatrix all = read_all(*some);
    CHECK(some->rows() == 10);
    CHECK(row_count(some->cells().columns[0]) == 10);
    CHECK(all.row_begin == first.row_begin);
    CHECK(all.column == first.column);
    CHECK(all.value == first.value);
  }
}

TEST_CASE("real data: rewinding gives the same rows again") {
  const auto path = data_file("fca_drosophila_gut_dense.h5ad");
  if (!path) return;
  const auto source = open_matrix(*path);

  const CsrMatrix once = read_all(*source);
  const CsrMatrix again = read_all(*source);

  CHECK(once.nnz() == 222899);
  CHECK(once.value == again.value);
  CHECK(once.column == again.column);
}

TEST_CASE("real data: a file is described without reading its values") {
  const auto path = data_file("zheng68k_reduced.h5ad");
  if (!path) return;
  const FileInfo info = describe_file(*path);

  CHECK(info.layout == "AnnData 0.8 or later");
  CHECK(info.bytes == 1911295);
  REQUIRE(info.matrices.size() == 2);
  CHECK(info.matrices[0].name == "X");
  CHECK(info.matrices[0].storage == "dense");
  CHECK(info.matrices[0].dtype == "float32");
  CHECK(info.matrices[0].filters == std::vector<std::string>{"gzip"});
  CHECK(info.matrices[1].name == "raw");
  CHECK(info.matrices[1].storage == "csr");
  CHECK(info.matrices[1].stored_values == 174400);
  CHECK(info.matrices[1].problem == "");
  REQUIRE(!info.labels.empty());
  CHECK(info.labels[0].name == "bulk_labels");
  CHECK(info.labels[0].counts.size() == 10);
}
