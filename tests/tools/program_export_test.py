#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Exported models compute what genexx predict says: ONNX by every evaluator there is, npz and safetensors by hand."""
import json
import os
import unittest

from program import genexx, need

need("h5py", "numpy", "scipy.sparse")
import h5py
import numpy
import scipy.sparse

from exported import ExportTest, read_columns, read_safetensors
from onnx_reader import OnnxFile

OWN = {"network": {"widths": [20], "activation": "sigmoid", "batch_norm": False},
       "train": {"learning_rate": 0.01, "epochs": 10, "batch": 32},
       "prepare": {"library_size": True, "scaling": "none"}}


def read_cells(path):
    """Dense counts and gene names of an h5ad file the program wrote."""
    with h5py.File(path) as file:
        x = file["X"]
        shape = x.attrs["shape"]
        counts = scipy.sparse.csr_matrix((x["data"][:], x["indices"][:], x["indptr"][:]), shape=shape).toarray()
        return counts.astype("float32"), [g.decode() for g in file["var/_index"][:]]


class Export(ExportTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.data = cls.path("cells.h5ad")
        cls.must("simulate", "--kind", "cells", "--cells", 300, "--genes", 400, "--types", 3, "--separation", 2, "--seed", 2,
                 "--out", cls.data)
        cls.counts, cls.genes = read_cells(cls.data)
        with open(cls.path("own.json"), "w", encoding="utf-8") as file:
            json.dump(OWN, file)
        cls.train("scannonet", "--replicas", 2, "--set", "train.epochs=8", "--set", "train.pretrain_epochs=3")
        cls.train("fly", "--set", "network.widths=[32, 24]", "--set", "train.epochs=10", "--set", "train.batch=32")
        cls.train("mlp", "--config", cls.path("own.json"), "--replicas", 3)
        cls.train("convolved", "--replicas", 2, "--set", "network.widths=[16]", "--set", "train.epochs=4", "--set", "train.batch=32",
                  "--set", "network.convolution.channels=[4, 3]", "--set", "network.convolution.width=[9, 4]", "--set",
                  "network.convolution.stride=[2, 1]", model="mlp")

    @classmethod
    def train(cls, name, *words, model=None):
        cls.must("train", cls.data, "--model", model or name, "--label", "cell_type", "--out", cls.path(name), "--threads", 2, *words)
        cls.must("predict", cls.path(name), cls.data, "--out", cls.path(name + ".tsv"))

    def exported(self, model, to):
        file = self.path(f"{model}.{to}")
        if not os.path.exists(file):
            self.must("export", self.path(model), "--to", to, "--out", file)
        return file

    def expected(self, model):
        return read_columns(self.path(model + ".tsv"), lambda name: name.startswith("p:"))

    def inputs(self, genes):
        column = {gene: i for i, gene in enumerate(self.genes)}
        return self.counts[:, [column[g] for g in genes]]

    def check(self, model):
        return self.check_onnx(self.exported(model, "onnx"), self.inputs, self.expected(model))

    def test_scannonet_as_onnx_predicts_alike_from_the_counts_of_all_library_genes(self):
        file, values = self.check("scannonet")

        recipe = json.loads(file.metadata["recipe"])
        self.assertEqual(json.loads(file.metadata["genes"]), recipe["library_gene_ids"])
        self.assertEqual(values["embeddings"].shape, (2, 300, 64))

    def test_its_embeddings_are_those_of_embed(self):
        self.must("embed", self.path("scannonet"), self.data, "--replica", 1, "--out", self.path("embedded.npy"))

        _, values = self.check("scannonet")

        self.assert_close(values["embeddings"][1], numpy.load(self.path("embedded.npy")), "embed")

    def test_the_fly_classifier_as_onnx_predicts_alike(self):
        self.check("fly")

    def test_a_network_of_ones_own_as_onnx_predicts_alike(self):
        self.check("mlp")

    def test_convolutions_as_onnx_predict_alike_for_all_replicas(self):
        file, _ = self.check("convolved")

        self.assertEqual([op for op, _, _, _ in file.nodes if op in ("Conv", "MaxPool")], ["Conv", "MaxPool", "Conv", "MaxPool"])

    def test_the_filters_of_a_convolution_are_in_npz(self):
        with numpy.load(self.exported("convolved", "npz"), allow_pickle=False) as a:
            self.assertEqual(a["replica.1.convolution.1.weight"].shape, (3, 4, 4))

    def test_a_cell_without_counts_is_no_trouble_in_onnx(self):
        file = OnnxFile(self.exported("scannonet", "onnx"))

        p = file.run(expression=numpy.zeros((1, len(json.loads(file.metadata["genes"]))), "float32"))["probabilities"]

        self.assertTrue(numpy.isfinite(p).all())
        self.assertAlmostEqual(float(p.sum()), 1, places=5)

    def test_npz_holds_all_that_computing_by_hand_takes(self):
        with numpy.load(self.exported("fly", "npz"), allow_pickle=False) as a:
            x = (numpy.log1p(self.inputs(a["genes"])) - a["recipe.shift"]) * a["recipe.factor"]
            for k in range(2):
                w = {p: a[f"replica.0.hidden.{k}.{p}"] for p in
                     ("weight", "bias", "norm.weight", "norm.bias", "norm.running_mean", "norm.running_var")}
                x = x @ w["weight"].T + w["bias"]
                x = (x - w["norm.running_mean"]) / numpy.sqrt(w["norm.running_var"] + 1e-5) * w["norm.weight"] + w["norm.bias"]
                x = numpy.maximum(x, 0)
            logits = x @ a["replica.0.output.weight"].T + a["replica.0.output.bias"]
            temperature = json.loads(str(a["calibration"]))["temperature"]
            p = numpy.exp(logits - logits.max(1, keepdims=True))
            p = (p / p.sum(1, keepdims=True)) ** (1 / temperature)
            self.assertEqual(len(a["classes"]), 3)

        self.assert_close(p / p.sum(1, keepdims=True), self.expected("fly"), "by hand")

    def test_safetensors_and_npz_hold_the_same_tensors(self):
        metadata, tensors = read_safetensors(self.exported("scannonet", "safetensors"))

        with numpy.load(self.exported("scannonet", "npz"), allow_pickle=False) as a:
            for name, values in tensors.items():
                numpy.testing.assert_array_equal(a[name], values)
            self.assertEqual(a["library_genes"].tolist(), json.loads(metadata["recipe"])["library_gene_ids"])
        self.assertEqual(tensors["replica.1.gate.0.weight"].shape[0], 20)
        self.assertIn("recipe.shift", tensors)

    def test_bad_requests_are_named(self):
        there = genexx("export", self.path("fly"), "--to", "npz", "--out", self.exported("fly", "npz"))
        kind = genexx("export", self.path("fly"), "--to", "pickle", "--out", self.path("a"))
        model = genexx("export", self.data, "--to", "npz", "--out", self.path("a"))

        self.assertEqual((there.returncode, kind.returncode, model.returncode), (2, 2, 3))
        self.assertIn("--overwrite", there.stderr)
        self.assertIn("pickle", kind.stderr)
        self.assertFalse(os.path.exists(self.path("a")))


if __name__ == "__main__":
    unittest.main()
