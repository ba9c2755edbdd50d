#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What every verb promises about what it reads: names come through whole, options do what they say or are refused, and
what is left out is counted."""
import csv
import json
import os
import shutil
import stat
import unittest

from program import ProgramTest, genexx, need

need("h5py", "numpy")
import h5py

SHORT = ["--set", "train.epochs=1", "--set", "train.pretrain_epochs=1", "--seed", 3, "--threads", 1]
ODD = 'a\tb,c"d\ne'
TABLE = "cell,geneA,geneB,geneC\n" + "".join(f"cell{i},{i % 5},{(i * 7) % 3},{1 + i % 2}\n" for i in range(20))


class Reading(ProgramTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.data, cls.model = cls.path("cells.h5ad"), cls.path("run")
        cls.must("simulate", "--cells", 200, "--genes", 150, "--types", 3, "--seed", 2, "--out", cls.data)
        cls.must("train", cls.data, "--label", "cell_type", "--out", cls.model, "--replicas", 1, *SHORT)

    def changed(self, name, change):
        path = shutil.copy(self.data, self.path(name))
        with h5py.File(path, "r+") as file:
            change(file)
        return path

    def write(self, name, text):
        with open(self.path(name), "w", encoding="utf-8", newline="") as file:
            file.write(text)
        return self.path(name)

    def refused(self, code, *texts, words):
        done = genexx(*words)
        self.assertEqual(done.returncode, code, done.stderr)
        for text in texts:
            self.assertIn(text, done.stderr)
        return done

    @staticmethod
    def names(path, table):
        with h5py.File(path, "r") as file:
            return [name.decode() for name in file[table][file[table].attrs["_index"]][:]]

    @staticmethod
    def rename(file, table, names):
        index = file[table].attrs["_index"]
        values = [name.decode() for name in file[table][index][:]]
        values[:len(names)] = names
        attributes = dict(file[table][index].attrs)
        del file[table][index]
        made = file[table].create_dataset(index, data=values, dtype=h5py.string_dtype())
        for name, value in attributes.items():
            made.attrs[name] = value

    def test_names_with_tabs_quotes_and_line_ends_come_through_csv_and_are_cleaned_in_tsv(self):
        def change(file):
            self.rename(file, "obs", ["one", ODD])
            self.rename(file, "var", ["first", "second", ODD])
        odd = self.changed("odd.h5ad", change)
        for kind, expected in (("csv", ODD), ("tsv", 'a b,c"d e')):
            with self.subTest(kind=kind):
                text, back = self.path("odd." + kind), self.path(f"odd_{kind}.h5ad")
                self.must("convert", odd, text)
                self.must("convert", text, back, "--orientation", "cells-rows")
                self.assertEqual(self.names(back, "obs")[1], expected)
                self.assertEqual(self.names(back, "var")[2], expected)
                self.assertEqual(len(self.names(back, "obs")), 200)
        with open(self.path("odd.csv"), encoding="utf-8", newline="") as file:
            rows = list(csv.reader(file))
        self.assertEqual({len(row) for row in rows}, {151})
        self.assertEqual((rows[0][3], rows[2][0]), (ODD, ODD))

    def test_an_open_quote_names_its_line(self):
        path = self.write("open.csv", TABLE.replace("cell7,", '"cell7,'))
        self.refused(3, "line 9", "a quote that is not closed", words=["inspect", path])

    def test_a_field_over_the_limit_is_refused_and_not_printed_whole(self):
        long = "x" * 70000
        for name, text in (("head.csv", TABLE.replace("geneB", long)), ("row.csv", TABLE.replace("cell7", long))):
            with self.subTest(name=name):
                done = self.refused(3, "70000 bytes", "65536", words=["convert", self.write(name, text), self.path("n.h5ad"), "--orientation", "cells-rows"])
                self.assertLess(len(done.stderr), 1000)

    def test_inspect_takes_the_reading_options(self):
        table = self.write("ok.csv", TABLE.replace("cell,", "name,"))
        self.assertIn("matrix X: 20 cells x 3 genes", self.must("inspect", table, "--orientation", "cells-rows").stdout)
        self.assertIn("matrix X: 3 cells x 20 genes", self.must("inspect", table, "--orientation", "genes-rows").stdout)
        labels = self.write("labels.tsv", "".join(f"cell{i}\tT{i % 2}\n" for i in range(20)))
        self.assertIn("label column label: 2 categories, 0 cells without", self.must("inspect", table, "--labels", labels, "--orientation", "cells-rows").stdout)
        self.refused(3, "layers/none", words=["inspect", self.data, "--matrix", "layers/none"])

    def test_options_that_a_verb_has_no_use_for_are_refused(self):
        out = self.path("unused.h5ad")
        for words, option in ((["convert", self.data, out, "--label", "cell_type", "--exclude-label", "type_00"], "--exclude-label"),
                              (["convert", self.data, out, "--duplicates", "sum"], "--duplicates"),
                              (["convert", self.data, out, "--input-kind", "counts"], "--input-kind"),
                              (["inspect", self.data, "--input-kind", "counts"], "--input-kind"),
                              (["predict", self.model, self.data, "--out", out, "--exclude-label", "type_00"], "--exclude-label"),
                              (["embed", self.model, self.data, "--out", out, "--exclude-label", "type_00"], "--exclude-label"),
                              (["explain", self.model, self.data, "--out", out, "--exclude-label", "type_00"], "--exclude-label")):
            with self.subTest(words=words):
                self.refused(2, option, words=words)
                self.assertFalse(os.path.exists(out))

    def test_excluded_cells_are_not_counted_as_unknown(self):
        with h5py.File(self.data, "r") as file:
            column = file["obs/cell_type"]
            label, code = column["categories"][0].decode(), 0
            expected = int((column["codes"][:] == code).sum())
        done = self.must("evaluate", self.model, self.data, "--label", "cell_type", "--exclude-label", label, "--out", self.path("judged"))
        self.assertIn(f"0 with labels the model does not know, {expected} left out", done.stderr)
        with open(self.path("judged", "metrics.json"), encoding="utf-8") as file:
            metrics = json.load(file)
        self.assertEqual((metrics["unknown_labels"], metrics["excluded_labels"]), (0, expected))

    def test_a_label_column_of_an_unknown_encoding_is_named(self):
        def encoding(key, value):
            def change(file):
                file["obs/cell_type"].attrs[key] = value
            return change
        for key, value in (("encoding-version", "9.0.0"), ("encoding-type", "banana")):
            with self.subTest(value=value):
                path = self.changed("encoding.h5ad", encoding(key, value))
                self.refused(3, "encoding.h5ad: /obs/cell_type", value, "expected", "0.2.0",
                             words=["train", path, "--label", "cell_type", "--out", self.path("none")])
                self.assertIn("cell column cell_type cannot be read", self.must("inspect", path).stdout)
                done = self.must("convert", path, self.path("without.h5ad"), "--overwrite")
                self.assertIn("'cell_type' is left out", done.stderr)

    def test_inspect_names_file_and_field_of_a_bad_matrix(self):
        def change(file):
            del file["X/data"]
            file["X"].create_dataset("data", shape=(1 << 40,), dtype="f4", chunks=(1 << 20,))
        self.refused(3, "claim.h5ad: /X/data: claims", words=["inspect", self.changed("claim.h5ad", change)])

    def test_cells_without_any_value_are_dropped_with_one_warning(self):
        def change(file):
            offsets = file["X/indptr"][:]
            file["X/data"][:offsets[5]] = 0
        path = self.changed("zeros.h5ad", change)
        for more in (["--replicas", 1], ["--folds", 3]):
            with self.subTest(more=more):
                out = self.path("zeros" + "".join(map(str, more)))
                done = self.must("train", path, "--label", "cell_type", "--out", out, *SHORT, *more)
                warnings = [line for line in done.stderr.splitlines() if "without any value" in line]
                self.assertEqual(len(warnings), 1, done.stderr)
                self.assertIn("dropped 5 cells", warnings[0])
                with open(os.path.join(out, "split.json"), encoding="utf-8") as file:
                    for split in json.load(file)["splits"]:
                        self.assertFalse({0, 1, 2, 3, 4} & set(split["train"] + split["validation"] + split["test"]))

    def test_no_cells_are_not_called_zeros(self):
        path = self.path("none.mtx")
        self.write("none.mtx", "%%MatrixMarket matrix coordinate integer general\n3 0 0\n")
        self.assertIn("there are no cells", self.must("inspect", path, "--orientation", "genes-rows").stdout)

    def test_a_fraction_in_a_file_of_integers_is_refused(self):
        path = self.write("half.mtx", "%%MatrixMarket matrix coordinate integer general\n2 2 2\n1 1 3\n2 2 2.5\n")
        self.refused(3, "line 4", "2.5", "integer", words=["convert", path, self.path("half.h5ad"), "--orientation", "cells-rows"])

    def test_an_empty_directory_is_called_that(self):
        os.makedirs(self.path("hollow"), exist_ok=True)
        self.refused(3, "hollow is an empty directory", words=["inspect", self.path("hollow")])

    def test_a_key_that_anndata_reserves_is_refused(self):
        def change(file):
            index = file["obs"].attrs["_index"]
            if index == "_index":
                file.move("obs/_index", "obs/cells")
                file["obs"].attrs["_index"] = "cells"
        path = self.changed("index.h5ad", change)
        self.refused(2, "_index", words=["predict", self.model, path, "--out", self.path("key.h5ad"), "--obs-key", "_index"])
        self.assertFalse(os.path.exists(self.path("key.h5ad")))

    def test_missing_genes_are_listed_where_the_overlap_is_refused(self):
        def few(file):
            self.rename(file, "var", [f"other_{i}" for i in range(100)])

        def none(file):
            self.rename(file, "var", [f"other_{i}" for i in range(150)])
        words = ["--out", self.path("p.tsv"), "--missing-genes", self.path("missing.txt")]
        self.refused(4, "at least 80.0 % are needed", words=["predict", self.model, self.changed("few.h5ad", few), *words])
        with open(self.path("missing.txt"), encoding="utf-8") as file:
            self.assertGreater(len(file.readlines()), 10)
        done = self.refused(4, "none of the", words=["predict", self.model, self.changed("no.h5ad", none), *words, "--min-overlap", 0, "--overwrite"])
        self.assertNotIn("are needed", done.stderr)

    def test_a_read_only_file_is_not_changed_in_place(self):
        path = shutil.copy(self.data, self.path("fixed.h5ad"))
        os.chmod(path, 0o444)
        with open(path, "rb") as file:
            before = file.read()
        self.refused(1, "read-only", "--out", words=["predict", self.model, path, "--in-place"])
        with open(path, "rb") as file:
            self.assertEqual(file.read(), before)

    def test_a_file_changed_in_place_keeps_owner_and_permissions(self):
        path = shutil.copy(self.data, self.path("owned.h5ad"))
        os.chmod(path, 0o640)
        if os.geteuid() == 0:
            os.chown(path, 1234, 1235)
        before = os.stat(path)
        self.must("predict", self.model, path, "--in-place")
        after = os.stat(path)
        self.assertEqual((after.st_uid, after.st_gid, stat.S_IMODE(after.st_mode)), (before.st_uid, before.st_gid, 0o640))
        with h5py.File(path, "r") as file:
            self.assertIn("genexx_label", file["obs"])

    def test_a_loom_file_of_an_unknown_version_is_refused(self):
        path = self.path("new.loom")
        with h5py.File(path, "w") as file:
            file["matrix"] = [[1.0, 2.0], [3.0, 0.0], [0.0, 1.0]]
            file["row_attrs/Gene"], file["col_attrs/CellID"] = [b"a", b"b", b"c"], [b"x", b"y"]
            file["attrs/LOOM_SPEC_VERSION"] = [b"3.0.0"]
        self.must("inspect", path)
        with h5py.File(path, "r+") as file:
            del file["attrs/LOOM_SPEC_VERSION"]
            file["attrs/LOOM_SPEC_VERSION"] = [b"9.0"]
        self.refused(3, "new.loom", "9.0", "version", words=["inspect", path])


if __name__ == "__main__":
    unittest.main()
