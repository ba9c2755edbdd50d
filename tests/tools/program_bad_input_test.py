#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Bad input: each case has its exit code, one message that names what is wrong, and leaves no output behind."""
import json
import os
import resource
import shutil
import tempfile
import unittest

from program import genexx

TABLE = "cell,geneA,geneB,geneC\n" + "".join(f"cell{i},{i % 5},{(i * 7) % 3},{1 + i % 2}\n" for i in range(60))


class BadInput(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="genexx-bad-")
        cls.data = os.path.join(cls.folder, "cells.h5ad")
        genexx("simulate", "--cells", 300, "--genes", 400, "--types", 3, "--seed", 2, "--out", cls.data)
        cls.run_directory = os.path.join(cls.folder, "run")
        genexx("train", cls.data, "--label", "cell_type", "--out", cls.run_directory, "--replicas", 1,
               "--set", "train.epochs=2", "--set", "train.pretrain_epochs=1")
        cls.model = os.path.join(cls.run_directory, "model.safetensors")

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder)

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, content):
        with open(self.path(name), "wb" if isinstance(content, bytes) else "w") as file:
            file.write(content)
        return self.path(name)

    def refused(self, code, *texts, words, **options):
        """Runs the program; it must exit with `code` and say each of `texts`."""
        done = genexx(*words, **options)
        self.assertEqual(done.returncode, code, done.stderr)
        for text in texts:
            self.assertIn(text, done.stderr)
        self.assertNotIn("internal error", done.stderr)
        self.assertEqual(done.stdout, "")

    def train(self, data, *more, label="cell_type"):
        self.out = self.path("out")
        return ["train", data, "--label", label, "--out", self.out, *more]

    def tearDown(self):
        left = os.path.exists(self.path("out/model.safetensors"))
        shutil.rmtree(self.path("out"), ignore_errors=True)
        self.assertFalse(left, "output was left behind")

    def test_missing_file(self):
        self.refused(3, "nowhere.h5ad", words=self.train(self.path("nowhere.h5ad")))

    def test_empty_directory(self):
        os.makedirs(self.path("empty"), exist_ok=True)
        self.refused(3, "empty", words=self.train(self.path("empty")))

    def test_a_file_of_another_kind(self):
        self.refused(3, "noise.h5ad", words=self.train(self.write("noise.h5ad", os.urandom(4096))))

    def test_text_that_is_named_as_hdf5(self):
        self.refused(3, "page.h5ad", "not an HDF5 file", "<!DOCTYPE html>", words=self.train(self.write("page.h5ad", "<!DOCTYPE html>\n<p>Not found</p>\n")))

    def test_truncated_hdf5(self):
        with open(self.data, "rb") as file:
            half = file.read(os.path.getsize(self.data) // 2)
        self.refused(3, "half.h5ad", words=self.train(self.write("half.h5ad", half)))

    def test_missing_label_column_names_the_columns(self):
        self.refused(4, "no column 'cel_type'", "cell_type", words=self.train(self.data, label="cel_type"))

    def test_no_label_at_all(self):
        self.refused(4, "--label", words=["train", self.data, "--out", self.path("out")])

    def test_one_class_only(self):
        labels = self.write("one.txt", "".join(f"cell{i}\tT cell\n" for i in range(60)))
        self.refused(4, "at least two classes", "T cell",
                     words=["train", self.write("t.csv", TABLE), "--labels", labels, "--out", self.path("out")])

    def test_nan_infinite_and_negative_values(self):
        for value in ("nan", "inf", "-1"):
            with self.subTest(value=value):
                table = self.write("v.csv", TABLE.replace("cell7,2,", f"cell7,{value},"))
                labels = self.write("l.txt", "".join(f"cell{i}\t{'ab'[i % 2]}\n" for i in range(60)))
                self.refused(4, "cell7", "geneA", words=["train", table, "--labels", labels, "--out", self.path("out"),
                                                         "--input-kind", "counts"])

    def test_text_where_a_number_belongs_names_line_and_word(self):
        self.refused(3, "w.csv", "banana", words=["inspect", self.write("w.csv", TABLE.replace("cell7,2", "cell7,banana"))])

    def test_a_ragged_table_names_the_line(self):
        self.refused(3, "r.csv", "line 9", words=["convert", self.write("r.csv", TABLE.replace("cell7,2,", "cell7,")), self.path("r.h5ad")])

    def test_scaled_values_are_refused_unless_said_to_be_so(self):
        table = self.write("s.csv", "cell,a,b,c\n" + "".join(f"cell{i},{-1.5 + i % 3},{0.25 * (i % 7)},{-0.1 * i}\n" for i in range(60)))
        labels = self.write("l.txt", "".join(f"cell{i}\t{'ab'[i % 2]}\n" for i in range(60)))
        self.refused(4, "scaled", "--input-kind", words=["train", table, "--labels", labels, "--out", self.path("out")])

    def test_genes_of_another_organism(self):
        self.refused(4, "none of the", "--gene-column", words=["predict", self.model, self.write("t.csv", TABLE), "--out", self.path("p.tsv")])
        self.assertFalse(os.path.exists(self.path("p.tsv")))

    def damaged_model(self, name, change, checksums=True):
        """The model with its header changed by `change(header)`."""
        with open(self.model, "rb") as file:
            header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
            body = file.read()
        if not checksums:
            del header["__metadata__"]["checksums"]
        change(header)
        text = json.dumps(header).encode()
        return self.write(name + ".safetensors", len(text).to_bytes(8, "little") + text + body)

    def predict_refused(self, *texts, model):
        self.refused(3, os.path.basename(model), *texts, words=["predict", model, self.data, "--out", self.path("p.tsv")])
        self.assertFalse(os.path.exists(self.path("p.tsv")))

    def test_damaged_models(self):
        with open(self.model, "rb") as file:
            whole = file.read()
        cases = {"cut": whole[:len(whole) // 2], "header": whole[:40], "flipped": whole[:-5] + bytes([whole[-5] ^ 1]) + whole[-4:],
                 "length": (2 ** 40).to_bytes(8, "little") + whole[8:], "text": b"not a model at all"}
        for name, content in cases.items():
            with self.subTest(name=name):
                self.predict_refused(model=self.write(name + ".safetensors", content))

    def test_models_whose_tensors_lie_elsewhere(self):
        def place(*offsets):
            def change(header):
                header["gate.0.weight"]["data_offsets"] = list(offsets)
            return change

        def shape(header):
            header["gate.0.weight"]["shape"] = [2 ** 40, 2 ** 40]
        for name, change, text in (("far", place(0, 10 ** 12), "1000000000000"), ("negative", place(-8, 8), "-8"),
                                   ("backwards", place(64, 0), "64"), ("shape", shape, "1099511627776")):
            with self.subTest(name=name):
                self.predict_refused("gate.0.weight", text, model=self.damaged_model(name, change))

    def test_a_model_of_a_newer_version_names_both(self):
        def change(header):
            model = json.loads(header["__metadata__"]["genexx"])
            model["format"] = 2
            header["__metadata__"]["genexx"] = json.dumps(model)
        self.predict_refused("format 2", "format 1", "newer", model=self.damaged_model("newer", change, checksums=False))

    def test_a_training_directory_without_a_model_says_why(self):
        os.makedirs(self.path("modelless"), exist_ok=True)
        self.refused(3, "modelless", "--refit", words=["predict", self.path("modelless"), self.data, "--out", self.path("p.tsv")])

    def test_outputs_are_not_replaced_unasked(self):
        self.refused(2, "--overwrite", words=["train", self.data, "--label", "cell_type", "--out", self.run_directory])
        self.refused(2, "--overwrite", words=["convert", self.data, self.data])

    def test_unwritable_output(self):
        self.refused(1, words=["train", self.data, "--label", "cell_type", "--out", "/proc/nowhere/run"])

    def test_a_full_disk_says_so_and_leaves_no_file(self):
        limit = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (20000, 20000))
        self.refused(1, "full.csv", words=["convert", self.data, self.path("full.csv")], preexec_fn=limit)
        self.assertFalse(os.path.exists(self.path("full.csv")))

    def test_a_full_disk_stops_every_verb_that_writes(self):
        small = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (3000, 3000))
        for verb, words in (("train", self.train(self.data)), ("table", ["predict", self.model, self.data, "--out", self.path("d.tsv")]),
                            ("copy", ["predict", self.model, self.data, "--out", self.path("d.h5ad")]),
                            ("embed", ["embed", self.model, self.data, "--out", self.path("d.npy")]),
                            ("evaluate", ["evaluate", self.model, self.data, "--label", "cell_type", "--out", self.path("d")])):
            with self.subTest(verb=verb):
                self.refused(1, "cannot write", "File too large", words=words, preexec_fn=small)
        self.assertFalse(any(os.path.exists(self.path(name)) for name in ("d.tsv", "d.h5ad", "d.npy", "d/metrics.json", "d/predictions.tsv")))
        self.assertEqual([name for name in os.listdir(self.folder) if ".genexx-" in name], [])

    def test_more_memory_than_there_is_is_refused_before_the_start(self):
        words = self.train(self.data, "--replicas", 10000, "--set", "network.hidden=100000")
        self.refused(5, "memory", "GB", "--no-memory-check", words=words)
        self.refused(5, "memory", words=[*words, "--dry-run"])
        self.assertEqual(genexx(*words, "--dry-run", "--no-memory-check").returncode, 0)
        self.assertFalse(os.path.exists(self.path("out")))

    def test_labels_the_model_does_not_know(self):
        self.refused(4, "donor", "class of the model", words=["evaluate", self.model, self.data, "--label", "donor", "--out", self.path("out")])

    def test_settings_of_a_file_are_strict(self):
        for content, texts in (('{"train": {"epoch": 3}}', ["train.epochs"]), ('{"trian": {}}', ["trian"]), ("[1]", ["object"]), ("{", ["c.json"])):
            with self.subTest(content=content):
                self.refused(2, *texts, words=self.train(self.data, "--config", self.write("c.json", content)))
        self.refused(3, "nowhere.json", words=self.train(self.data, "--config", self.path("nowhere.json")))

    def test_unknown_options_and_keys_name_the_nearest(self):
        self.refused(2, "--replicas", words=self.train(self.data, "--replicsa", "3"))
        self.refused(2, "train.epochs", words=self.train(self.data, "--set", "train.epoch=3"))
        self.refused(2, "Zheng 68K", words=self.train(self.data, "--preset", "Zheng 68"))
        self.refused(2, "train.dropout", words=self.train(self.data, "--set", "train.dropout=2"))
        self.refused(2, "train.batch", words=self.train(self.data, "--set", "train.batch=many"))

    def test_devices_that_are_not_there(self):
        self.refused(5, "cuda:7", words=self.train(self.data, "--device", "cuda:7"))
        self.refused(2, "--device", words=self.train(self.data, "--device", "tpu"))

    def test_a_time_limit_before_the_first_epoch_is_a_failure(self):
        self.refused(1, "time limit", words=self.train(self.data, "--time-limit", "0.000001"))


if __name__ == "__main__":
    unittest.main()
