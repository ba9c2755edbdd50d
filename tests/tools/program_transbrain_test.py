#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""genexx train --model transbrain: every output, embed and homology on its model, resume, bad input."""
import csv
import json
import os
import shutil
import tempfile
import unittest

from program import genexx

FAST = ["--set", "network.hidden1=32", "--set", "network.hidden2=32", "--set", "network.hidden3=24", "--set",
        "train.learning_rate=2e-3", "--set", "train.batch=32", "--set", "train.epochs=30", "--threads", "2"]


def rows(path):
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


class Transbrain(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        done = genexx("simulate", "--kind", "regions", "--out", cls.path("sim"), "--regions", 14, "--mouse-regions", 9, "--genes",
                      120, "--samples", 4, "--cells-per-sample", 4, "--species-shift", 1.3, "--seed", 2)
        assert done.returncode == 0, done.stderr
        cls.done = cls.train("out", "--seed", 5)

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    @classmethod
    def path(cls, *names):
        return os.path.join(cls.folder.name, *names)

    @classmethod
    def train(cls, out, *words, data="sim", fast=FAST):
        return genexx("train", "--model", "transbrain", cls.path(data), "--out", cls.path(out), "--replicas", 2, *fast, *words)

    def json(self, *names):
        with open(self.path(*names), encoding="utf-8") as file:
            return json.load(file)

    def read(self, *names):
        with open(self.path(*names), "rb") as file:
            return file.read()

    def test_a_simulated_directory_gives_every_output(self):
        self.assertEqual((self.done.returncode, self.done.stdout), (0, ""), self.done.stderr)
        self.assertIn("by raw expression", self.done.stderr)
        files = {os.path.relpath(os.path.join(folder, name), self.path("out"))
                 for folder, _, names in os.walk(self.path("out")) for name in names}
        whole = {"model.safetensors", "config.json", "metrics.json", "history.tsv", "split.json", "report.html", "log.jsonl",
                 "correlation.csv", "human_correlation.csv", "ranks.csv", "components.csv", "summary.json",
                 "checkpoint/state.safetensors"}
        repeat = {"Best_validloss_epoch.safetensors", "Best_rank_epoch.safetensors", "Last_epoch.safetensors",
                  "loss and rank each epoch.csv", "Results/human_embedding.csv", "Results/mouse_embedding.csv"}
        self.assertEqual(files, whole | {f"Data_0/Repeat_{k}/{name}" for k in (0, 1) for name in repeat})
        human = rows(self.path("out", "Data_0", "Repeat_1", "Results", "human_embedding.csv"))
        self.assertEqual(human[0], ["region_id"] + [str(i) for i in range(1, 25)])
        self.assertEqual([line[0] for line in human[1:]], [f"human {i:03}" for i in range(14)])
        self.assertTrue(all(float(x) >= 0 for line in human[1:] for x in line[1:]))
        history = rows(self.path("out", "Data_0", "Repeat_0", "loss and rank each epoch.csv"))
        self.assertEqual(history[0], ["", "epoch", "train_loss", "train_acc", "valid_loss", "valid_acc", "avg_rank"])
        self.assertEqual([line[1] for line in history[1:]], [str(i) for i in range(30)])
        accuracy = [float(line[3]) for line in history[1:]]
        self.assertTrue(all(0 <= share <= 1 for share in accuracy))
        self.assertGreater(accuracy[-1], accuracy[0] + 0.2)

    def test_metrics_say_how_good_it_is_beside_raw_expression_and_chance(self):
        metrics = self.json("out", "metrics.json")

        self.assertIsNone(metrics["test"])
        self.assertGreater(metrics["validation"]["accuracy"], 0.5)
        self.assertEqual(metrics["validation"]["replicas"], 2)
        homology = metrics["homology"]
        self.assertEqual((homology["pairs"], homology["chance_mean_rank"], homology["models"]), (9, 7.5, 2))
        self.assertLess(homology["mean_rank"], homology["raw_expression"]["mean_rank"])
        self.assertEqual(len(homology["mean_rank_of_repeats"]["each"]), 2)
        page = self.read("out", "report.html").decode()
        for part in ("by raw expression", '"homology"', '"mean_rank"', '"history"'):
            self.assertIn(part, page)

    def test_split_keeps_tissue_samples_whole_and_differs_between_repeats(self):
        split = self.json("out", "split.json")
        text = json.dumps(split)

        self.assertIn("_sample0_cell0", text)
        self.assertNotEqual(split["splits"][0], split["splits"][1])

    def test_embed_averages_before_the_network_and_gives_the_bytes_of_the_run(self):
        for repeat in (0, 1):
            for species in ("human", "mouse"):
                done = genexx("embed", self.path("out"), self.path("sim", f"{species.title()}_trans_data.h5ad"), "--group-by",
                              "region_index", "--replica", repeat, "--out", self.path(f"{species}{repeat}.csv"), "--overwrite")
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertEqual(self.read(f"{species}{repeat}.csv"),
                                 self.read("out", "Data_0", f"Repeat_{repeat}", "Results", f"{species}_embedding.csv"))
        # Averages of embedded rows are another thing: ReLU lies between.
        genexx("embed", self.path("out"), self.path("sim", "Human_trans_data.h5ad"), "--out", self.path("each.csv"), "--overwrite")
        each = rows(self.path("each.csv"))
        self.assertGreater(len(each), 15)
        done = genexx("embed", self.path("out"), self.path("sim", "Human_trans_data.h5ad"), "--group-by", "region_index", "--out",
                      self.path("h.npy"), "--overwrite")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.read("h.names.txt").decode().splitlines(), [f"human {i:03}" for i in range(14)])

    def test_evaluate_judges_rows_by_their_region(self):
        done = genexx("evaluate", self.path("out"), self.path("sim", "Integrated_dataset_0.h5ad"), "--label", "region_index", "--out",
                      self.path("judged"))

        self.assertEqual(done.returncode, 0, done.stderr)
        metrics = self.json("judged", "metrics.json")
        self.assertEqual(metrics["unknown_labels"], 0)
        self.assertGreater(metrics["test"]["accuracy"], 0.8)
        confusion = rows(self.path("judged", "confusion.csv"))
        self.assertEqual(confusion[0], ["true"] + [f"human {i:03}" for i in range(14)] + ["rejected"])
        self.assertEqual([line[0] for line in confusion[1:]], confusion[0][1:-1])
        counts = [[int(n) for n in line[1:]] for line in confusion[1:]]
        right = sum(line[i] for i, line in enumerate(counts))
        self.assertEqual(sum(map(sum, counts)), metrics["test"]["cells"])
        self.assertAlmostEqual(right / metrics["test"]["cells"], metrics["test"]["accuracy"], places=12)

    def test_homology_of_the_directory_is_that_of_the_run(self):
        done = genexx("homology", "--human", self.path("out"), "--mouse", self.path("out"), "--pairs", self.path("sim", "homology.csv"),
                      "--seed", 5, "--out", self.path("homology"), "--overwrite")

        self.assertEqual(done.returncode, 0, done.stderr)
        for name in ("correlation.csv", "human_correlation.csv", "ranks.csv"):
            self.assertEqual(self.read("homology", name), self.read("out", name))
        self.assertEqual(self.json("homology", "summary.json")["p_value"], self.json("out", "summary.json")["p_value"])

    def test_files_given_one_by_one_are_the_same_run(self):
        sim = lambda name: self.path("sim", name)
        done = self.train("single", "--seed", 5, "--human", sim("Human_trans_data.h5ad"), "--mouse", sim("Mouse_trans_data.h5ad"),
                          "--pairs", sim("homology.csv"), "--gene-list", sim("genes.csv"), data="sim/Integrated_dataset_0.h5ad")

        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.read("single", "correlation.csv"), self.read("out", "correlation.csv"))

    def test_the_same_seed_gives_the_same_run_and_permuted_labels_a_bad_one(self):
        again = self.train("again", "--seed", 5, "--set", "embed.every_epoch=true")
        control = self.train("control", "--seed", 5, "--set", "train.shuffle_labels=true", "--set", "embed.model=last")

        self.assertEqual((again.returncode, control.returncode), (0, 0), again.stderr + control.stderr)
        self.assertEqual(self.read("again", "correlation.csv"), self.read("out", "correlation.csv"))
        self.assertTrue(os.path.exists(self.path("again", "Data_0", "Repeat_1", "Results", "mouse_embedding_epoch29.csv")))
        self.assertLess(self.json("control", "metrics.json")["validation"]["accuracy"], 0.3)

    def test_limits_to_begin_with_leave_the_last_weights_and_a_warning(self):
        done = self.train("limited", "--set", "train.worst_kept_loss=1e-9", "--set", "train.worst_kept_rank=0.5", "--set",
                          "train.patience=2")

        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("there is no best_valid model of repeat 0, 1", done.stderr)
        folder = self.path("limited", "Data_0", "Repeat_0")
        self.assertFalse(os.path.exists(os.path.join(folder, "Best_validloss_epoch.safetensors")))
        self.assertFalse(os.path.exists(os.path.join(folder, "Best_rank_epoch.safetensors")))
        self.assertEqual(len(rows(os.path.join(folder, "loss and rank each epoch.csv"))), 1 + 2)

    def test_a_stopped_run_goes_on_to_the_same_end(self):
        short = [w.replace("train.epochs=30", "train.epochs=100000") for w in FAST] + ["--set", "train.patience=0"]
        done = self.train("stopped", "--seed", 5, "--time-limit", 1, fast=short)
        self.assertEqual(done.returncode, 6, done.stderr)
        before = len(rows(self.path("stopped", "log.jsonl")))

        again = self.train("stopped", "--seed", 5, "--resume", "--time-limit", 1, fast=short)

        self.assertEqual(again.returncode, 6, again.stderr)
        self.assertGreater(len(rows(self.path("stopped", "log.jsonl"))), before)
        other = self.train("stopped", "--seed", 6, "--resume", fast=short)
        self.assertEqual(other.returncode, 2)
        self.assertIn("belongs to another run", other.stderr)

    def refused(self, *words, data="sim"):
        done = self.train("refused", *words, data=data)
        self.assertFalse(os.path.exists(self.path("refused")), done.stderr)
        return done.returncode, done.stderr

    def write(self, name, text):
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text)
        return self.path(name)

    def test_bad_input_is_named(self):
        genes = rows(self.path("sim", "genes.csv"))
        listed = [line[1] for line in genes[1:]]
        missing = self.write("missing.csv", "genes\n" + "\n".join(listed + ["NOSUCH"]) + "\n")
        twice = self.write("twice.csv", "genes\n" + "\n".join(listed + listed[:1]) + "\n")
        column = self.write("column.csv", "gene\n" + "\n".join(listed) + "\n")
        pairs = self.write("pairs.csv", "human_region,mouse_region\nhuman 099,mouse 001\n")
        cases = [
            (("--gene-list", missing), 4, "1 of 109 listed genes are missing, the first of them 'NOSUCH'"),
            (("--gene-list", twice), 4, "is listed twice"),
            (("--gene-list", column), 3, "there is no column 'genes'"),
            (("--gene-list", self.path("none.csv")), 3, "none.csv"),
            (("--pairs", pairs), 4, "have no region 'human 099'"),
            (("--pairs", "cortex"), 4, "41 of 41 homologous pairs are not in the data"),
            (("--human", self.path("none.h5ad")), 3, "none.h5ad"),
            (("--preset", "cortical"), 4, "network.inputs is 4542, but 108 genes are listed"),
            (("--preset", "cortica"), 2, "did you mean 'cortical'?"),
            (("--set", "train.shuffle_labels=False"), 2, "expected true or false"),
            (("--set", "train.epoch=3"), 2, "did you mean 'train.epochs'"),
            (("--folds", "3"), 2, "--folds is not for transbrain"),
            (("--label", "cell_type"), 4, "there is no column 'cell_type'"),
        ]
        for words, code, message in cases:
            with self.subTest(words=words):
                got = self.refused(*words)
                self.assertEqual(got[0], code, got[1])
                self.assertIn(message, got[1])
        code, message = self.refused(data="sim/Integrated_dataset_0.h5ad")
        self.assertEqual(code, 2)
        self.assertIn("--human FILE is needed", message)

    def test_rows_without_a_tissue_sample_are_refused_and_told_how_to_name_them(self):
        shutil.copytree(self.path("sim"), self.path("unnamed"))
        shutil.copy(self.path("sim", "Human_trans_data.h5ad"), self.path("unnamed", "Integrated_dataset_0.h5ad"))

        code, message = self.refused(data="unnamed")

        self.assertEqual(code, 4)
        self.assertIn("tells no tissue sample", message)
        self.assertIn("--group", message)

    def test_dump_config_and_dry_run_write_nothing(self):
        dumped = genexx("train", "--model", "transbrain", self.path("sim"), "--preset", "shared", "--dump-config")
        dry = self.train("dry", "--dry-run")

        self.assertEqual(json.loads(dumped.stdout)["network"]["inputs"], 5451)
        self.assertEqual(dry.returncode, 0, dry.stderr)
        self.assertFalse(os.path.exists(self.path("dry")))


if __name__ == "__main__":
    unittest.main()
