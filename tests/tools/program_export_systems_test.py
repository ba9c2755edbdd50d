#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Exported models of D-GEX and TransBrain compute what genexx predict and genexx embed say."""
import json
import unittest

from program import genexx, need

need("h5py", "numpy")
import h5py
import numpy

from exported import ExportTest, read_columns, read_safetensors

LANDMARKS, TARGETS = 25, 30


def is_target(name):
    return name.startswith("target")


class Dgex(ExportTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.data, prepared = cls.path("geo.gctx"), cls.path("prepared")
        cls.must("simulate", "--kind", "landmarks", "--samples", 300, "--landmarks", LANDMARKS, "--targets", TARGETS, "--seed", 6,
                 "--out", cls.data)
        cls.must("prepare-dgex", "--geo", cls.data, "--map", cls.path("geo.map.tsv"), "--landmarks", cls.path("geo.landmarks.txt"),
                 "--out", prepared, "--distance", 0)
        cls.train("prepared_run", prepared, "--set", "train.targets=all")
        cls.train("halves", prepared, "--set", "train.targets=halves")
        cls.train("matrix_run", cls.data, "--landmarks", cls.path("geo.landmarks.txt"), "--replicas", 2, "--set", "network.layers=2")
        with h5py.File(cls.data) as file:
            values = file["0/DATA/0/matrix"][:].astype("float32")
            cls.values = {name.decode(): values[:, i] for i, name in enumerate(file["0/META/ROW/id"][:])}

    @classmethod
    def train(cls, name, data, *words):
        cls.must("train", data, "--model", "dgex", "--out", cls.path(name), "--set", "network.hidden=40", "--set", "train.epochs=10",
                 "--set", "train.learning_rate=0.003", "--set", "train.batch=50", "--seed", 3, *words)

    def exported(self, model, to):
        file = self.path(f"{model.replace('/', '_')}.{to}")
        self.must("export", self.path(model), "--to", to, "--out", file, "--overwrite")
        return file

    def predicted(self, model, chosen=is_target):
        out = self.path("predicted.tsv")
        self.must("predict", self.path(model), self.data, "--out", out, "--overwrite")
        return read_columns(out, chosen)

    def as_measured(self, genes):
        return numpy.stack([self.values[gene] for gene in genes], axis=1)

    def standardised(self, genes):
        """As predict does with data for a model of prepared data."""
        x = self.as_measured(genes).astype(float)
        return ((x - x.mean(axis=0)) / (x.std(axis=0) + 1e-3)).astype("float32")

    def test_a_model_of_one_matrix_reads_and_gives_its_units_for_all_replicas(self):
        file, values = self.check_onnx(self.exported("matrix_run", "onnx"), self.as_measured, self.predicted("matrix_run"),
                                       "predictions")

        self.assertEqual(values["embeddings"].shape, (2, 300, 40))
        self.assertEqual(json.loads(file.metadata["input"]), "raw")
        self.assertEqual(json.loads(file.metadata["targets"]), [f"target_{t:05}" for t in range(TARGETS)])
        error = numpy.abs(values["predictions"] - self.as_measured(json.loads(file.metadata["targets"]))).mean()
        self.assertLess(error, 1)  # in the units of the data, whose values are about 8

    def test_a_model_of_prepared_data_reads_and_gives_standardised_values(self):
        file, _ = self.check_onnx(self.exported("prepared_run", "onnx"), self.standardised, self.predicted("prepared_run"),
                                  "predictions")

        self.assertEqual(json.loads(file.metadata["input"]), "standardised")

    def test_the_halves_of_the_targets_are_exported_one_by_one(self):
        predicted = self.predicted("halves")
        both = genexx("export", self.path("halves"), "--to", "onnx", "--out", self.path("both.onnx"))
        for half, columns in (("first", predicted[:, :TARGETS // 2]), ("second", predicted[:, TARGETS // 2:])):
            self.check_onnx(self.exported("halves/" + half, "onnx"), self.standardised, columns, "predictions")

        self.assertEqual(both.returncode, 3)
        self.assertIn("give one of them, in its first/ and second/", both.stderr)

    def by_hand(self, arrays, x, layers, replicas):
        outputs = []
        for k in range(replicas):
            y = x.astype(float)
            for layer in range(layers):
                name = f"replica.{k}.hidden.{layer}."
                y = numpy.tanh(y @ arrays[name + "weight"].T + arrays[name + "bias"])
            outputs.append(y @ arrays[f"replica.{k}.output.weight"].T + arrays[f"replica.{k}.output.bias"])
        return numpy.mean(outputs, axis=0)

    def test_npz_holds_all_that_computing_by_hand_takes(self):
        with numpy.load(self.exported("matrix_run", "npz"), allow_pickle=False) as arrays:
            x = (self.as_measured(arrays["genes"]) - arrays["recipe.shift"]) * arrays["recipe.factor"]
            y = self.by_hand(arrays, x, 2, 2) * arrays["targets.scale"] + arrays["targets.mean"]

        self.assert_close(y, self.predicted("matrix_run"), "by hand")

    def test_safetensors_hold_the_units_of_the_targets_of_prepared_data(self):
        metadata, tensors = read_safetensors(self.exported("prepared_run", "safetensors"))
        out = self.path("measured.tsv")
        self.must("predict", self.path("prepared_run"), self.data, "--destandardise", "--out", out)

        y = self.by_hand(tensors, self.standardised(json.loads(metadata["genes"])), 1, 1)

        self.assertNotIn("recipe.shift", tensors)
        self.assertEqual(json.loads(metadata["units"])["input"], "standardised")
        self.assert_close(y * tensors["targets.scale"] + tensors["targets.mean"], read_columns(out, is_target), "by hand")


class Transbrain(ExportTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.must("simulate", "--kind", "regions", "--out", cls.path("sim"), "--regions", 14, "--mouse-regions", 9, "--genes", 120,
                 "--samples", 4, "--cells-per-sample", 4, "--seed", 2)
        cls.must("train", "--model", "transbrain", cls.path("sim"), "--out", cls.path("run"), "--replicas", 2, "--seed", 5, "--set",
                 "network.hidden1=32", "--set", "network.hidden2=28", "--set", "network.hidden3=24", "--set",
                 "train.learning_rate=2e-3", "--set", "train.batch=32", "--set", "train.epochs=20")
        cls.data = cls.path("sim", "Human_trans_data.h5ad")
        with h5py.File(cls.data) as file:
            values = file["X"][:].astype("float32")
            cls.values = {name.decode(): values[:, i] for i, name in enumerate(file["var/Gene"][:])}

    def inputs(self, genes):
        return numpy.stack([self.values[gene] for gene in genes], axis=1)

    def exported(self, to):
        file = self.path("model." + to)
        self.must("export", self.path("run"), "--to", to, "--out", file, "--overwrite")
        return file

    def test_onnx_predicts_and_embeds_alike(self):
        self.must("predict", self.path("run"), self.data, "--out", self.path("regions.tsv"))
        want = read_columns(self.path("regions.tsv"), lambda name: name.startswith("p:"))

        file, values = self.check_onnx(self.exported("onnx"), self.inputs, want)

        self.assertEqual(len(json.loads(file.metadata["classes"])), 14)
        for repeat in range(2):
            self.must("embed", self.path("run"), self.data, "--replica", repeat, "--out", self.path("embedded.npy"), "--overwrite")
            self.assert_close(values["embeddings"][repeat], numpy.load(self.path("embedded.npy")), "embed")

    def test_npz_and_safetensors_hold_the_eight_published_tensors_of_each_repeat(self):
        metadata, tensors = read_safetensors(self.exported("safetensors"))
        with numpy.load(self.exported("npz"), allow_pickle=False) as arrays:
            for name, values in tensors.items():
                numpy.testing.assert_array_equal(arrays[name], values)
            self.assertEqual(arrays["genes"].tolist(), json.loads(metadata["genes"]))
            self.assertEqual(len(arrays["classes"]), 14)
        names = [f"{layer}.{part}" for layer in ("hidden1", "hidden2", "hidden3", "output") for part in ("weight", "bias")]
        self.assertEqual(sorted(tensors), sorted(f"replica.{k}.{name}" for k in (0, 1) for name in names))

        y = self.inputs(json.loads(metadata["genes"]))
        for layer in ("hidden1", "hidden2", "hidden3"):
            y = numpy.maximum(y @ tensors[f"replica.1.{layer}.weight"].T + tensors[f"replica.1.{layer}.bias"], 0)
        self.must("embed", self.path("run"), self.data, "--replica", 1, "--out", self.path("hand.npy"), "--overwrite")
        self.assert_close(y, numpy.load(self.path("hand.npy")), "by hand")


if __name__ == "__main__":
    unittest.main()
