#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""genexx explain through the program: files, figures, planted genes found, bad requests named."""
import csv
import os
import re
import unittest

from program import ProgramTest, genexx, need

need("h5py", "numpy")
import h5py
import numpy


class Explain(ProgramTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.data = cls.path("cells.h5ad")
        cls.must("simulate", "--kind", "cells", "--cells", 300, "--genes", 300, "--types", 3, "--separation", 2, "--seed", 4,
                 "--out", cls.data)
        for model, words in {"fly": ["--set", "network.widths=[48, 32]", "--set", "train.epochs=20", "--set", "train.batch=32"],
                             "scannonet": ["--replicas", 2, "--set", "train.epochs=8", "--set", "train.pretrain_epochs=3"]}.items():
            cls.must("train", cls.data, "--model", model, "--label", "cell_type", "--out", cls.path(model), "--threads", 2, *words)

    def test_attributions_of_a_trained_fly_model_add_up(self):
        done = self.must("explain", self.path("fly"), self.data, "--out", self.path("fly.h5ad"))

        figure = float(re.search(r"change of the output within (\S+) of it", done.stderr).group(1))
        self.assertLess(figure, 1e-3)
        self.assertNotIn("warning", done.stderr)
        with h5py.File(self.path("fly.h5ad")) as file:
            shape = file["X"].attrs["shape"]
            x = numpy.zeros(shape)
            rows = numpy.repeat(numpy.arange(shape[0]), numpy.diff(file["X/indptr"][:]))
            x[rows, file["X/indices"][:]] = file["X/data"][:]
            difference = file["obs/output_difference"][:]
            types = [c.decode() for c in file["obs/class/categories"][:]]
            codes = file["obs/class/codes"][:]
            means = file[f"var/mean:{types[0]}"][:]
        self.assertEqual(len(difference), 300)
        self.assertLess(numpy.linalg.norm(x.sum(1) - difference) / numpy.linalg.norm(difference), 1e-3)
        numpy.testing.assert_allclose(x[codes == 0].mean(0), means, atol=1e-5 * numpy.abs(means).max())

    def test_top_genes_are_those_of_the_largest_means_and_in_the_report(self):
        self.must("explain", self.path("fly"), self.data, "--out", self.path("top.npy"), "--top", 5)

        with open(self.path("top.top_genes.tsv"), encoding="utf-8") as file:
            rows = list(csv.DictReader(file, delimiter="\t"))
        self.assertEqual(len(rows), 15)
        sizes = [abs(float(row["mean_attribution"])) for row in rows[:5]]
        self.assertEqual(sizes, sorted(sizes, reverse=True))
        with open(self.path("top.report.html"), encoding="utf-8") as file:
            self.assertIn(rows[0]["gene"], file.read())

    def test_scannonet_can_be_explained_for_one_class_and_for_all(self):
        name = self.must("info", self.path("scannonet")).stdout
        self.must("explain", self.path("scannonet"), self.data, "--all-classes", "--steps", 8, "--limit-cells", 20, "--out",
                  self.path("all.npy"))
        self.must("explain", self.path("scannonet"), self.data, "--class", self.classes()[1], "--steps", 8, "--limit-cells", 20,
                  "--out", self.path("one.npy"))

        every, one = numpy.load(self.path("all.npy")), numpy.load(self.path("one.npy"))
        self.assertTrue(name)
        self.assertEqual(every.shape, (20, 3, one.shape[1]))
        numpy.testing.assert_array_equal(every[:, 1], one)

    def classes(self):
        with open(os.path.join(self.path("scannonet"), "predictions.tsv"), encoding="utf-8") as file:
            return [c[2:] for c in file.readline().rstrip("\n").split("\t") if c.startswith("p:")]

    def test_gradient_x_input_needs_one_gradient_and_promises_no_sum(self):
        done = self.must("explain", self.path("fly"), self.data, "--method", "gradient-input", "--out", self.path("g.tsv"))

        self.assertNotIn("add up", done.stderr)
        with open(self.path("g.tsv"), encoding="utf-8") as file:
            self.assertEqual(len(file.read().splitlines()), 301)

    def test_too_few_steps_are_warned_of_with_the_figure(self):
        done = self.must("explain", self.path("scannonet"), self.data, "--steps", 1, "--most-steps", 1, "--limit-cells", 20, "--out", self.path("few.npy"))

        self.assertRegex(done.stderr, r"warning: attributions add up .* within \S+ of it .* more than 0.001; try more --most-steps than 1")

    def test_bad_requests_are_named(self):
        cases = [(2, "did you mean", ["--class", "nobody"]), (2, "method", ["--method", "guess"]),
                 (2, "--all-classes", ["--all-classes", "--class", self.classes()[0]]), (2, "steps", ["--steps", 0])]
        for code, text, words in cases:
            with self.subTest(words):
                done = genexx("explain", self.path("fly"), self.data, "--out", self.path("bad.npy"), *words)

                self.assertEqual(done.returncode, code, done.stderr)
                self.assertIn(text, done.stderr)
        ending = genexx("explain", self.path("fly"), self.data, "--out", self.path("bad.csv"))
        self.assertEqual(ending.returncode, 2)
        self.assertIn(".h5ad, .tsv or .npy", ending.stderr)


if __name__ == "__main__":
    unittest.main()
