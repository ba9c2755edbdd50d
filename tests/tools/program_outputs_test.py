#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Outputs: nothing is replaced unasked, nothing old stays beside new results, nothing half-made is left behind."""
import json
import os
import resource
import signal
import subprocess
import time
import unittest

from program import PROGRAM, ProgramTest, genexx

SHORT = ["--replicas", 1, "--set", "train.epochs=2", "--set", "train.pretrain_epochs=1"]


class Outputs(ProgramTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.data = os.path.join(cls.folder, "cells.h5ad")
        cls.run_directory = os.path.join(cls.folder, "run")
        cls.must("simulate", "--cells", 300, "--genes", 400, "--types", 3, "--seed", 2, "--out", cls.data)
        cls.must("train", cls.data, "--label", "cell_type", "--out", cls.run_directory, *SHORT)

    def read(self, *names):
        with open(self.path(*names), "rb") as file:
            return file.read()

    def refused(self, code, text, *words, **options):
        done = genexx(*words, **options)
        self.assertEqual(done.returncode, code, done.stderr)
        self.assertIn(text, done.stderr)
        self.assertNotIn("internal error", done.stderr)

    def test_side_outputs_are_not_replaced_unasked_and_never_the_data(self):
        for name in ("mine.txt", "s.map.tsv", "bench.json"):
            with open(self.path(name), "w") as file:
                file.write("mine")
        self.refused(2, "mine.txt", "predict", self.run_directory, self.data, "--out", self.path("n.tsv"), "--missing-genes", self.path("mine.txt"))
        self.refused(2, "s.map.tsv", "simulate", "--kind", "landmarks", "--samples", 20, "--out", self.path("s.gctx"))
        self.refused(2, "bench.json", "bench", "gate", "--json", self.path("bench.json"), "--seconds", 0.01)
        for name in ("mine.txt", "s.map.tsv", "bench.json"):
            self.assertEqual(self.read(name), b"mine")
        before = self.read("cells.h5ad")
        self.refused(2, "data file itself", "predict", self.run_directory, self.data, "--out", self.path("n.tsv"), "--overwrite", "--missing-genes", self.data)
        self.assertEqual(self.read("cells.h5ad"), before)

    def test_overwriting_a_run_leaves_nothing_of_the_old_one(self):
        out = self.path("again")
        self.must("train", self.data, "--label", "cell_type", "--out", out, *SHORT)
        with open(self.path("again", "notes.txt"), "w") as file:
            file.write("mine")
        self.must("train", self.data, "--label", "cell_type", "--out", out, "--folds", 2, "--overwrite", *SHORT[2:])
        self.assertNotIn("model.safetensors", os.listdir(out))
        self.assertIn("notes.txt", os.listdir(out))
        self.refused(1, "not finite", "train", self.data, "--label", "cell_type", "--out", out, "--overwrite", *SHORT, "--set",
                     "train.learning_rate=1e30", "--set", "train.pretrain_learning_rate=1e30")
        self.assertEqual([name for name in os.listdir(out) if name in ("metrics.json", "report.html", "model.safetensors")], [])

    def test_what_fails_for_want_of_space_can_be_run_again(self):
        def little_space():
            resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))

        for words in (["train", self.data, "--label", "cell_type", *SHORT],
                      ["evaluate", self.run_directory, self.data, "--label", "cell_type"]):
            out = self.path("little_" + words[0])
            self.refused(1, "cannot write", *words, "--out", out, preexec_fn=little_space)
            self.assertFalse(os.path.exists(out))
            self.must(*words, "--out", out)

    def test_a_later_output_that_fails_takes_the_earlier_ones_with_it(self):
        def little_space():
            resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000))

        table = self.path("why.tsv")
        words = ["explain", self.run_directory, self.data, "--limit-cells", 5, "--steps", 2, "--out", table]
        self.refused(1, "cannot write", *words, preexec_fn=little_space)
        self.assertEqual([name for name in os.listdir(self.folder) if name.startswith("why")], [])
        self.must(*words)
        self.assertEqual(sorted(name for name in os.listdir(self.folder) if name.startswith("why")), ["why.report.html", "why.top_genes.tsv", "why.tsv"])

    def test_only_a_training_removes_the_results_of_a_training(self):
        out = self.path("kept")
        self.must("train", self.data, "--label", "cell_type", "--out", out, *SHORT)
        model = self.read("kept", "model.safetensors")
        for words in (["evaluate", out, self.data, "--label", "cell_type"], ["split", self.data, "--label", "cell_type"],
                      ["select-genes", self.data, "--label", "cell_type"]):
            self.refused(2, "not empty", *words, "--out", out)
            self.must(*words, "--out", out, "--overwrite")
            self.assertEqual(self.read("kept", "model.safetensors"), model)
            self.assertIn("history.tsv", os.listdir(out))

    def test_a_place_that_cannot_be_written_is_found_before_the_data_are_read(self):
        place = os.path.join(self.data, "below")  # below a file there is no place, whoever asks
        nothing = self.path("nothing.h5ad")
        for words in (["train", nothing, "--label", "x", "--out", place], ["tune", nothing, "--label", "x", "--out", place],
                      ["evaluate", self.run_directory, nothing, "--label", "x", "--out", place],
                      ["split", nothing, "--label", "x", "--out", place], ["predict", self.run_directory, nothing, "--out", place + ".tsv"],
                      ["convert", nothing, place + ".csv"], ["simulate", "--out", place + ".h5ad"]):
            self.refused(1, "cannot be written", *words)

    def test_names_say_what_simulate_makes(self):
        self.refused(2, "expected a name that ends in .h5ad; genexx convert", "simulate", "--out", self.path("cells.csv"))
        self.refused(2, ".h5ad or .gctx", "simulate", "--kind", "landmarks", "--out", self.path("cells.csv"))
        self.assertFalse(os.path.exists(self.path("cells.csv")))

    def test_reading_options_without_effect_are_refused(self):
        for words in (["inspect", self.data], ["convert", self.data, self.path("c.csv")]):
            for option in (["--label", "cell_type"], ["--batch", "donor"], ["--group", "donor"], ["--min-overlap", 0.5]):
                self.refused(2, f"does not do what {option[0]} asks for", *words, *option)
        self.refused(2, "--time-limit", "inspect", self.data, "--time-limit", 5)

    def test_weights_that_are_no_numbers_are_refused(self):
        with open(self.path("run", "model.safetensors"), "rb") as file:
            length = int.from_bytes(file.read(8), "little")
            header, body = json.loads(file.read(length)), bytearray(file.read())
        del header["__metadata__"]["checksums"]
        begin = header["hidden.0.weight"]["data_offsets"][0]
        body[begin:begin + 4] = b"\x00\x00\xc0\x7f"
        text = json.dumps(header).encode()
        with open(self.path("nan.safetensors"), "wb") as file:
            file.write(len(text).to_bytes(8, "little") + text + body)
        self.refused(3, "hidden.0.weight", "predict", self.path("nan.safetensors"), self.data, "--out", self.path("nan.tsv"))
        self.assertFalse(os.path.exists(self.path("nan.tsv")))

    def test_a_full_standard_output_is_an_error(self):
        for words in (["inspect", self.data], ["info"], ["--version"], ["train", self.data, "--dump-config"]):
            with open("/dev/full", "w") as full:
                done = subprocess.run([PROGRAM, *words], stdout=full, stderr=subprocess.PIPE, text=True)
            self.assertEqual(done.returncode, 1, words)
            self.assertIn("standard output", done.stderr)

    def test_an_interrupted_verb_ends_soon_with_130_and_leaves_nothing(self):
        big = self.path("big.h5ad")
        self.must("simulate", "--cells", 3000, "--genes", 8000, "--out", big)
        for words, out in ((["simulate", "--cells", 60000, "--genes", 20000, "--out"], self.path("huge.h5ad")),
                           (["convert", big], self.path("big.tsv"))):
            process = subprocess.Popen([PROGRAM, *map(str, words), out], stderr=subprocess.PIPE, text=True)
            time.sleep(0.4)
            process.send_signal(signal.SIGINT)
            message = process.communicate(timeout=60)[1]
            self.assertEqual(process.returncode, 130, message)
            self.assertIn("stopped by SIGINT", message)
        self.assertEqual([name for name in os.listdir(self.folder) if name.startswith(("huge", "big.tsv"))], [])
        self.refused(1, "the time limit", "convert", big, self.path("late.tsv"), "--time-limit", 0.001)

    def test_values_of_options_are_checked(self):
        train = ["train", self.data, "--label", "cell_type", "--out", self.path("bad")]
        for option, value in (("--seed", -1), ("--seed", "99999999999999999999"), ("--time-limit", "nan"), ("--time-limit", -1), ("--limit-cells", 0)):
            self.refused(2, f"found '{value}', expected", *train, f"{option}={value}")
        self.refused(3, "--config", *train, "--config", self.folder)
        with open(self.path("twice.json"), "w") as file:
            file.write('{"train": {"epochs": 2}, "train": {"epochs": 3}}')
        self.refused(2, "'train' is there twice", *train, "--config", self.path("twice.json"))
        self.refused(3, "nowhere.txt", *train[:2], "--labels", self.path("nowhere.txt"), "--out", self.path("bad"))

    def test_a_label_for_unknown_cells_is_a_name_of_its_own(self):
        predict = ["predict", self.run_directory, self.data, "--out", self.path("unknown.tsv")]
        self.refused(2, "is a class of the model", *predict, "--unknown-label", "type_00", "--unknown-threshold", 0.5)
        self.refused(2, "--unknown-label", *predict, "--unknown-label", "")
        self.refused(2, "--unknown-label", *predict, "--unknown-threshold", 0.5)


if __name__ == "__main__":
    unittest.main()
