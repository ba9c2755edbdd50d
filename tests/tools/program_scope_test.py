#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The fly classifier on files as SCope writes them: loom 2.0.1 with strings of fixed length and XML entities, or loom 3;
clusterings as compound elements that the MetaData names."""
import base64
import json
import os
import unittest
import zlib

from program import ProgramTest, genexx, need

need("h5py", "numpy")
import h5py
import numpy

TYPES = ["Astrocytes <glia>", "Kenyon cells, α/β", "Unannotated"]
METADATA = {"annotations": [{"name": "sex", "values": ["female", "male"]}], "metrics": [{"name": "nGene"}],
            "clusterings": [{"id": 0, "group": "Seurat", "name": "Annotation",
                             "clusters": [{"id": i + 4, "description": name} for i, name in enumerate(TYPES)]},
                            {"id": 1, "group": "Seurat", "name": "resolution 2", "clusters": [{"id": 0, "description": ""}]}]}
FAST = ["--set", "network.widths=[24]", "--set", "train.epochs=30", "--set", "train.batch=16", "--threads", 1, "--seed", 1]


def deflated(metadata):
    return base64.b64encode(zlib.compress(json.dumps(metadata).encode()))


class Scope(ProgramTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        draw = numpy.random.default_rng(3)
        cls.types = numpy.arange(120) % 3
        rates = draw.gamma(1, 1, (3, 40))
        cls.counts = draw.poisson(rates[cls.types])
        cls.old = cls.write("old.loom", 2, deflated(METADATA))

    @classmethod
    def write(cls, name, version, metadata):
        """A loom file; `metadata` as bytes."""
        def strings(values):
            if version == 2:
                return numpy.array([v.encode("ascii", "xmlcharrefreplace") for v in values])
            return numpy.array(values, h5py.string_dtype())

        cells = len(cls.types)
        with h5py.File(cls.path(name), "w") as file:
            if version == 2:
                file.attrs["LOOM_SPEC_VERSION"] = numpy.bytes_("2.0.1")
                file.attrs["MetaData"] = numpy.bytes_(metadata)
                file.attrs["SCopeTreeL1"] = numpy.bytes_("Fly")
            else:
                file["attrs/LOOM_SPEC_VERSION"] = "3.0.0"
                file["attrs/MetaData"] = metadata.decode()
            file.create_dataset("matrix", data=cls.counts.T.astype("f8"), chunks=(16, 64), compression="gzip")
            for group in ("layers", "row_graphs", "col_graphs"):
                file.create_group(group)
            genes = ["l(1)G0193", "α&β-Tub"] + [f"CG{i}" for i in range(38)]
            file["row_attrs/Gene"] = strings([g.replace("&", "&amp;") for g in genes] if version == 2 else genes)
            file["row_attrs/Regulons"] = numpy.zeros(40, [("dac_(+)", "i8"), ("ey_(+)", "i8")])
            file["col_attrs/CellID"] = strings([f"AAAC{i:03}-DGRP-551_0d_r1" for i in range(cells)])
            file["col_attrs/sex"] = strings([("female", "male")[i % 2] for i in range(cells)])
            file["col_attrs/ClusterID"] = (cls.types + 4).astype("i4")
            file["col_attrs/nGene"] = (cls.counts > 0).sum(axis=1).astype("i4")
            file["col_attrs/Embedding"] = numpy.zeros(cells, [("_X", "f4"), ("_Y", "f4")])
            clusterings = numpy.zeros(cells, [("0", "i4"), ("1", "i4")])
            clusterings["0"] = cls.types + 4
            file["col_attrs/Clusterings"] = clusterings
        return cls.path(name)

    def inspected(self, path):
        return json.loads(self.must("inspect", path, "--json").stdout)

    def metrics(self, run):
        with open(self.path(run, "metrics.json"), encoding="utf-8") as file:
            return json.load(file)

    def test_a_file_of_the_old_rules_trains_by_the_descriptions_of_its_clusters(self):
        done = self.must("train", self.old, "--model", "fly", "--label", "Clusterings/Annotation", "--out", self.path("run"), *FAST)

        metrics = self.metrics("run")["test"]
        self.assertEqual(sorted(metrics["per_class"]), sorted(TYPES[:2]), done.stderr)  # the third means no known type
        self.assertGreater(metrics["accuracy"], 0.9)
        with open(self.path("run", "predictions.tsv"), encoding="utf-8") as file:
            self.assertIn("-DGRP-551_0d_r1\t", file.read().splitlines()[1])
        with open(self.path("run", "model.safetensors"), "rb") as file:
            header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
        self.assertEqual(json.loads(header["__metadata__"]["genexx"])["recipe"]["gene_ids"][:2], ["l(1)G0193", "α&β-Tub"])

    def test_both_versions_and_plain_metadata_say_the_same(self):
        files = [self.old, self.write("new.loom", 3, deflated(METADATA)), self.write("plain.loom", 2, json.dumps(METADATA).encode())]
        runs = []
        for i, path in enumerate(files):
            self.must("train", path, "--model", "fly", "--label", "Clusterings/Annotation", "--out", self.path(f"same{i}"), *FAST)
            with open(self.path(f"same{i}", "predictions.tsv"), "rb") as file:
                runs.append(file.read())

        self.assertEqual(runs[1], runs[0])
        self.assertEqual(runs[2], runs[0])

    def test_cluster_numbers_are_labels_where_no_description_is_told(self):
        self.must("train", self.old, "--model", "fly", "--label", "ClusterID", "--out", self.path("numbers"), *FAST)
        one_name_missing = {"clusterings": [{"id": 0, "name": "Annotation", "clusters": [{"id": 4, "description": "a"}]}]}
        path = self.write("partly.loom", 2, deflated(one_name_missing))
        self.must("train", path, "--model", "fly", "--label", "Clusterings/Annotation", "--out", self.path("partly"), *FAST)

        for run in ("numbers", "partly"):
            self.assertEqual(sorted(self.metrics(run)["test"]["per_class"]), ["4", "5", "6"])

    def test_inspect_lists_clusterings_and_what_is_no_column(self):
        found = json.dumps(self.inspected(self.old))

        for name in ("Clusterings/Annotation", "Clusterings/resolution 2", "ClusterID", "sex"):
            self.assertIn(f'"{name}"', found)
        text = self.must("inspect", self.old).stdout
        self.assertIn("Embedding", text)
        self.assertIn("Loom 2.0.1", text)

    def test_damaged_metadata_cost_the_names_alone(self):
        whole = deflated(METADATA)
        for i, bad in enumerate((whole[:len(whole) // 2], b"\x7f no base64", b'{"clusterings": [{"name": 3}]}', b'{"clust',
                                 base64.b64encode(b"not deflated"), b'{"clusterings": 7}', b"[]", b'{"clusterings": [1]}')):
            with self.subTest(bad=bad):
                path = self.write(f"damaged{i}.loom", 2, bad)
                text = self.must("inspect", path).stdout
                self.assertIn("Clusterings/0", text)
                self.assertIn("MetaData", text)

    def test_a_label_that_is_not_there_is_refused_naming_those_that_are(self):
        done = genexx("train", self.old, "--model", "fly", "--label", "Annotation", "--out", self.path("none"), *FAST)

        self.assertEqual(done.returncode, 4)
        self.assertIn("Clusterings/Annotation", done.stderr)
        self.assertFalse(os.path.exists(self.path("none")))


if __name__ == "__main__":
    unittest.main()
