// SPDX-License-Identifier: Apache-2.0
// Files that the system's anndata writes, with every compression and storage it offers.
#include <doctest/doctest.h>

#include "io/file_info.h"
#include "io/open_matrix.h"
#include "tests/support/data.h"
#include "tests/support/python.h"

using namespace genexx;
using genexx::test::run_python;
using genexx::test::TemporaryDirectory;

namespace {

constexpr const char* kScript = R"(
n, g = 300, 40
rng = np.random.RandomState(3)
dense = (rng.rand(n, g) < 0.2) * rng.randint(1, 100, (n, g))
assert dense.sum() == 122349 and (dense != 0).sum() == 2443, (dense.sum(), (dense != 0).sum())
obs = pd.DataFrame({'type': pd.Categorical([['a', 'b', None][i % 3] for i in range(n)], categories=['b', 'a']),
                    'name': ['x%d' % i for i in range(n)], 'even': [i % 2 == 0 for i in range(n)],
                    'size': np.arange(n, dtype=np.int32)}, index=['cell-%d' % i for i in range(n)])
var = pd.DataFrame(index=['gene-%d' % i for i in range(g)])
for name, compression in (('none', None), ('gzip', 'gzip'), ('lzf', 'lzf')):
    a = anndata.AnnData(sp.csr_matrix(dense.astype(np.float32)), obs=obs, var=var)
    a.layers['csc'] = sp.csc_matrix(dense.astype(np.int64))
    a.layers['dense'] = dense.astype(np.uint16)
    a.raw = a
    a.write_h5ad(sys.argv[1] + '/' + name + '.h5ad', compression=compression)
)";

// Sum of value * (row + 1) + value * 7 * (column + 1).
double fingerprint(const CsrMatrix& m) {
  double sum = 0;
  for (std::int64_t r = 0; r < m.rows; ++r) {
    for (auto i = m.row_begin[r]; i < m.row_begin[r + 1]; ++i) {
      sum += m.value[i] * static_cast<double>(r + 1 + 7 * (m.column[i] + 1));
    }
  }
  return sum;
}

}  // namespace

TEST_CASE("anndata files: CSR, CSC, dense and raw, uncompressed, gzip and LZF") {
  const TemporaryDirectory directory;
  const auto run = run_python("anndata, numpy as np, pandas as pd, scipy.sparse as sp", kScript, directory.path());
  if (!run.ran) return;
  INFO(run.output);
  REQUIRE(run.status == 0);

  for (const char* name : {"none.h5ad", "gzip.h5ad", "lzf.h5ad"}) {
    const std::string path = directory.file(name);
    CAPTURE(path);
    const auto source = open_matrix(path);
    const CsrMatrix x = read_all(*source);
    CHECK(x.nnz() == 2443);
    CHECK(fingerprint(x) == 36549727);
    for (const char* matrix : {"raw", "layers/csc", "layers/dense"}) {
      CHECK(fingerprint(read_all(*open_matrix(path, {.matrix = matrix}))) == 36549727);
    }
    CHECK(source->cell_names()[299] == "cell-299");
    CHECK(source->gene_names()[39] == "gene-39");
    const auto& type = std::get<Categorical>(source->cells().find("type")->values);
    CHECK(type.categories == Strings{"b", "a"});
    CHECK(type.codes[0] == 1);
    CHECK(type.codes[2] == -1);
    CHECK(std::get<Strings>(source->cells().find("name")->values)[7] == "x7");
    CHECK(std::get<Numbers>(source->cells().find("even")->values).kind == NumberKind::boolean);
    CHECK(std::get<Numbers>(source->cells().find("size")->values).values[299] == 299);
    CHECK(describe_file(path).matrices.size() == 4);
  }
}
