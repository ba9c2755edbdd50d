// SPDX-License-Identifier: Apache-2.0
#include "io/add_predictions.h"

#include <sys/stat.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <iterator>

#include <doctest/doctest.h>

#include "engine/error.h"
#include "io/open_matrix.h"
#include "tests/support/data.h"
#include "tests/support/file_size_limit.h"
#include "tests/support/hdf5_file.h"
#include "tests/support/python.h"

using namespace genexx;
using genexx::test::data_file;
using genexx::test::FileSizeLimit;
using genexx::test::Hdf5File;
using genexx::test::run_python;
using genexx::test::TemporaryDirectory;

namespace {

// Cell i gets class i % 3, probability 0.5, margin 0.25.
H5adPredictions predictions(std::size_t cells, const std::string& key = "genexx_label") {
  H5adPredictions p;
  p.key = key;
  p.classes = {"T cell", "B/plasma", "NK"};
  p.labels.categories = p.classes;
  for (std::size_t i = 0; i < cells; ++i) {
    p.labels.codes.push_back(static_cast<std::int32_t>(i % 3));
    p.probability.push_back(0.5f);
    p.margin.push_back(0.25f);
    for (std::size_t k = 0; k < 3; ++k) p.probabilities.push_back(k == i % 3 ? 0.5f : 0.25f);
  }
  return p;
}

std::string small_file(const TemporaryDirectory& directory) {
  const std::string path = directory.file("cells.h5ad");
  Hdf5File file(path);
  write_small_h5ad(file);
  file.group("/uns/strange");
  file.encoding("/uns/strange", "awkward-array", "9.9.9");
  file.doubles("/uns/strange/payload", {3.5});
  return path;
}

std::string bytes_of(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

const Categorical& labels(const MatrixSource& source, const std::string& key) {
  return std::get<Categorical>(source.cells().find(key)->values);
}

}  // namespace

TEST_CASE("add_predictions: a copy has the new columns and everything it had before") {
  const TemporaryDirectory directory;
  const std::string input = small_file(directory);
  const std::string before = bytes_of(input);
  const std::string output = directory.file("annotated.h5ad");

  add_predictions(predictions(3), {.input = input, .output = output});

  auto source = open_matrix(output);
  CHECK(bytes_of(input) == before);
  CHECK(labels(*source, "type").codes == std::vector<std::int32_t>{1, 0, 1});
  CHECK(labels(*source, "genexx_label").codes == std::vector<std::int32_t>{0, 1, 2});
  CHECK(labels(*source, "genexx_label").categories == Strings{"T cell", "B/plasma", "NK"});
  CHECK(std::get<Numbers>(source->cells().find("genexx_label_probability")->values).values[2] == 0.5);
  CHECK(std::get<Numbers>(source->cells().find("genexx_label_margin")->values).values[0] == 0.25);
  CHECK(read_all(*source).value == std::vector<float>{1, 2, 3, 4, 5, 6});
  source.reset();
  const hid_t file = H5Fopen(output.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT);
  CHECK(H5Lexists(file, "/uns/strange/payload", H5P_DEFAULT) > 0);
  CHECK(H5Lexists(file, "/obsm/genexx_label_probabilities", H5P_DEFAULT) > 0);
  CHECK(H5Lexists(file, "/uns/genexx/genexx_label/classes", H5P_DEFAULT) > 0);
  H5Fclose(file);
}

TEST_CASE("add_predictions: in place keeps the permissions and leaves nothing else behind") {
  const TemporaryDirectory directory;
  const std::string path = small_file(directory);
  chmod(path.c_str(), 0640);

  add_predictions(predictions(3), {.input = path, .output = path});

  struct stat status {};
  stat(path.c_str(), &status);
  CHECK((status.st_mode & 07777) == 0640);
  CHECK(std::distance(std::filesystem::directory_iterator(directory.path()), {}) == 1);
  CHECK(open_matrix(path)->cells().find("genexx_label") != nullptr);
}

TEST_CASE("add_predictions: a key that is there is replaced only when told") {
  const TemporaryDirectory directory;
  const std::string path = small_file(directory);
  add_predictions(predictions(3), {.input = path, .output = path});
  const std::string before = bytes_of(path);
  H5adPredictions other = predictions(3);
  other.labels.codes = {2, 2, -1};

  CHECK_THROWS_WITH_AS(add_predictions(other, {.input = path, .output = path}),
                       doctest::Contains("genexx_label_probabilities exists already"), UsageError);
  CHECK(bytes_of(path) == before);
  add_predictions(other, {.input = path, .output = path, .existing = ExistingKey::replace});

  const auto source = open_matrix(path);
  CHECK(labels(*source, "genexx_label").codes == std::vector<std::int32_t>{2, 2, -1});
  CHECK(source->cells().columns.size() == 4);
}

TEST_CASE("add_predictions: a second key stands beside the first") {
  const TemporaryDirectory directory;
  const std::string path = small_file(directory);
  add_predictions(predictions(3), {.input = path, .output = path});
  add_predictions(predictions(3, "second"), {.input = path, .output = path});

  const auto source = open_matrix(path);
  CHECK(source->cells().columns.size() == 7);
  CHECK(source->cells().find("second_margin") != nullptr);
}

TEST_CASE("add_predictions: keys and lengths that cannot be are refused") {
  const TemporaryDirectory directory;
  const std::string path = small_file(directory);
  const auto refused = [&](const H5adPredictions& p) {
    CHECK_THROWS_AS(add_predictions(p, {.input = path, .output = path}), UsageError);
  };
  H5adPredictions ragged = predictions(3);
  ragged.margin.pop_back();

  refused(predictions(3, ""));
  refused(predictions(3, "a/b"));
  refused(predictions(3, "_index"));
  refused(predictions(3, "type"));
  refused(predictions(4));
  refused(ragged);
}

TEST_CASE("add_predictions: fewer predictions than cells leave the others without a label") {
  const TemporaryDirectory directory;
  const std::string path = small_file(directory);
  add_predictions(predictions(2), {.input = path, .output = path});

  const auto source = open_matrix(path);
  CHECK(labels(*source, "genexx_label").codes == std::vector<std::int32_t>{0, 1, -1});
  CHECK(std::isnan(std::get<Numbers>(source->cells().find("genexx_label_margin")->values).values[2]));
}

TEST_CASE("add_predictions: an input that is no AnnData 0.7 or later becomes a new file, never changed in place") {
  const TemporaryDirectory directory;
  const std::string input = directory.file("xy.h5");
  {
    Hdf5File file(input);
    file.doubles("/X", {1, 0, 0, 2, 0, 3}, {.shape = {2, 3}});
    file.integers("/Y", {5, 6});
  }
  const std::string output = directory.file("xy.h5ad");

  CHECK_THROWS_AS(add_predictions(predictions(2), {.input = input, .output = input}), UsageError);
  add_predictions(predictions(2), {.input = input, .output = output});

  const auto source = open_matrix(output);
  CHECK(read_all(*source).value == std::vector<float>{1, 2, 3});
  CHECK(std::get<Numbers>(source->cells().find("Y")->values).values == std::vector<double>{5, 6});
  CHECK(labels(*source, "genexx_label").codes == std::vector<std::int32_t>{0, 1});
}

TEST_CASE("add_predictions: a failure leaves the old file and no other") {
  const TemporaryDirectory directory;
  const std::string path = small_file(directory);
  {
    const hid_t file = H5Fopen(path.c_str(), H5F_ACC_RDWR, H5P_DEFAULT);
    H5Lcreate_soft("/obs", file, "/obsm", H5P_DEFAULT, H5P_DEFAULT);
    H5Fclose(file);
  }
  const std::string before = bytes_of(path);

  CHECK_THROWS_AS(add_predictions(predictions(3), {.input = path, .output = path}), InputError);
  CHECK_THROWS_AS(add_predictions(predictions(3), {.input = path, .output = "/nonexistent/out.h5ad"}), RuntimeError);

  CHECK(bytes_of(path) == before);
  CHECK(std::distance(std::filesystem::directory_iterator(directory.path()), {}) == 1);
}

TEST_CASE("add_predictions: a full disk leaves the old file and no other") {
  const TemporaryDirectory directory;
  const std::string path = small_file(directory);
  const std::string before = bytes_of(path);
  int refused = 0;
  for (std::size_t limit = 1000; limit < before.size() + 2000; limit += 1000) {
    const FileSizeLimit full(limit);
    try {
      add_predictions(predictions(3), {.input = path, .output = path});
    } catch (const RuntimeError&) {
      ++refused;
    }
    CHECK(bytes_of(path) == before);
  }

  CHECK(refused > 10);
  CHECK(std::distance(std::filesystem::directory_iterator(directory.path()), {}) == 1);
}

TEST_CASE("add_predictions: anndata reads every layout that was annotated") {
  const auto encoded = data_file("zheng68k_reduced.h5ad");
  const auto references = data_file("darmanis_brain_466_v07layout.h5ad");
  const auto lzf = data_file("pbmc10k_protein_200_lzf_v07.h5ad");
  const auto compound = data_file("zheng68k_reduced_legacy_h5sparse.h5ad");
  const auto tenx = data_file("tenx_cellranger3_tiny.h5");
  if (!encoded || !references || !lzf || !compound || !tenx) return;
  const TemporaryDirectory directory;

  add_predictions(predictions(700), {.input = *encoded, .output = directory.file("encoded.h5ad")});
  add_predictions(predictions(466), {.input = *references, .output = directory.file("references.h5ad")});
  add_predictions(predictions(200), {.input = *lzf, .output = directory.file("lzf.h5ad")});
  add_predictions(predictions(700), {.input = *compound, .output = directory.file("compound.h5ad")});
  add_predictions(predictions(1107), {.input = *tenx, .output = directory.file("tenx.h5ad")});
  const auto run = run_python("anndata, numpy as np, h5py", R"(
d = sys.argv[1]
def check(name, cells, genes, columns, total):
    a = anndata.read_h5ad(d + '/' + name)
    assert a.shape == (cells, genes), a.shape
    assert list(a.obs.columns[-3:]) == ['genexx_label', 'genexx_label_probability', 'genexx_label_margin'], a.obs.columns
    assert list(a.obs.columns[:-3]) == columns, a.obs.columns
    assert list(a.obs['genexx_label'].cat.categories) == ['T cell', 'B/plasma', 'NK']
    assert list(a.obs['genexx_label'].cat.codes) == [i % 3 for i in range(cells)]
    assert (a.obs['genexx_label_probability'] == 0.5).all() and (a.obs['genexx_label_margin'] == 0.25).all()
    p = a.obsm['genexx_label_probabilities']
    assert p.shape == (cells, 3) and p.dtype == np.float32 and np.allclose(p.sum(1), 1) and p[1].tolist() == [.25, .5, .25]
    assert list(a.uns['genexx']['genexx_label']['classes']) == ['T cell', 'B/plasma', 'NK']
    assert abs(a.X.sum(dtype=np.float64) / total - 1) < 1e-5, a.X.sum(dtype=np.float64)
    return a
zheng = ['bulk_labels', 'n_genes', 'percent_mito', 'n_counts', 'S_score', 'G2M_score', 'phase', 'louvain']
a = check('encoded.h5ad', 700, 765, zheng, -243.681058)
assert 'X_umap' in a.obsm and a.raw is not None and 'connectivities' in a.obsp and a.uns['rank_genes_groups']
check('references.h5ad', 466, 22085, ['cell_type', 'tissue', 'age', 'sample'], 269031214)
a = check('lzf.h5ad', 200, 16727, ['n_genes', 'percent_mito', 'n_counts'], 909531)
assert a.obsm['protein_expression'].shape == (200, 14)
a = check('compound.h5ad', 700, 765, zheng, -243.681058)
assert a.obs['bulk_labels'].value_counts()['Dendritic'] == 240 and a.var['highly_variable'].sum() == 309
check('tenx.h5ad', 1107, 507, [], 41549)
)",
                              directory.path());
  if (!run.ran) return;
  INFO(run.output);

  CHECK(run.status == 0);
}
