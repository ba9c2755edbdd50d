#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Damaged and hostile HDF5 through the program: its exit code, one message with file, place and expectation, no output."""
import os
import shutil
import tempfile
import unittest

from program import genexx, need

need("h5py", "numpy")
import h5py
import numpy


class BadHdf5(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="genexx-hdf5-")
        cls.data = os.path.join(cls.folder, "cells.h5ad")
        genexx("simulate", "--cells", 200, "--genes", 150, "--types", 2, "--seed", 2, "--out", cls.data)

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder)

    def path(self, name):
        return os.path.join(self.folder, name)

    def refused(self, code, *texts, change):
        """Trains on a copy of the data that `change(file)` has damaged."""
        damaged = shutil.copy(self.data, self.path("damaged.h5ad"))
        with h5py.File(damaged, "r+") as file:
            change(file)
        done = genexx("train", damaged, "--label", "cell_type", "--out", self.path("out"), "--replicas", 1, "--set", "train.epochs=1")
        self.assertEqual(done.returncode, code, done.stderr)
        message = [line for line in done.stderr.splitlines() if line.startswith("genexx: ")]
        self.assertEqual(len(message), 1, done.stderr)
        for text in texts:
            self.assertIn(text, message[0])
        self.assertFalse(os.path.exists(self.path("out")), "output was left behind")

    @staticmethod
    def put(file, path, values, **options):
        """Replaces a dataset, its attributes kept."""
        attributes = dict(file[path].attrs)
        del file[path]
        made = file.create_dataset(path, data=values, **options)
        for name, value in attributes.items():
            made.attrs[name] = value

    def change_values(self, path, edit, dtype=None):
        def change(file):
            values = file[path][:]
            values = values if dtype is None else values.astype(dtype)
            edit(values)
            self.put(file, path, values)
        return change

    def test_offsets_that_decrease(self):
        def swap(values):
            values[5], values[6] = values[6], values[5]
        self.refused(3, "damaged.h5ad", "/X/indptr", "decreases", change=self.change_values("X/indptr", swap))

    def test_offsets_beyond_the_values(self):
        def add(values):
            values[-1] += 10
        self.refused(3, "damaged.h5ad", "/X/indptr", "expected", change=self.change_values("X/indptr", add))

    def test_indices_out_of_range(self):
        for wrong in (9999, -3):
            with self.subTest(wrong=wrong):
                def put(values, wrong=wrong):
                    values[100] = wrong
                self.refused(3, "/X/indices", "element 100", str(wrong), "0 to 149", change=self.change_values("X/indices", put))

    def test_a_shape_that_does_not_match(self):
        for shape in ((199, 150), (200, 149), (2 ** 40, 150)):
            with self.subTest(shape=shape):
                def change(file, shape=shape):
                    file["X"].attrs["shape"] = numpy.array(shape)
                self.refused(3, "/X", str(shape[0]), change=change)

    def test_newer_and_unknown_encodings(self):
        def newer(file):
            file["X"].attrs["encoding-version"] = "9.9.9"

        def unknown(file):
            file["X"].attrs["encoding-type"] = "banana"
        self.refused(3, "/X", "9.9.9", "0.1.0", change=newer)
        self.refused(3, "/X", "banana", "csr_matrix", change=unknown)

    def test_values_that_cannot_be(self):
        for wrong in (numpy.nan, numpy.inf, -1):
            with self.subTest(wrong=wrong):
                def put(values, wrong=wrong):
                    values[77] = wrong
                self.refused(4, "cell '", "gene '", str(wrong), "expected", change=self.change_values("X/data", put, "f4"))

    def test_values_of_no_known_kind(self):
        def zero(values):
            values[:] = 0

        def enlarge(values):
            values *= 1000.5
        self.refused(4, "damaged.h5ad", "neither counts", change=self.change_values("X/data", zero))
        self.refused(4, "damaged.h5ad", "neither counts", "--input-kind", change=self.change_values("X/data", enlarge, "f4"))

    def test_links_out_of_the_file_are_not_followed(self):
        def external(file):
            del file["X/data"]
            file["X/data"] = h5py.ExternalLink(self.data, "/X/data")

        def soft(file):
            file.move("X/data", "hidden")
            file["X/data"] = h5py.SoftLink("/hidden")

        def virtual(file):
            count = file["X/data"].shape[0]
            layout = h5py.VirtualLayout(shape=(count,), dtype="f4")
            layout[:] = h5py.VirtualSource(self.data, "X/data", shape=(count,))
            del file["X/data"]
            file.create_virtual_dataset("X/data", layout)

        def stored_outside(file):
            values = file["X/data"][:]
            del file["X/data"]
            file.create_dataset("X/data", shape=values.shape, dtype=values.dtype, external=[(self.path("outside.raw"), 0, values.nbytes)])[...] = values
        for change, text in ((external, "external link"), (soft, "soft link"), (virtual, "virtual dataset"), (stored_outside, "external storage")):
            with self.subTest(text=text):
                self.refused(3, "damaged.h5ad", "/X/data", text, change=change)

    def test_extents_that_the_stored_bytes_cannot_bear_out(self):
        def data(file):
            del file["X/data"]
            file.create_dataset("X/data", shape=(1 << 45,), dtype="i4", chunks=(1 << 20,), compression="gzip")

        def dense(file):
            del file["X"]
            made = file.create_dataset("X", shape=(200, 150), dtype="f8", chunks=(200, 150), compression="gzip", maxshape=(None, None))
            made.attrs["encoding-type"], made.attrs["encoding-version"] = "array", "0.2.0"
            made.resize((200, 1 << 36))
        self.refused(3, "/X/data", "35184372088832", change=data)
        self.refused(3, "/X", "68719476736", change=dense)

    def test_a_filter_that_is_not_built_in_is_named(self):
        def change(file):
            values = file["X/data"][:]
            del file["X/data"]
            layout = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
            layout.set_chunk((1000,))
            layout.set_filter(32015, h5py.h5z.FLAG_OPTIONAL, (3,))
            h5py.h5d.create(file["X"].id, b"data", h5py.h5t.NATIVE_FLOAT, h5py.h5s.create_simple(values.shape), layout)
        self.refused(3, "/X/data", "32015", "h5repack", change=change)

    def test_missing_parts(self):
        def no_matrix(file):
            del file["X"]

        def no_genes(file):
            del file["var"]

        def short_column(file):
            self.put(file, "obs/cell_type/codes", file["obs/cell_type/codes"][:10])
        self.refused(3, "damaged.h5ad", "no matrix", change=no_matrix)
        self.refused(3, "damaged.h5ad", "var", change=no_genes)
        self.refused(3, "/obs/cell_type", "10", change=short_column)


if __name__ == "__main__":
    unittest.main()
