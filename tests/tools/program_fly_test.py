#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The fly classifier and a network of one's own through the program: train, predict, evaluate, folds."""
import json
import os
import signal
import subprocess
import time
import unittest

from program import PROGRAM, ProgramTest, genexx

SMALL = ["--set", "network.widths=[48, 32]", "--set", "train.epochs=60", "--set", "train.batch=32", "--seed", "3", "--threads", "2"]


class Fly(ProgramTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.data = cls.path("cells.h5ad")
        cls.must("simulate", "--kind", "cells", "--cells", 600, "--genes", 500, "--types", 4, "--separation", 2, "--seed", 1,
                 "--out", cls.data)
        cls.must("train", cls.data, "--model", "fly", "--label", "cell_type", "--out", cls.path("run"), *SMALL)

    def metrics(self, name):
        with open(os.path.join(self.path(name), "metrics.json"), encoding="utf-8") as file:
            return json.load(file)

    def test_a_training_directory_holds_every_file_but_those_of_scannonet(self):
        files = os.listdir(self.path("run"))

        for name in ("model.safetensors", "config.json", "metrics.json", "history.tsv", "predictions.tsv", "split.json",
                     "report.html", "log.jsonl", "result.csv"):
            self.assertIn(name, files)
        self.assertNotIn("gene_list.csv", files)

    def test_it_has_learned_and_has_one_replica(self):
        test = self.metrics("run")["test"]

        self.assertGreater(test["accuracy"], 0.9)
        for name in ("balanced_accuracy", "precision", "recall", "macro_f1", "auroc", "auprc"):
            self.assertGreater(test[name], 0.5)
        self.assertEqual(len(test["replicas"]), 1)

    def test_evaluating_the_training_cells_gives_a_good_figure(self):
        self.must("evaluate", self.path("run"), self.data, "--label", "cell_type", "--out", self.path("judged"))

        self.assertGreater(self.metrics("judged")["test"]["accuracy"], 0.9)

    def test_predicting_gives_every_cell_a_type(self):
        self.must("predict", self.path("run"), self.data, "--out", self.path("types.tsv"))

        with open(self.path("types.tsv"), encoding="utf-8") as file:
            self.assertEqual(len(file.read().splitlines()), 601)

    def test_folds_judge_every_cell_once(self):
        self.must("train", self.data, "--model", "fly", "--label", "cell_type", "--folds", 3, "--out", self.path("folds"), *SMALL)

        self.assertEqual(len(self.metrics("folds")["test"]["replicas"]), 3)
        with open(os.path.join(self.path("folds"), "predictions.tsv"), encoding="utf-8") as file:
            self.assertEqual(len(file.read().splitlines()), 601)

    def test_a_network_of_ones_own_is_one_file_of_json(self):
        with open(self.path("own.json"), "w", encoding="utf-8") as file:
            json.dump({"network": {"widths": [20], "activation": "tanh", "batch_norm": False, "dropout": 0.1},
                       "train": {"optimizer": "sgd", "learning_rate": 0.1, "weight_decay": 0, "epochs": 30, "batch": 32},
                       "prepare": {"library_size": True, "scaling": "z_score"}}, file)

        self.must("train", self.data, "--model", "mlp", "--config", self.path("own.json"), "--label", "cell_type",
                  "--out", self.path("own"), "--replicas", 2)

        self.assertGreater(self.metrics("own")["test"]["accuracy"], 0.9)
        self.assertEqual(len(self.metrics("own")["test"]["replicas"]), 2)

    def write_order(self, name, genes):
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write("gene,chromosome,start\n" + "".join(f"{gene},{chromosome},{start}\n" for gene, chromosome, start in genes))
        return self.path(name)

    def model_genes(self, run):
        with open(os.path.join(self.path(run), "model.safetensors"), "rb") as file:
            header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
        return json.loads(header["__metadata__"]["genexx"])["recipe"]["gene_ids"]

    def test_the_gene_order_is_the_models_and_predictions_keep_it(self):
        as_read = self.model_genes("run")
        placed, unplaced = as_read[:-20], as_read[-20:]
        order = self.write_order("order.csv", [(gene, "chr" + "12X"[i % 3], len(placed) - i) for i, gene in enumerate(placed)])

        done = self.must("train", self.data, "--model", "fly", "--label", "cell_type", "--out", self.path("ordered"),
                         "--gene-order", order, *SMALL)
        self.must("evaluate", self.path("ordered"), self.data, "--label", "cell_type", "--out", self.path("ordered_judged"))

        self.assertEqual(self.model_genes("ordered"), sum((placed[i::3][::-1] for i in range(3)), []) + unplaced)
        self.assertIn("20 of the %d genes are not in the gene order; they come last" % len(as_read), done.stderr)
        self.assertGreater(self.metrics("ordered_judged")["test"]["accuracy"], 0.9)

    def test_a_gene_order_that_cannot_serve_is_refused(self):
        def code_and_text(order, *words):
            done = genexx("train", self.data, "--model", "fly", "--label", "cell_type", "--out", self.path("bad"),
                          "--gene-order", order, "--dry-run", *words)
            return done.returncode, done.stderr

        code, text = code_and_text(self.write_order("few.csv", [("nobody", 1, 2)]))
        self.assertEqual(code, 4)
        self.assertIn("0 of the 500 genes of the data are in it, expected at least 50 %", text)
        code, text = code_and_text(self.write_order("text.csv", [("g", 1, "here")]))
        self.assertEqual(code, 3)
        self.assertIn("line 2: field 3 (start) is 'here', expected a coordinate", text)
        self.assertEqual(code_and_text(self.path("absent.gtf"))[0], 3)
        self.assertEqual(code_and_text(self.path("few.csv"), "--set", "prepare.least_ordered_genes=2")[0], 2)
        done = genexx("train", self.data, "--label", "cell_type", "--out", self.path("bad"), "--gene-order", self.path("few.csv"))
        self.assertEqual(done.returncode, 2)

    def test_convolutions_along_the_genes_learn_are_explained_and_evaluated(self):
        convolution = ["--set", "network.convolution.channels=[6]", "--set", "network.convolution.stride=[2]"]
        done = self.must("train", self.data, "--model", "fly", "--label", "cell_type", "--out", self.path("convolved"), *convolution, *SMALL)
        self.must("evaluate", self.path("convolved"), self.data, "--label", "cell_type", "--out", self.path("convolved_judged"))
        explained = self.must("explain", self.path("convolved"), self.data, "--out", self.path("why.h5ad"), "--limit-cells", 20)

        self.assertGreater(self.metrics("convolved")["test"]["accuracy"], 0.85, done.stderr)
        self.assertGreater(self.metrics("convolved_judged")["test"]["accuracy"], 0.85, explained.stderr)

    def test_augmented_training_resumes_to_the_same_weights(self):
        words = ["train", self.data, "--model", "fly", "--label", "cell_type", "--set", "network.widths=[256]", "--set",
                 "train.epochs=400", "--set", "train.patience=0", "--set", "augment.share=1", "--set", "augment.keep=0.5", "--set",
                 "augment.mix_up=0.5", "--seed", 4, "--threads", 1, "--replicas", 2]
        process = subprocess.Popen([PROGRAM, *map(str, words), "--out", self.path("stopped")], stderr=subprocess.PIPE, text=True)
        checkpoint = self.path("stopped", "checkpoint")
        while process.poll() is None and not (os.path.isdir(checkpoint) and os.listdir(checkpoint)):
            time.sleep(0.01)
        process.send_signal(signal.SIGUSR1)
        message = process.communicate(timeout=300)[1]
        self.assertEqual(process.returncode, 6, message)
        self.assertIn("are synthetic", message)

        self.must(*words, "--out", self.path("stopped"), "--resume")
        self.must(*words, "--out", self.path("whole"))

        weights = []
        for out in ("stopped", "whole"):
            with open(self.path(out, "model.safetensors"), "rb") as file:
                file.seek(8 + int.from_bytes(file.read(8), "little"))
                weights.append(file.read())
        self.assertEqual(weights[0], weights[1])
        with open(self.path("whole", "split.json"), encoding="utf-8") as file:
            self.assertEqual(file.read().count("cell_600"), 0)

    def test_what_cannot_be_augmented_or_convolved_is_refused(self):
        def code_and_text(*words):
            done = genexx("train", self.data, "--model", "fly", "--label", "cell_type", "--out", self.path("bad"), "--dry-run", *words)
            return done.returncode, done.stderr

        code, text = code_and_text("--input-kind", "log1p", "--set", "augment.share=1", "--set", "augment.keep=0.5")
        self.assertEqual(code, 4)
        self.assertIn("augment.keep thins counts, but the values of the data are logarithms or scaled", text)
        for setting, said in (("augment.share=2", "augment.share is 2.0"), ("augment.keep=0", "augment.keep is 0.0"),
                              ("augment.share=0.5", "train.oversampling repeats cells as they are"),
                              ("augment.shares=0.5", "did you mean 'augment.share'"),
                              ("network.convolution.filters=[3]", "there is no key 'network.convolution.filters'")):
            code, text = code_and_text("--set", setting)
            self.assertEqual(code, 2, setting)
            self.assertIn(said, text)
        code, text = code_and_text("--set", "network.convolution.channels=[2]", "--set", "network.convolution.width=[5000]", "--set",
                                   "network.convolution.ends=inside")
        self.assertEqual(code, 2)
        self.assertIn("windows of 5000 positions, but 'genes' has only", text)

    def test_a_width_that_is_no_list_is_named(self):
        done = genexx("train", self.data, "--model", "fly", "--label", "cell_type", "--out", self.path("bad"), "--set",
                      "network.widths=512")

        self.assertEqual(done.returncode, 2)
        self.assertIn("network.widths is 512, expected a list of whole numbers, [512, 256]", done.stderr)


if __name__ == "__main__":
    unittest.main()
