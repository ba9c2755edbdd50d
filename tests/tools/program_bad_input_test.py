#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Bad input: each case has its exit code, one message that names what is wrong, and leaves no output behind."""
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
        self.assertFalse(os.path.exists(self.path("out")) and os.path.exists(self.path("out/model.safetensors")),
                         "output was left behind")
        shutil.rmtree(self.path("out"), ignore_errors=True)

    def test_missing_file(self):
        self.refused(3, "nowhere.h5ad", words=self.train(self.path("nowhere.h5ad")))

    def test_empty_directory(self):
        os.makedirs(self.path("empty"), exist_ok=True)
        self.refused(3, "empty", words=self.train(self.path("empty")))

    def test_a_file_of_another_kind(self):
        self.refused(3, "noise.h5ad", words=self.train(self.write("noise.h5ad", os.urandom(4096))))

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
        self.refused(4, "overlap", words=["predict", self.model, self.write("t.csv", TABLE), "--out", self.path("p.tsv")])
        self.assertFalse(os.path.exists(self.path("p.tsv")))

    def test_damaged_models(self):
        with open(self.model, "rb") as file:
            whole = file.read()
        newer = whole.replace(b'\\"format\\":1', b'\\"format\\":9')
        cases = {"cut": whole[:len(whole) // 2], "header": whole[:40], "flipped": whole[:-5] + bytes([whole[-5] ^ 1]) + whole[-4:],
                 "length": (2 ** 40).to_bytes(8, "little") + whole[8:], "text": b"not a model at all"}
        self.assertNotEqual(newer, whole)
        for name, content in cases.items():
            with self.subTest(name=name):
                self.refused(3, name + ".safetensors", words=["predict", self.write(name + ".safetensors", content), self.data,
                                                              "--out", self.path("p.tsv")])

    def test_outputs_are_not_replaced_unasked(self):
        self.refused(2, "--overwrite", words=["train", self.data, "--label", "cell_type", "--out", self.run_directory])
        self.refused(2, "--overwrite", words=["convert", self.data, self.data])

    def test_unwritable_output(self):
        self.refused(1, words=["train", self.data, "--label", "cell_type", "--out", "/proc/nowhere/run"])

    def test_a_full_disk_says_so_and_leaves_no_file(self):
        limit = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (20000, 20000))
        self.refused(1, "full.csv", words=["convert", self.data, self.path("full.csv")], preexec_fn=limit)
        self.assertFalse(os.path.exists(self.path("full.csv")))

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
