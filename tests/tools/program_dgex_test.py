#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""D-GEX from files to the prepared directory, by the program, against numpy."""
import json
import os
import shutil
import sys
import tempfile
import unittest

from program import genexx

DEBIAN_PYTHON = "/usr/bin/python3"  # has the packages where another Python comes first in the path

try:
    import h5py
    import numpy as np
except ImportError:
    if sys.executable != DEBIAN_PYTHON and os.path.exists(DEBIAN_PYTHON):
        os.execv(DEBIAN_PYTHON, [DEBIAN_PYTHON, *sys.argv])
    print("SKIPPED: numpy and h5py are not installed")
    sys.exit(77)


def table(path):
    with open(path) as file:
        rows = [line.rstrip("\n").split("\t") for line in file]
    return [dict(zip(rows[0], row)) for row in rows[1:]]


class PrepareDgex(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="genexx-dgex-")
        cls.geo = os.path.join(cls.folder, "geo.gctx")
        done = genexx("simulate", "--kind", "landmarks", "--samples", 300, "--landmarks", 20, "--targets", 31, "--copies", 0.2,
                      "--seed", 4, "--out", cls.geo)
        assert done.returncode == 0, done.stderr
        cls.map, cls.landmarks = (os.path.join(cls.folder, "geo." + end) for end in ("map.tsv", "landmarks.txt"))
        with h5py.File(cls.geo) as file:
            cls.matrix = file["0/DATA/0/matrix"][:]
            cls.genes = [name.decode() for name in file["0/META/ROW/id"][:]]
        cls.rna = np.round(np.random.default_rng(1).lognormal(size=(12, len(cls.genes))), 1)
        cls.geuvadis = os.path.join(cls.folder, "rna.txt")
        with open(cls.geuvadis, "w") as file:
            file.write("TargetID\tGene_Symbol\tChr\tCoord\t" + "\t".join(f"HG{i}" for i in range(12)) + "\n")
            for g in reversed(range(len(cls.genes))):
                file.write(f"{cls.genes[g]}\t-\t1\t1\t" + "\t".join(map(str, cls.rna[:, g])) + "\n")

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder)

    def prepare(self, out, *more, code=0, geo=None, clusters=7):
        done = genexx("prepare-dgex", "--geo", geo or self.geo, "--map", self.map, "--landmarks", self.landmarks,
                      "--out", os.path.join(self.folder, out), "--clusters", clusters, "--batch-size", 50, *more)
        self.assertEqual(done.returncode, code, done.stderr)
        return os.path.join(self.folder, out), done.stderr

    def load(self, folder, name):
        return np.hstack([np.load(os.path.join(folder, f"{part}_{name}.npy")) for part in "XY"])

    def test_matrices_are_those_of_numpy_in_the_order_that_is_written_down(self):
        out, _ = self.prepare("full", "--geuvadis", self.geuvadis, "--gtex", self.geuvadis, "--dtype", "float64")
        with open(os.path.join(out, "prepared.json")) as file:
            summary = json.load(file)
        genes = [self.genes.index(row["id"]) for row in table(os.path.join(out, "genes.tsv"))]
        samples = table(os.path.join(out, "samples.tsv"))
        sets = ("train", "validation", "test")
        rows = [int(s["source_row"]) for name in sets for s in samples if s["set"] == name]

        data = self.matrix[rows][:, genes].astype(np.float64)
        quantiles = np.sort(data, axis=1).mean(axis=0)
        ranks = data.argsort(axis=1, kind="stable").argsort(axis=1)  # no ties
        normal = quantiles[ranks]
        expected = (normal - normal.mean(axis=0)) / (normal.std(axis=0) + 1e-3)
        got = np.vstack([self.load(out, name) for name in sets])
        np.testing.assert_allclose(got, expected, atol=1e-9)
        np.testing.assert_allclose(np.load(os.path.join(out, "quantiles.npy")), quantiles, atol=1e-12)

        rna = np.zeros((12, len(genes)))
        for i, profile in enumerate(self.rna[:, genes]):
            unique, inverse = np.unique(profile, return_inverse=True)
            index = ((inverse + 1.0) / len(unique) * len(genes)).astype(int) - 1
            rna[i] = quantiles[np.maximum(index, 0)]
        expected = (rna - rna.mean(axis=0)) / (rna.std(axis=0) + 1e-3)
        np.testing.assert_allclose(self.load(out, "1000G"), expected, atol=1e-9)
        np.testing.assert_allclose(self.load(out, "GTEx"), expected, atol=1e-9)

        kept = len(rows)
        self.assertEqual(summary["duplicates"]["dropped"], 300 - kept)
        self.assertEqual(summary["sets"]["test"]["profiles"], round(kept / 10))
        self.assertEqual(summary["halves"], [[0, 15], [15, 31]])
        self.assertEqual([row["role"] for row in table(os.path.join(out, "genes.tsv"))], ["landmark"] * 20 + ["target"] * 31)

    def test_no_kept_pair_of_one_cluster_is_near_and_copies_are_gone(self):
        out, said = self.prepare("near", clusters=1)
        rows = np.array([int(s["source_row"]) for s in table(os.path.join(out, "samples.tsv"))])
        distance = np.linalg.norm(self.matrix[rows][:, None].astype(float) - self.matrix[rows][None], axis=2)

        self.assertGreater(distance[~np.eye(len(rows), dtype=bool)].min(), 1.0)
        self.assertIn("near-duplicates of 300 profiles left out", said)
        self.assertLess(len(rows), 270)

    def test_the_same_seed_gives_the_same_bytes_for_any_number_of_threads(self):
        first, _ = self.prepare("one", "--threads", 1, "--seed", 3)
        second, _ = self.prepare("two", "--threads", 2, "--seed", 3)
        for name in ("X_train.npy", "Y_test.npy", "genes.tsv", "samples.tsv", "quantiles.npy"):
            with open(os.path.join(first, name), "rb") as a, open(os.path.join(second, name), "rb") as b:
                self.assertEqual(a.read(), b.read(), name)

    def test_a_gct_of_the_same_values_gives_the_same(self):
        text = os.path.join(self.folder, "named.gctx.gct")
        self.assertEqual(genexx("convert", self.geo, text).returncode, 0)
        first, _ = self.prepare("binary", "--distance", 0)
        second, _ = self.prepare("text", "--distance", 0, geo=text)
        np.testing.assert_array_equal(self.load(first, "train"), self.load(second, "train"))

    def test_nothing_is_replaced_unless_told(self):
        out, _ = self.prepare("again", "--distance", 0)
        _, said = self.prepare("again", code=2)
        self.assertIn("holds a prepared data set", said)
        self.prepare("again", "--distance", 0, "--overwrite")

    def test_missing_genes_are_refused_or_dropped_everywhere(self):
        short = os.path.join(self.folder, "short.txt")
        with open(self.geuvadis) as file, open(short, "w") as out:
            out.writelines(line for line in file if not line.startswith("target_00003"))
        _, said = self.prepare("missing", "--geuvadis", short, code=4)
        self.assertIn("1000G: 1 of 51 genes", said)
        self.assertFalse(os.path.exists(os.path.join(self.folder, "missing", "prepared.json")))
        out, _ = self.prepare("missing", "--geuvadis", short, "--missing", "drop")
        self.assertNotIn("target_00003", [row["id"] for row in table(os.path.join(out, "genes.tsv"))])

    def test_values_that_are_missing_are_refused_with_their_place(self):
        for name, value in (("nan", np.nan), ("minus", -666)):
            spoilt = os.path.join(self.folder, name + ".gctx")
            shutil.copy(self.geo, spoilt)
            with h5py.File(spoilt, "r+") as file:
                file["0/DATA/0/matrix"][5, 7] = value
            _, said = self.prepare("out-" + name, code=4, geo=spoilt)
            self.assertIn("sample_000005", said)
            self.assertIn("landmark_0007", said)


if __name__ == "__main__":
    unittest.main()
