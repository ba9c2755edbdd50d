#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""genexx tune through the program: its files, alone and joint trials, resuming, halving, mistakes."""
import csv
import json
import os
import shutil
import signal
import subprocess
import time
import unittest

from program import PROGRAM, ProgramTest, genexx

SPACE = ["--set", "tune.units.values=[12, 24]", "--set", "tune.layers.high=2", "--set", "tune.batch.values=[32]",
         "--set", "train.epochs=20"]
EXPLOSIVE = ["--set", "train.optimizer=sgd", "--set", "network.batch_norm=false", "--set", "prepare.scaling=none", "--set",
             "prepare.logarithm=false", "--set", "tune.weight_decay.low=0.1"]  # a step of rate 1000 multiplies weights by -99


def search(trials=7, epochs=5, threads=2, rates=("--set", "tune.learning_rate.low=1e-4")):
    return [*SPACE, *rates, "--trials", trials, "--epochs", epochs, "--seed", 3, "--threads", threads]


def rows(path):
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def without(row, *names):
    return {name: value for name, value in row.items() if name not in names}


def weights(path):
    with open(path, "rb") as file:
        file.read(int.from_bytes(file.read(8), "little"))
        return file.read()


class Tune(ProgramTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.data = cls.path("cells.h5ad")
        cls.must("simulate", "--kind", "cells", "--cells", 400, "--genes", 300, "--types", 4, "--separation", 1.5, "--seed", 1,
                 "--out", cls.data)
        cls.must(*cls.words("run"), *search())

    @classmethod
    def words(cls, out, model="fly", label="cell_type"):
        return ["tune", cls.data, "--model", model, "--label", label, "--out", cls.path(out)]

    def json(self, *names):
        with open(self.path(*names), encoding="utf-8") as file:
            return json.load(file)

    def trials(self, out):
        return rows(self.path(out, "tune.tsv"))

    def history(self, out, trial):
        return [without(row, "seconds", "trial", "replica") for row in rows(self.path(out, "tune_history.tsv")) if row["trial"] == str(trial)]

    def logged(self, out, event):
        with open(self.path(out, "log.jsonl"), encoding="utf-8") as file:
            whole = [line for line in file if line.endswith("\n")]  # the last one may be being written
        return [line for line in map(json.loads, whole) if line["event"] == event]

    def test_it_leaves_the_files_of_a_training_and_those_of_the_search(self):
        files = os.listdir(self.path("run"))

        for name in ("model.safetensors", "metrics.json", "history.tsv", "predictions.tsv", "split.json", "config.json", "report.html",
                     "log.jsonl", "tune.tsv", "tune_history.tsv", "tune.json", "best.json"):
            self.assertIn(name, files)
        metrics = self.json("run", "metrics.json")
        self.assertGreater(metrics["test"]["accuracy"], 0.8)
        self.assertEqual(metrics["tune"]["trials"], 7)
        self.assertEqual(self.json("run", "config.json"), self.json("run", "best.json"))

    def test_the_table_has_a_line_a_trial_within_the_ranges(self):
        trials = self.trials("run")

        self.assertEqual([row["trial"] for row in trials], [str(k) for k in range(7)])
        self.assertEqual(sorted(int(row["rank"]) for row in trials), list(range(1, 8)))
        for row in trials:
            self.assertTrue(1e-4 <= float(row["learning_rate"]) <= 1e-2 and 1e-6 <= float(row["weight_decay"]) <= 0.1, row)
            self.assertIn((row["layers"], row["units"], row["batch"]), {(n, u, "32") for n in "12" for u in ("12", "24")})
            self.assertTrue(0 <= float(row["dropout"]) <= 0.5, row)
            self.assertEqual((row["epochs"], row["state"]), ("5", "done"))
            epochs = self.history("run", row["trial"])
            self.assertEqual(len(epochs), 5)
            best = epochs[int(row["best_epoch"]) - 1]
            self.assertEqual(row["accuracy"], max((e["validation_accuracy"] for e in epochs), key=float))
            self.assertEqual((row["accuracy"], row["macro_f1"], row["validation_loss"]),
                             (best["validation_accuracy"], best["validation_macro_f1"], best["validation_loss"]))
        ordered = sorted(trials, key=lambda row: int(row["rank"]))
        figures = [(-float(row["accuracy"]), float(row["validation_loss"])) for row in ordered]
        self.assertEqual(figures, sorted(figures))

    def test_trials_of_one_shape_are_one_group(self):
        shapes = {}
        for row in self.trials("run"):
            shapes.setdefault(row["group"], set()).add((row["layers"], row["units"], row["batch"]))

        self.assertTrue(all(len(of_group) == 1 for of_group in shapes.values()), shapes)
        self.assertEqual(len(set.union(*shapes.values())), len(shapes))

    def test_best_json_trains_the_same_model(self):
        best = min(self.trials("run"), key=lambda row: int(row["rank"]))
        config = self.json("run", "best.json")

        self.must("train", self.data, "--model", "fly", "--label", "cell_type", "--config", self.path("run", "best.json"), "--seed", 3,
                  "--out", self.path("again"))

        self.assertEqual(config["network"]["widths"], [int(best["units"])] * int(best["layers"]))
        self.assertEqual(config["train"]["learning_rate"], float(best["learning_rate"]))
        self.assertEqual(config["network"]["dropout"], float(best["dropout"]))
        self.assertEqual(weights(self.path("again", "model.safetensors")), weights(self.path("run", "model.safetensors")))

    def test_a_trial_alone_gives_what_it_gives_in_its_group(self):
        trials = self.trials("run")
        number = next(row["trial"] for row in trials if sum(other["group"] == row["group"] for other in trials) > 1)
        self.must(*self.words("alone"), *search(), "--only-trial", number, "--no-refit")
        row = trials[int(number)]
        with open(self.path("trial.json"), "w", encoding="utf-8") as file:
            json.dump({"network": {"widths": [int(row["units"])] * int(row["layers"]), "dropout": float(row["dropout"])},
                       "train": {"learning_rate": float(row["learning_rate"]), "weight_decay": float(row["weight_decay"]),
                                 "batch": int(row["batch"]), "epochs": 5}}, file)
        self.must("train", self.data, "--model", "fly", "--label", "cell_type", "--config", self.path("trial.json"), "--seed", 3, "--out",
                  self.path("trained"))

        self.assertEqual([without(one, "group", "rank") for one in self.trials("alone")], [without(row, "group", "rank")])
        self.assertEqual(self.history("alone", number), self.history("run", number))
        trained = [without(one, "seconds", "replica") for one in rows(self.path("trained", "history.tsv"))]
        self.assertEqual(trained, self.history("run", number))

    def test_how_many_train_together_changes_nothing(self):
        self.must(*self.words("single"), *search(threads=1), "--no-refit", "--set", "tune.together=1")

        self.assertEqual(self.trials("single"), self.trials("run"))

    def test_a_search_can_go_on_with_more_trials(self):
        self.must(*self.words("longer"), *search(trials=4), "--no-refit")
        few = [without(row, "rank") for row in self.trials("longer")]
        self.must(*self.words("longer"), *search(), "--no-refit", "--resume")

        self.assertEqual(self.trials("longer"), self.trials("run"))
        self.assertEqual(few, [without(row, "rank") for row in self.trials("run")][:4])
        self.assertEqual(sorted(line["trial"] for line in self.logged("longer", "trial")), list(range(7)))

    def test_without_refit_there_is_a_report_but_no_model(self):
        self.must(*self.words("bare"), *search(trials=2, epochs=1), "--no-refit")

        self.assertFalse(os.path.exists(self.path("bare", "model.safetensors")))
        self.assertEqual(self.json("bare", "metrics.json")["tune"]["trials"], 2)
        with open(self.path("bare", "report.html"), encoding="utf-8") as file:
            self.assertIn('"tuning"', file.read())

    def stop_and_resume(self, out, words, ready):
        """Runs until `ready()`, stops, resumes to the end."""
        process = subprocess.Popen([PROGRAM, *map(str, [*self.words(out), *words])], stderr=subprocess.PIPE, text=True)
        while process.poll() is None and not ready():
            time.sleep(0.01)
        process.send_signal(signal.SIGTERM)
        message = process.communicate(timeout=300)[1]
        self.assertEqual(process.returncode, 6, message)
        self.assertIn("go on with --resume", message)
        self.must(*self.words(out), *words, "--resume")

    def test_stopped_and_resumed_it_ends_as_if_it_had_not_been(self):
        words = search(trials=4, epochs=60)
        for halving in ([], ["--halving", 2]):
            with self.subTest(halving=halving):
                shutil.rmtree(self.path("stopped"), ignore_errors=True)
                self.must(*self.words("whole"), *words, *halving, "--overwrite")
                self.stop_and_resume("stopped", [*words, *halving], lambda: os.path.exists(self.path("stopped", "log.jsonl")) and
                                     self.logged("stopped", "trial"))

                self.assertEqual(self.trials("stopped"), self.trials("whole"))
                self.assertEqual(weights(self.path("stopped", "model.safetensors")), weights(self.path("whole", "model.safetensors")))
                self.assertEqual(sorted(line["trial"] for line in self.logged("stopped", "trial")),
                                 sorted(line["trial"] for line in self.logged("whole", "trial")))
                self.assertEqual([name for name in os.listdir(self.path("stopped", "checkpoint")) if name.startswith("trials-from")], [])

    def test_halving_ends_trials_early_and_leaves_the_others_as_they_are(self):
        self.must(*self.words("halved"), *search(), "--halving", 2, "--no-refit")

        trials = self.trials("halved")
        self.assertEqual(sorted((row["epochs"], row["state"]) for row in trials),
                         [("1", "halved")] * 4 + [("2", "halved")] * 2 + [("5", "done")])
        self.assertEqual(next(row["state"] for row in trials if row["rank"] == "1"), "done")
        for row in trials:
            self.assertEqual(self.history("halved", row["trial"]), self.history("run", row["trial"])[:int(row["epochs"])])

    def test_a_trial_that_diverges_stops_alone(self):
        rates = ["--set", "tune.learning_rate.distribution=choice", "--set", "tune.learning_rate.values=[1e-5, 1000]"]
        self.must(*self.words("diverged", model="mlp"), *search(rates=rates), *EXPLOSIVE)

        trials = self.trials("diverged")
        self.assertEqual({row["state"] for row in trials if row["learning_rate"] == "1000"}, {"diverged"})
        self.assertEqual({row["state"] for row in trials if row["learning_rate"] == "1e-05"}, {"done"})
        self.assertEqual(next(row["learning_rate"] for row in trials if row["rank"] == "1"), "1e-05")

    def test_where_all_diverge_there_is_no_model(self):
        rates = ["--set", "tune.learning_rate.low=900", "--set", "tune.learning_rate.high=1000"]
        done = genexx(*self.words("hopeless", model="mlp"), *search(rates=rates), *EXPLOSIVE)

        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("every trial diverged", done.stderr)

    def test_mistakes_are_named(self):
        for words, code, text in (
                (["--set", "tune.trails=3"], 2, "there is no key 'tune.trails'; did you mean 'tune.trials'?"),
                (["--set", "tune.learning_rate.low=1"], 2, "tune.learning_rate.low is 1, above its high, 0.01"),
                (["--set", "tune.units.values=[8]", "--set", "tune.units.distribution=uniform"], 2, "tune.units.values is given"),
                (["--set", "tune.units.low=8"], 2, "set tune.units.distribution to uniform or log_uniform"),
                (["--set", "tune.layers.values=[1, 2]"], 2, "tune.layers.distribution is 'uniform', which takes low and high"),
                (["--set", "tune.dropout.high=1"], 2, "tune.dropout.high is 1, expected at least 0, below 1"),
                (["--set", "tune.batch.values=32"], 2, "tune.batch.values is 32, expected a list of whole numbers"),
                (["--set", "tune.score=speed"], 2, "tune.score is 'speed', expected one of accuracy, macro_f1, loss"),
                (["--set", "train.epohcs=5"], 2, "train.epochs"),
                (["--set", "split.validation=0"], 2, "split.validation is 0"),
                (["--trials", 0], 2, "tune.trials is 0"),
                (["--halving", 1], 2, "tune.halving is 1")):
            with self.subTest(words=words):
                done = genexx(*self.words("never"), *words)
                self.assertEqual(done.returncode, code, done.stderr)
                self.assertIn(text, done.stderr)
                self.assertFalse(os.path.exists(self.path("never")))

    def test_a_system_without_a_search_and_a_missing_label_are_refused(self):
        system = genexx(*self.words("never", model="scannonet"))
        label = genexx(*self.words("never", label="nothing"))

        self.assertEqual((system.returncode, label.returncode), (2, 4), system.stderr + label.stderr)
        self.assertIn("--model", system.stderr)
        self.assertIn("nothing", label.stderr)

    def test_a_directory_in_use_and_another_search_are_refused(self):
        there = genexx(*self.words("run"), *search())
        other = genexx(*self.words("run"), *search(epochs=6), "--resume")

        self.assertEqual((there.returncode, other.returncode), (2, 2), there.stderr + other.stderr)
        self.assertIn("belongs to another run: its config differs", other.stderr)

    def test_a_given_value_that_is_drawn_is_warned_about(self):
        done = self.must(*self.words("dry"), *search(), "--set", "train.learning_rate=0.5", "--dry-run")

        self.assertIn("warning: train.learning_rate is drawn for every trial", done.stderr)
        self.assertFalse(os.path.exists(self.path("dry")))

    def test_a_configuration_printed_is_one_that_can_be_given(self):
        shown = self.must(*self.words("shown"), *search(), "--dump-config").stdout
        with open(self.path("shown.json"), "w", encoding="utf-8") as file:
            file.write(shown)
        again = self.must(*self.words("shown"), "--config", self.path("shown.json"), "--dump-config").stdout

        self.assertEqual(json.loads(again), json.loads(shown))
        self.assertEqual(json.loads(shown)["tune"]["trials"], 7)


if __name__ == "__main__":
    unittest.main()
