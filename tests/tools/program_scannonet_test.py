#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The whole job of scAnnoNet through the program: simulate, train, predict, evaluate, embed, stop and resume."""
import csv
import json
import os
import signal
import subprocess
import time
import unittest

from program import PROGRAM, ProgramTest, genexx

QUICK = ["--set", "train.epochs=40", "--set", "train.pretrain_epochs=2", "--replicas", "2", "--seed", "3", "--threads", "2"]
DIRECTORY = ["model.safetensors", "config.json", "metrics.json", "history.tsv", "predictions.tsv", "split.json", "report.html",
             "log.jsonl", "gene_list.csv", "feature_list.csv", "result.csv"]


def table(path):
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t" if path.endswith(".tsv") else ","))


class Scannonet(ProgramTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.data = os.path.join(cls.folder, "cells.h5ad")
        cls.run_directory = os.path.join(cls.folder, "run")
        cls.must("simulate", "--kind", "cells", "--cells", 700, "--genes", 900, "--types", 4, "--separation", 1.5, "--seed", 1,
                 "--out", cls.data)
        cls.must("train", cls.data, "--label", "cell_type", "--out", cls.run_directory, *QUICK)
        cls.model = os.path.join(cls.run_directory, "model.safetensors")

    def test_a_training_directory_holds_every_file(self):
        for name in DIRECTORY:
            with self.subTest(name=name):
                self.assertGreater(os.path.getsize(os.path.join(self.run_directory, name)), 0)

    def test_metrics_have_the_fields_of_the_contract_and_the_model_has_learned(self):
        with open(os.path.join(self.run_directory, "metrics.json"), encoding="utf-8") as file:
            metrics = json.load(file)

        for part in ("test", "train", "validation"):
            for field in ("accuracy", "balanced_accuracy", "macro_f1", "weighted_f1", "precision", "recall", "sensitivity",
                          "specificity", "auroc", "auprc", "per_class", "sd", "replicas"):
                self.assertIn(field, metrics[part])
            self.assertEqual(len(metrics[part]["replicas"]), 2)
        for stage in ("read", "prepare", "train", "test"):
            self.assertGreaterEqual(metrics["seconds"][stage], 0)
        self.assertGreater(metrics["test"]["accuracy"], 0.8)

    def test_predictions_are_probabilities_of_the_test_cells(self):
        rows = table(os.path.join(self.run_directory, "predictions.tsv"))
        with open(os.path.join(self.run_directory, "split.json"), encoding="utf-8") as file:
            split = json.load(file)

        self.assertEqual(len(rows), len(split["splits"][0]["test"]))
        for row in rows:
            p = [float(value) for name, value in row.items() if name.startswith("p:")]
            self.assertAlmostEqual(sum(p), 1, places=4)
            self.assertAlmostEqual(max(p), float(row["probability"]), places=6)
            self.assertEqual(row["predicted"], max((n for n in row if n.startswith("p:")), key=lambda n: float(row[n]))[2:])

    def test_the_history_has_a_line_an_epoch_and_replica(self):
        rows = table(os.path.join(self.run_directory, "history.tsv"))

        # Few validation cells: once more with them, as many epochs as each replica chose.
        again = {"pretrain, all cells", "train, all cells"}
        self.assertEqual({row["phase"] for row in rows}, {"pretrain", "train", *again})
        self.assertEqual(len([row for row in rows if row["phase"] not in again]), 2 * (2 + 40))
        for replica in "01":
            chosen = max(int(row["epoch"]) for row in rows if row["phase"] == "train" and row["replica"] == replica and row["best"] == "1")
            trained = [row for row in rows if row["phase"] == "train, all cells" and row["replica"] == replica]
            self.assertEqual(len(trained), chosen)

    def test_the_same_seed_gives_the_same_model_for_any_number_of_threads(self):
        again = self.path("again")

        self.must("train", self.data, "--label", "cell_type", "--out", again, *QUICK[:-1], 1)

        mine, other = (self.weights(os.path.join(d, "model.safetensors")) for d in (self.run_directory, again))
        self.assertEqual(mine, other)

    @staticmethod
    def weights(path):
        with open(path, "rb") as file:
            length = int.from_bytes(file.read(8), "little")
            header = json.loads(file.read(length))
            body = file.read()
        return {name: body[t["data_offsets"][0]:t["data_offsets"][1]] for name, t in header.items() if name != "__metadata__"}

    def test_predict_evaluate_and_embed_work_from_the_model_alone(self):
        self.must("predict", self.model, self.data, "--out", self.path("p.tsv"))
        self.must("predict", self.model, self.data, "--out", self.path("p.h5ad"))
        self.must("evaluate", self.model, self.data, "--label", "cell_type", "--out", self.path("judged"))
        self.must("embed", self.model, self.data, "--out", self.path("e.csv"), "--group-by", "cell_type")

        self.assertEqual(len(table(self.path("p.tsv"))), 700)
        described = json.loads(self.must("inspect", self.path("p.h5ad"), "--json").stdout)
        self.assertIn("genexx_label", described["cell_columns"])
        self.assertIn("genexx_label_probability", described["cell_columns"])
        with open(os.path.join(self.path("judged"), "metrics.json"), encoding="utf-8") as file:
            self.assertGreater(json.load(file)["test"]["accuracy"], 0.8)
        self.assertEqual([row["region_id"] for row in table(self.path("e.csv"))], ["type_00", "type_01", "type_02", "type_03"])

    def test_unknown_cells_are_rejected_only_when_asked(self):
        self.must("predict", self.model, self.data, "--out", self.path("sure.tsv"))
        self.must("predict", self.model, self.data, "--out", self.path("unsure.tsv"), "--unknown-label", "unknown",
                  "--unknown-threshold", 0.9999)

        self.assertNotIn("unknown", {row["predicted"] for row in table(self.path("sure.tsv"))})
        self.assertIn("unknown", {row["predicted"] for row in table(self.path("unsure.tsv"))})

    def test_folds_judge_every_cell_out_of_fold_and_write_no_model(self):
        out = self.path("folds")

        self.must("train", self.data, "--label", "cell_type", "--folds", 3, "--out", out, *QUICK[:4], "--seed", 3)

        self.assertFalse(os.path.exists(os.path.join(out, "model.safetensors")))
        self.assertEqual(len(table(os.path.join(out, "predictions.tsv"))), 700)

    def test_a_stopped_run_exits_6_and_resumes_to_the_same_weights(self):
        out = self.path("stopped")
        words = ["train", self.data, "--label", "cell_type", "--out", out, "--set", "train.epochs=2000", "--set", "train.pretrain_epochs=2",
                 "--set", "train.patience=0", "--replicas", "2", "--seed", "3"]
        process = subprocess.Popen([PROGRAM, *words], stderr=subprocess.PIPE, text=True)
        while process.poll() is None and not os.path.exists(os.path.join(out, "checkpoint", "state.safetensors")):
            time.sleep(0.01)
        process.send_signal(signal.SIGTERM)
        message = process.communicate(timeout=120)[1]
        self.assertEqual(process.returncode, 6, message)
        self.assertIn("SIGTERM", message)

        self.must(*words, "--resume")
        whole = self.path("whole")
        self.must(*[whole if word == out else word for word in words])

        self.assertEqual(self.weights(os.path.join(out, "model.safetensors")), self.weights(os.path.join(whole, "model.safetensors")))

    def test_the_other_verbs_write_what_they_say(self):
        self.must("select-genes", self.data, "--label", "cell_type", "--out", self.path("genes"))
        self.must("split", self.data, "--label", "cell_type", "--out", self.path("split"))
        self.must("convert", self.data, self.path("c.csv"))
        self.must("convert", self.path("c.csv"), self.path("back.h5ad"), "--orientation", "cells-rows")

        self.assertGreater(len(table(os.path.join(self.path("genes"), "feature_list.csv"))), 10)
        for name in ("Train.h5ad", "Val.h5ad", "Test.h5ad", "label.json"):
            self.assertTrue(os.path.exists(os.path.join(self.path("split"), name)))
        first, second = (json.loads(self.must("inspect", p, "--json").stdout)["matrices"][0] for p in (self.data, self.path("back.h5ad")))
        self.assertEqual((first["cells"], first["genes"], first["kind"]), (second["cells"], second["genes"], second["kind"]))

    def test_dry_run_and_dump_config_write_nothing(self):
        for words in (["--dry-run"], ["--dump-config"]):
            done = self.must("train", self.data, "--label", "cell_type", "--out", self.path("nothing"), *words)
            self.assertFalse(os.path.exists(self.path("nothing")))
        self.assertEqual(json.loads(done.stdout)["train"]["dropout"], 0.5)


if __name__ == "__main__":
    unittest.main()
