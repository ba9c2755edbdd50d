#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the options of the verbs promise, one by one, by running the program."""
import csv
import json
import os
import shutil
import signal
import subprocess
import time
import unittest

from program import PROGRAM, ProgramTest, genexx

SHORT = ["--set", "train.epochs=6", "--set", "train.pretrain_epochs=1", "--seed", 5, "--threads", 2]


def table(path):
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t" if path.endswith(".tsv") else ","))


def read_json(*path):
    with open(os.path.join(*path), encoding="utf-8") as file:
        return json.load(file)


class Options(ProgramTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.data = os.path.join(cls.folder, "cells.h5ad")
        cls.run_directory = os.path.join(cls.folder, "run")
        cls.must("simulate", "--cells", 500, "--genes", 500, "--types", 3, "--donors", 9, "--separation", 1.5, "--seed", 4, "--out", cls.data)
        cls.must("train", cls.data, "--label", "cell_type", "--out", cls.run_directory, "--replicas", 2, *SHORT)
        cls.must("predict", cls.run_directory, cls.data, "--out", os.path.join(cls.folder, "all.tsv"))
        cls.names = [row["cell"] for row in table(os.path.join(cls.folder, "all.tsv"))]

    def train(self, out, *more, label="cell_type"):
        return self.must("train", self.data, "--label", label, "--out", self.path(out), *SHORT, *more)

    def groups(self):
        """Donor of each cell: a model trained to tell donors apart writes them as the truth of its predictions."""
        judged = self.path("donors")
        if not os.path.exists(judged):
            self.must("train", self.data, "--label", "donor", "--out", self.path("donor_run"), "--folds", 2, "--set", "train.epochs=1",
                      "--set", "train.pretrain_epochs=0", "--set", "select.min_log2_fold_change=0.01")
            os.rename(self.path("donor_run"), judged)
        return {row["cell"]: row["true"] for row in table(os.path.join(judged, "predictions.tsv"))}

    def test_options_of_another_system_are_refused_not_ignored(self):
        listed = self.path("landmarks.txt")
        with open(listed, "w", encoding="utf-8") as file:
            file.write("a\n")
        for model, words, option in (("dgex", ("--label", "cell_type"), "--label"), ("dgex", ("--group", "donor"), "--group"),
                                     ("dgex", ("--exclude-label", "B"), "--exclude-label"), ("dgex", ("--batch", "b"), "--batch"),
                                     ("dgex", ("--pairs", "cortex"), "--pairs"), ("fly", ("--human", "h.h5ad"), "--human"),
                                     ("fly", ("--landmarks", listed), "--landmarks"), ("mlp", ("--gene-list", "g.csv"), "--gene-list"),
                                     ("transbrain", ("--landmarks", listed), "--landmarks"),
                                     ("scannonet", ("--skip-absent-pairs",), "--skip-absent-pairs")):
            with self.subTest(model=model, option=option):
                done = genexx("train", self.data, "--model", model, "--out", self.path("other"), *words)
                self.assertEqual(done.returncode, 2, done.stderr)
                self.assertIn(f"{option} is not for --model {model}", done.stderr)
                self.assertFalse(os.path.exists(self.path("other")))

    def test_refit_adds_a_model_of_all_folds_and_its_records(self):
        done = self.train("refit", "--folds", 3, "--refit", "--replicas", 2)

        self.assertIn("refit", done.stderr)
        split = read_json(self.path("refit"), "refit", "split.json")["splits"][0]
        self.assertEqual(split["test"], [])
        self.assertEqual(sorted(split["train"] + split["validation"]), list(range(500)))
        metrics = read_json(self.path("refit"), "metrics.json")
        self.assertEqual(len(metrics["test"]["replicas"]), 3)
        self.assertEqual(len(metrics["refit"]["train"]["replicas"]), 2)
        self.assertEqual(len(table(self.path("refit", "predictions.tsv"))), 500)
        self.assertEqual({row["replica"] for row in table(self.path("refit", "refit", "history.tsv"))}, {"0", "1"})
        self.must("predict", self.path("refit"), self.data, "--out", self.path("refit.tsv"))
        self.assertEqual(len(table(self.path("refit.tsv"))), 500)

    def test_refit_and_replicas_are_refused_where_they_mean_nothing(self):
        for words, text in ((["--refit"], "--folds"), (["--folds", 3, "--replicas", 2], "--refit")):
            done = genexx("train", self.data, "--label", "cell_type", "--out", self.path("never"), *words)
            self.assertEqual(done.returncode, 2, done.stderr)
            self.assertIn(text, done.stderr)

    def test_a_run_stopped_while_refitting_resumes_to_the_same_model(self):
        self.stopped_and_resumed("refit", "--folds", 2, "--refit", "--set", "train.retrain=no")

    def test_a_run_stopped_while_training_with_the_validation_cells_resumes_to_the_same_model(self):
        self.stopped_and_resumed("state_all_cells", "--set", "train.retrain=yes")
        phases = {row["phase"] for row in table(self.path("whole", "history.tsv"))}
        self.assertEqual(phases, {"pretrain", "train", "pretrain, all cells", "train, all cells"})

    def stopped_and_resumed(self, checkpoint, *options):
        words = ["train", self.data, "--label", "cell_type", *options, "--replicas", 2, "--seed", 5, "--set",
                 "train.epochs=400", "--set", "train.patience=0", "--set", "train.pretrain_epochs=1", "--threads", 2]
        for folder in ("stopped", "whole"):
            shutil.rmtree(self.path(folder), ignore_errors=True)
        process = subprocess.Popen([PROGRAM, *map(str, words), "--out", self.path("stopped")], stderr=subprocess.PIPE, text=True)
        while process.poll() is None and not os.path.exists(self.path("stopped", "checkpoint", checkpoint + ".safetensors")):
            time.sleep(0.01)
        process.send_signal(signal.SIGUSR1)
        message = process.communicate(timeout=300)[1]
        self.assertEqual(process.returncode, 6, message)
        self.assertIn("SIGUSR1", message)

        self.must(*words, "--out", self.path("stopped"), "--resume")
        self.must(*words, "--out", self.path("whole"))

        weights = []
        for out in ("stopped", "whole"):
            with open(self.path(out, "model.safetensors"), "rb") as file:
                length = int.from_bytes(file.read(8), "little")
                file.read(length)
                weights.append(file.read())
        self.assertEqual(*weights)

    def test_a_stopped_run_keeps_its_last_completed_epoch(self):
        words = ["train", self.data, "--label", "cell_type", "--out", self.path("epochs"), "--replicas", 2, "--set", "train.epochs=100000", "--set",
                 "train.patience=0", "--set", "train.pretrain_epochs=1", "--threads", 2, "--time-limit", 4]
        done = genexx(*words)

        self.assertEqual(done.returncode, 6, done.stderr)
        self.assertIn("the time limit", done.stderr)
        with open(self.path("epochs", "checkpoint", "state.safetensors"), "rb") as file:
            header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
        saved = json.loads(header["__metadata__"]["state"])
        with open(self.path("epochs", "log.jsonl"), encoding="utf-8") as file:
            completed = [line["epoch"] for line in map(json.loads, file) if line["event"] == "epoch" and line["phase"] == "train"]
        self.assertEqual(saved["epochs_done"] if saved["phase"] == 1 else 0, max(completed))

    def test_repeated_cell_names_are_kept_with_one_warning_that_counts_them(self):
        lines = [f"cell{i % 90},{i % 5},{(i * 7) % 3},{1 + i % 2},{3 * (i % 2)},{5 * (1 - i % 2)}\n" for i in range(120)]
        with open(self.path("repeated.csv"), "w", encoding="utf-8") as file:
            file.write("cell,geneA,geneB,geneC,geneD,geneE\n" + "".join(lines))
        with open(self.path("repeated.txt"), "w", encoding="utf-8") as file:
            file.write("".join(f"cell{i}\t{'ab'[i % 2]}\n" for i in range(90)))

        done = self.must("train", self.path("repeated.csv"), "--orientation", "cells-rows", "--labels", self.path("repeated.txt"), "--out",
                         self.path("repeated"), "--replicas", 1, *SHORT)
        again = self.must("predict", self.path("repeated"), self.path("repeated.csv"), "--orientation", "cells-rows", "--out",
                          self.path("repeated.tsv"))

        for message in (done.stderr, again.stderr):
            self.assertEqual(message.count("warning: 30 cells have the name of an earlier cell (the first is 'cell0'); all are kept"), 1, message)
        self.assertEqual(len(table(self.path("repeated.tsv"))), 120)

    def test_a_model_knows_its_genes_by_name_and_by_identifier(self):
        self.must("convert", self.data, self.path("plain.csv"))
        cells = table(self.path("plain.csv"))
        first, *genes = list(cells[0])
        tenx = self.path("tenx")
        os.makedirs(tenx)
        entries = [(j + 1, i + 1, cell[gene]) for i, cell in enumerate(cells) for j, gene in enumerate(genes) if float(cell[gene])]
        lines = {"features.tsv": "".join(f"ENSG{j:011d}\t{gene}\tGene Expression\n" for j, gene in enumerate(genes)),
                 "barcodes.tsv": "".join(cell[first] + "\n" for cell in cells),
                 "matrix.mtx": f"%%MatrixMarket matrix coordinate integer general\n{len(genes)} {len(cells)} {len(entries)}\n"
                               + "".join(f"{j} {i} {int(float(value))}\n" for j, i, value in entries),
                 "by_id.csv": ",".join(["cell", *(f"ENSG{j:011d}" for j in range(len(genes)))]) + "\n"
                              + "".join(",".join(cell.values()) + "\n" for cell in cells)}
        for name, text in lines.items():
            with open(os.path.join(tenx, name), "w", encoding="utf-8") as file:
                file.write(text)
        with open(self.path("types.txt"), "w", encoding="utf-8") as file:
            file.write("".join(f"{cell[first]}\t{'ab'[float(cell[genes[0]]) > 0 or i % 2]}\n" for i, cell in enumerate(cells)))
        by_id = shutil.move(os.path.join(tenx, "by_id.csv"), self.path("by_id.csv"))

        self.must("train", tenx, "--labels", self.path("types.txt"), "--out", self.path("named"), "--replicas", 1, "--set",
                  "select.min_log2_fold_change=0.01", *SHORT)
        for data, out in ((self.path("plain.csv"), "by_name.tsv"), (by_id, "by_id.tsv")):
            self.must("predict", self.path("named"), data, "--orientation", "cells-rows", "--out", self.path(out))

        self.assertEqual(table(self.path("by_name.tsv")), table(self.path("by_id.tsv")))

    def test_group_keeps_every_donor_in_one_part(self):
        donor = self.groups()
        for words in ([], ["--folds", 3]):
            with self.subTest(words=words):
                shutil.rmtree(self.path("grouped"), ignore_errors=True)
                self.train("grouped", "--group", "donor", *words)

                split = read_json(self.path("grouped"), "split.json")
                tested = []
                for part in split["splits"]:
                    donors = {name: {donor[split["cells"][row]] for row in part[name]} for name in ("train", "validation", "test")}
                    self.assertTrue(all(donors.values()), donors)
                    self.assertFalse(donors["train"] & donors["validation"] or donors["train"] & donors["test"]
                                     or donors["validation"] & donors["test"], donors)
                    tested += part["test"]
                self.assertEqual(len(tested), len(set(tested)))

    def test_split_by_batch_trains_on_the_first_and_tests_on_the_second(self):
        done = genexx("train", self.data, "--label", "cell_type", "--out", self.path("batchless"), "--set", "split.kind=batch")
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertIn("--batch", done.stderr)

        self.train("batch", "--batch", "donor", "--set", "split.kind=batch", "--replicas", 1)

        donor, split = self.groups(), read_json(self.path("batch"), "split.json")
        part = split["splits"][0]
        self.assertEqual({donor[split["cells"][row]] for row in part["test"]}, {"donor_1"})
        self.assertEqual({donor[split["cells"][row]] for row in part["train"] + part["validation"]}, {"donor_0"})

    def test_limit_cells_reads_only_the_first(self):
        self.train("few", "--limit-cells", 200, "--replicas", 1)
        self.must("predict", self.run_directory, self.data, "--limit-cells", 7, "--out", self.path("few.tsv"))

        self.assertEqual(read_json(self.path("few"), "split.json")["cells"], self.names[:200])
        self.assertEqual([row["cell"] for row in table(self.path("few.tsv"))], self.names[:7])

    def test_excluded_labels_take_no_part(self):
        types = {row["true"] for row in table(os.path.join(self.run_directory, "predictions.tsv"))}
        left_out = sorted(types)[0]

        self.train("excluded", "--exclude-label", left_out, "--replicas", 1)

        header = list(table(self.path("excluded", "predictions.tsv"))[0])
        self.assertEqual({name[2:] for name in header if name.startswith("p:")}, types - {left_out})

    def test_predictions_go_into_a_copy_or_the_file_itself_under_the_name_asked_for(self):
        own = shutil.copy(self.data, self.path("own.h5ad"))
        self.must("predict", self.run_directory, own, "--in-place", "--obs-key", "kind")
        self.must("predict", self.run_directory, self.data, "--out", self.path("copy.h5ad"), "--obs-key", "kind")
        again = genexx("predict", self.run_directory, own, "--in-place", "--obs-key", "kind")
        both = genexx("predict", self.run_directory, own, "--in-place", "--out", self.path("both.h5ad"))

        for path in (own, self.path("copy.h5ad")):
            columns = json.loads(self.must("inspect", path, "--json").stdout)["cell_columns"]
            for name in ("cell_type", "kind", "kind_probability", "kind_margin"):
                self.assertIn(name, columns)
            self.assertNotIn("genexx_label", columns)
        self.assertNotIn("kind", json.loads(self.must("inspect", self.data, "--json").stdout)["cell_columns"])
        self.assertEqual((again.returncode, both.returncode), (2, 2), again.stderr + both.stderr)
        self.assertIn("--overwrite", again.stderr)
        self.must("predict", self.run_directory, own, "--in-place", "--obs-key", "kind", "--overwrite")

    def test_settings_come_by_precedence(self):
        with open(self.path("config.json"), "w", encoding="utf-8") as file:
            json.dump({"train": {"epochs": 7, "dropout": 0.25}}, file)
        shown = json.loads(self.must("train", self.data, "--preset", "Zheng 68K", "--config", self.path("config.json"), "--set", "train.epochs=9",
                                     "--dump-config").stdout)

        self.assertEqual(shown["train"]["epochs"], 9)
        self.assertEqual(shown["train"]["dropout"], 0.25)
        self.assertNotEqual(shown["train"]["batch"], 0)  # the preset's

    def test_a_dry_run_says_what_it_would_take_and_writes_nothing(self):
        done = self.must("train", self.data, "--label", "cell_type", "--out", self.path("dry"), "--dry-run")

        self.assertRegex(done.stderr, r"3 classes, \d+ genes chosen, \d+ cells to train on.* MB of memory")
        self.assertFalse(os.path.exists(self.path("dry")))


if __name__ == "__main__":
    unittest.main()
