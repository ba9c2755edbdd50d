#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Exported models compute what genexx predict says: ONNX by every evaluator there is, npz and safetensors by hand."""
import json
import os
import struct
import unittest

from program import ProgramTest, genexx, need

need("h5py", "numpy", "scipy.sparse")
import h5py
import numpy
import scipy.sparse

from onnx_reader import OnnxFile

TOLERANCE = 1e-5
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


def read_safetensors(path):
    with open(path, "rb") as file:
        header = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
        data = file.read()
    kinds = {"F32": "<f4", "F64": "<f8", "U8": "u1"}
    metadata = header.pop("__metadata__")
    return metadata, {name: numpy.frombuffer(data[t["data_offsets"][0]:t["data_offsets"][1]], kinds[t["dtype"]]).reshape(t["shape"])
                      for name, t in header.items()}


class Export(ProgramTest):
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
        with open(self.path(model + ".tsv"), encoding="utf-8") as file:
            header = file.readline().rstrip("\n").split("\t")
            first = next(i for i, name in enumerate(header) if name.startswith("p:"))
            return numpy.array([[float(v) for v in line.rstrip("\n").split("\t")[first:]] for line in file])

    def inputs(self, genes):
        column = {gene: i for i, gene in enumerate(self.genes)}
        return self.counts[:, [column[g] for g in genes]]

    def assert_close(self, got, want, what):
        self.assertEqual(got.shape, want.shape)
        self.assertLess(numpy.abs(got - want).max(), TOLERANCE, what)

    def check_onnx(self, model):
        path = self.exported(model, "onnx")
        file = OnnxFile(path)
        x, want = self.inputs(json.loads(file.metadata["genes"])), self.expected(model)

        mine = file.run(expression=x)

        self.assertEqual(file.inputs, [("expression", ["cells", x.shape[1]])])
        self.assert_close(mine["probabilities"], want, "NumPy")
        self.check_with_onnx(path, x, want, mine["embeddings"])
        self.check_with_onnxruntime(path, x, want, mine["embeddings"])
        return file, mine

    def check_with_onnx(self, path, x, want, embeddings):
        try:
            import onnx
        except ImportError:
            print("python3-onnx is not installed: the file was not given to its checker")
            return
        onnx.checker.check_model(onnx.load(path), full_check=True)
        try:
            from onnx.reference import ReferenceEvaluator
        except ImportError:  # came with 1.13
            return
        probabilities, values = ReferenceEvaluator(path).run(["probabilities", "embeddings"], {"expression": x})
        self.assert_close(probabilities, want, "onnx.reference")
        self.assert_close(values, embeddings, "onnx.reference")

    def check_with_onnxruntime(self, path, x, want, embeddings):
        try:
            import onnxruntime
        except ImportError:
            return
        session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        probabilities, values = session.run(["probabilities", "embeddings"], {"expression": x})
        self.assert_close(probabilities, want, "onnxruntime")
        self.assertLess(numpy.abs(values - embeddings).max() / max(1, numpy.abs(embeddings).max()), TOLERANCE)

    def test_scannonet_as_onnx_predicts_alike_from_the_counts_of_all_library_genes(self):
        file, values = self.check_onnx("scannonet")

        recipe = json.loads(file.metadata["recipe"])
        self.assertEqual(json.loads(file.metadata["genes"]), recipe["library_gene_ids"])
        self.assertEqual(values["embeddings"].shape, (2, 300, 64))

    def test_its_embeddings_are_those_of_embed(self):
        self.must("embed", self.path("scannonet"), self.data, "--replica", 1, "--out", self.path("embedded.npy"))

        _, values = self.check_onnx("scannonet")

        self.assert_close(values["embeddings"][1], numpy.load(self.path("embedded.npy")), "embed")

    def test_the_fly_classifier_as_onnx_predicts_alike(self):
        self.check_onnx("fly")

    def test_a_network_of_ones_own_as_onnx_predicts_alike(self):
        self.check_onnx("mlp")

    def test_convolutions_as_onnx_predict_alike_for_all_replicas(self):
        file, _ = self.check_onnx("convolved")

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
