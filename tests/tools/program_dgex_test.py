#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""D-GEX from files to the prepared directory, by the program, against numpy."""
import gzip
import json
import os
import re
import shutil
import tempfile
import unittest

from program import genexx, need

need("h5py", "numpy")
import h5py
import numpy as np


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


class DamagedFiles(unittest.TestCase):
    def test_files_that_end_early_and_counts_that_do_not_fit_exit_3(self):
        with tempfile.TemporaryDirectory() as folder:
            whole = os.path.join(folder, "whole.gctx")
            genexx("simulate", "--kind", "landmarks", "--samples", 30, "--landmarks", 5, "--targets", 5, "--out", whole)
            text = os.path.join(folder, "whole.gct")
            self.assertEqual(genexx("convert", whole, text).returncode, 0)
            with open(whole, "rb") as file:
                binary = file.read()
            with open(text, "rb") as file:
                table = file.read()
            cases = {"cut.gctx": (binary[:len(binary) // 2], "truncated"),
                     "cut.gct": (table[:len(table) // 2], "line"),
                     "cut.gct.gz": (gzip.compress(table)[:-300], "truncated"),
                     "odd.gct": (table.replace(b"10\t30\t0\t0", b"10\t31\t0\t0", 1), "expected 32"),
                     "empty.gct": (b"#1.3\n", "line 1")}
            for name, (content, said) in cases.items():
                with self.subTest(name):
                    path = os.path.join(folder, name)
                    with open(path, "wb") as file:
                        file.write(content)
                    done = genexx("convert", path, os.path.join(folder, "out.h5ad"))
                    self.assertEqual(done.returncode, 3, done.stderr)
                    self.assertIn(name, done.stderr)
                    self.assertIn(said, done.stderr)
                    self.assertFalse(os.path.exists(os.path.join(folder, "out.h5ad")))


class TrainDgex(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="genexx-dgex-train-")
        cls.geo = cls.path("geo.gctx")
        genexx("simulate", "--kind", "landmarks", "--samples", 400, "--landmarks", 25, "--targets", 30, "--seed", 6, "--out", cls.geo)
        rna = cls.path("rna.gctx")
        genexx("simulate", "--kind", "landmarks", "--samples", 40, "--landmarks", 25, "--targets", 30, "--seed", 6, "--out", rna)
        with h5py.File(rna) as file, open(cls.path("rna.txt"), "w") as out:
            out.write("TargetID\tGene_Symbol\tChr\tCoord\t" + "\t".join(f"HG{i}" for i in range(40)) + "\n")
            for name, values in zip(file["0/META/ROW/id"][:], file["0/DATA/0/matrix"][:].T):
                out.write(f"{name.decode()}\t-\t1\t1\t" + "\t".join(map(str, values)) + "\n")
        cls.prepared, cls.run_directory = cls.path("prepared"), cls.path("run")
        done = genexx("prepare-dgex", "--geo", cls.geo, "--geuvadis", cls.path("rna.txt"), "--gtex", rna, "--map",
                      cls.path("geo.map.tsv"), "--landmarks", cls.path("geo.landmarks.txt"), "--out", cls.prepared, "--distance", 0)
        assert done.returncode == 0, done.stderr
        cls.done = genexx("train", cls.prepared, "--model", "dgex", "--out", cls.run_directory, *cls.small())
        assert cls.done.returncode == 0, cls.done.stderr

    @staticmethod
    def small(epochs=30):
        return ["--set", "network.hidden=60", "--set", "network.layers=2", "--set", f"train.epochs={epochs}", "--set",
                "train.learning_rate=0.003", "--set", "train.batch=50", "--seed", 3]

    @classmethod
    def path(cls, name):
        return os.path.join(cls.folder, name)

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder)

    def out(self, name):
        return os.path.join(self.run_directory, name)

    def metrics(self, folder=None):
        with open(os.path.join(folder or self.run_directory, "metrics.json")) as file:
            return json.load(file)

    def test_all_outputs_of_the_publication_are_there(self):
        for name in ("bestva_model.safetensors", "best1000G_model.safetensors", "model.safetensors", "history.tsv",
                     "split.json", "config.json", "report.html", "log.jsonl"):
            self.assertTrue(os.path.exists(self.out(name)), name)
        for file, part in (("bestva_Y_va_hat", "validation"), ("bestva_Y_te_hat", "test"),
                           ("best1000G_Y_1000G_hat", "1000G"), ("best1000G_Y_GTEx_hat", "GTEx")):
            predicted, truth = np.load(self.out(file + ".npy")), np.load(os.path.join(self.prepared, f"Y_{part}.npy"))
            self.assertEqual((predicted.dtype, predicted.shape), (np.float64, truth.shape))
            self.assertAlmostEqual(np.abs(predicted - truth).mean(), self.metrics()[part]["mae"], places=5)

    def test_the_log_has_the_published_columns_and_the_best_of_them_is_kept(self):
        with open(self.out("log.tsv")) as file:
            lines = [line.rstrip("\n").split("\t") for line in file]
        names = [f"MAE_{s}{c}" for s in ("va", "te", "1000G", "GTEx", "tr") for c in ("", "_change")]
        self.assertEqual(lines[0], ["epoch", *names, "learning_rate", "time(sec)"])
        rows = [dict(zip(lines[0], map(float, row))) for row in lines[1:31]]
        self.assertEqual([row["epoch"] for row in rows], list(range(1, 31)))
        best = min(row["MAE_va"] for row in rows)
        self.assertEqual(lines[31][0], f"MAE_va_best : {best:.6f}")
        self.assertAlmostEqual(self.metrics()["validation"]["mae"], best, places=4)
        self.assertAlmostEqual(self.metrics()["1000G"]["mae"], min(row["MAE_1000G"] for row in rows), places=4)
        for before, now in zip(rows, rows[1:]):
            self.assertAlmostEqual(now["MAE_te_change"], (now["MAE_te"] - before["MAE_te"]) / before["MAE_te"], places=4)
            fell = now["learning_rate"] < before["learning_rate"]
            self.assertEqual(fell, before["MAE_tr_change"] > 0 and before["learning_rate"] > 1e-5)

    def test_it_learns_and_is_compared_with_the_baseline(self):
        metrics = self.metrics()
        self.assertLess(metrics["test"]["mae"], 0.75)
        self.assertEqual(metrics["baseline"]["method"], "ridge")
        self.assertEqual(len(metrics["test"]["per_gene"]), 30)
        self.assertIn("test error", self.done.stderr)

    def test_the_report_alone_says_what_was_trained_and_how_good_it_is_on_every_set(self):
        with open(self.out("report.html"), encoding="utf-8") as file:
            report = json.loads(re.search(r'<script[^>]*id="data"[^>]*>(.*?)</script>', file.read(), re.S).group(1))
        metrics = self.metrics()

        self.assertEqual(sorted(report["metrics"]), ["1000G", "GTEx", "test", "train", "validation"])
        for part in report["metrics"]:
            self.assertEqual(report["metrics"][part]["mae"], metrics[part]["mae"])
        for text in ("A network of 2 x 60 tanh units learned from 320 profiles to infer 30 targets from 25 landmarks",
                     f"On 40 test profiles the mean absolute error is {metrics['test']['mae']:.3f} (in deviations of the gene",
                     f"by ridge regression {metrics['baseline']['mae']:.3f}", f"{metrics['1000G']['mae']:.3f} on 1000G",
                     f"{metrics['GTEx']['mae']:.3f} on GTEx"):
            self.assertIn(text, report["summary"])
        self.assertEqual(len(report["per_gene"]["baseline"]["errors"]), 30)
        self.assertIn("deviations", report["curve"])

    def test_a_half_of_the_targets_is_trained_alone(self):
        folder = self.path("half")
        done = genexx("train", self.prepared, "--model", "dgex", "--out", folder, *self.small(2), "--set", "train.targets=second")
        self.assertEqual(done.returncode, 0, done.stderr)
        half = np.load(os.path.join(folder, "bestva_Y_te_hat.npy"))
        self.assertEqual(half.shape[1], 15)

    def test_both_halves_are_trained_in_one_run_and_predicted_together(self):
        folder, out = self.path("halves"), self.path("halves.tsv")
        done = genexx("train", self.prepared, "--model", "dgex", "--out", folder, *self.small(2), "--set", "train.targets=halves")
        self.assertEqual(done.returncode, 0, done.stderr)
        done = genexx("predict", folder, self.geo, "--out", out)
        self.assertEqual(done.returncode, 0, done.stderr)
        columns = []
        for half in ("first", "second"):
            single = self.path(half + ".tsv")
            self.assertEqual(genexx("predict", os.path.join(folder, half), self.geo, "--out", single).returncode, 0)
            with open(single) as file:
                columns.append([line.split("\t") for line in file.read().splitlines()])
        with open(out) as file:
            both = [line.split("\t") for line in file.read().splitlines()]
        self.assertEqual(len(both[0]), 1 + 25 + 30)
        for row, first, second in zip(both, *columns):
            self.assertEqual(row, first + second[26:])

    def test_evaluate_gives_the_error_of_each_target_in_the_units_of_the_data(self):
        folder, inferred = self.path("evaluated"), self.path("to_judge.tsv")
        trained = self.path("for_evaluation")
        done = genexx("train", self.geo, "--model", "dgex", "--landmarks", self.path("geo.landmarks.txt"), "--out", trained, *self.small(2))
        self.assertEqual(done.returncode, 0, done.stderr)
        done = genexx("evaluate", trained, self.geo, "--out", folder)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(genexx("predict", trained, self.geo, "--out", inferred).returncode, 0)
        with open(inferred) as file:
            rows = np.array([line.split("\t")[1:] for line in file.read().splitlines()[1:]], float)
        with h5py.File(self.geo) as data:
            truth = data["0/DATA/0/matrix"][:]
        expected = np.abs(rows[:, 25:] - truth[:, 25:]).mean(axis=0)
        with open(os.path.join(folder, "errors.tsv")) as file:
            found = [float(line.split("\t")[2]) for line in file.read().splitlines()[1:]]
        np.testing.assert_allclose(found, expected, rtol=1e-4)
        self.assertAlmostEqual(self.metrics(folder)["test"]["mae"], expected.mean(), places=4)
        with open(os.path.join(folder, "report.html"), encoding="utf-8") as file:
            self.assertIn('"per_gene"', file.read())

        lacking = self.path("landmarks_only.tsv")
        with open(inferred) as file, open(lacking, "w") as to:
            for line in file:
                to.write("\t".join(line.rstrip("\n").split("\t")[:26]) + "\n")
        self.refused(4, "none of the", "evaluate", trained, lacking, "--orientation", "cells-rows", "--out",
                     self.path("nothing"))

    def test_predict_standardises_by_the_data_themselves_and_streams_to_gctx(self):
        out = self.path("inferred.gctx")
        done = genexx("predict", self.run_directory, self.geo, "--out", out, "--overwrite")
        self.assertEqual(done.returncode, 0, done.stderr)
        with h5py.File(out) as file, h5py.File(self.geo) as data:
            inferred, genes = file["0/DATA/0/matrix"][:], [g.decode() for g in file["0/META/ROW/id"][:]]
            measured, names = data["0/DATA/0/matrix"][:], [g.decode() for g in data["0/META/ROW/id"][:]]
            self.assertEqual(set(file["0/META/ROW/role"][:25]), {b"landmark"})
        x = measured[:, [names.index(g) for g in genes[:25]]].astype(float)
        np.testing.assert_allclose(inferred[:, :25], (x - x.mean(axis=0)) / (x.std(axis=0) + 1e-3), atol=1e-5)
        y = measured[:, [names.index(g) for g in genes[25:]]].astype(float)
        y = (y - y.mean(axis=0)) / y.std(axis=0)
        correlation = (inferred[:, 25:] * y).mean(axis=0) / inferred[:, 25:].std(axis=0)
        self.assertGreater(np.median(correlation), 0.5)

    def test_one_matrix_is_split_standardised_and_predicted_in_its_own_units(self):
        folder, out = self.path("matrix"), self.path("matrix.tsv")
        done = genexx("train", self.geo, "--model", "dgex", "--landmarks", self.path("geo.landmarks.txt"), "--out", folder,
                      *self.small(), "--replicas", 2)
        self.assertEqual(done.returncode, 0, done.stderr)
        metrics = self.metrics(folder)
        self.assertEqual(metrics["test"]["replicas"], 2)
        done = genexx("predict", folder, self.geo, "--out", out)
        self.assertEqual(done.returncode, 0, done.stderr)
        with open(out) as file:
            rows = np.array([line.split("\t")[1:] for line in file.read().splitlines()[1:]], float)
        with h5py.File(self.geo) as data:
            truth = data["0/DATA/0/matrix"][:]
            names = [g.decode() for g in data["0/META/COL/id"][:]]
        with open(os.path.join(folder, "split.json")) as file:
            test = [names.index(s) for s in json.load(file)["parts"]["test"]]
        self.assertEqual(len(test), 80)
        np.testing.assert_allclose(rows[:, :25], truth[:, :25], rtol=1e-5)
        self.assertAlmostEqual(np.abs(rows[test, 25:] - truth[test, 25:]).mean(), metrics["test"]["mae_of_mean"], places=4)

    def test_a_stopped_run_goes_on_to_the_same_end(self):
        folder = self.path("stopped")
        words = ["train", self.prepared, "--model", "dgex", "--out", folder, *self.small(60)]
        whole = self.path("whole")
        self.assertEqual(genexx(*words[:4], "--out", whole, *self.small(60)).returncode, 0)
        limit, start, stopped = 0.2, "--overwrite", 0
        done = genexx(*words, "--time-limit", limit)
        while done.returncode in (1, 6):
            stopped += done.returncode == 6
            start = "--resume" if done.returncode == 6 else start  # 1: there was no checkpoint yet
            limit *= 1.5
            done = genexx(*words, start, "--time-limit", limit)
        self.assertEqual(done.returncode, 0, done.stderr)
        for name in ("bestva_Y_te_hat.npy", "best1000G_Y_GTEx_hat.npy"):
            np.testing.assert_array_equal(np.load(os.path.join(whole, name)), np.load(os.path.join(folder, name)))

    def refused(self, code, text, *words):
        done = genexx(*words)
        self.assertEqual(done.returncode, code, done.stderr)
        self.assertIn(text, done.stderr)

    def test_what_cannot_be_is_refused(self):
        train = ["train", "--model", "dgex", "--out", self.path("bad")]
        self.refused(2, "needs --landmarks", *train, self.geo)
        self.refused(2, "network.hiden", *train, self.prepared, "--set", "network.hiden=3")
        self.refused(2, "train.targets", *train, self.geo, "--landmarks", self.path("geo.landmarks.txt"), "--set", "train.targets=first")
        with open(self.path("names.txt"), "w") as file:
            file.write("landmark_0001\nnothing\n")
        self.refused(4, "'nothing'", *train, self.geo, "--landmarks", self.path("names.txt"))
        self.refused(3, "prepared.json", *train, self.folder)
        self.refused(2, "use genexx predict", "embed", self.run_directory, self.geo, "--out", self.path("e.h5ad"))
        self.refused(2, ".gctx", "predict", self.run_directory, self.geo, "--out", self.path("e.xyz"))
        damaged = self.path("damaged")
        shutil.copytree(self.prepared, damaged)
        np.save(os.path.join(damaged, "Y_test.npy"), np.zeros((3, 30), "f4"))
        self.refused(3, "Y_test.npy is 3 x 30, expected", *train, damaged)


if __name__ == "__main__":
    unittest.main()
