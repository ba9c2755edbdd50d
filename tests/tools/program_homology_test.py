#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""genexx homology: tables, report and bad input, on embeddings whose answer is known."""
import csv
import json
import os
import random
import struct
import tempfile
import unittest

from program import genexx

HUMAN = ["A32p", "A32sg", "A24rv", "A24cd", "TE1.0 and TE1.2", "vIa, dIa"]
MOUSE = ["PL", "ACAd", "AUDp"]


def rows(path):
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


def write_rows(path, lines):
    with open(path, "w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(lines)


class Homology(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def path(self, *names):
        return os.path.join(self.folder.name, *names)

    def write_embedding(self, path, names, numbers):
        os.makedirs(os.path.dirname(path), exist_ok=True)
        width = len(numbers[0])
        write_rows(path, [["region_id", *range(1, width + 1)]] + [[n, *x] for n, x in zip(names, numbers)])

    def write_model(self, folder, seed, reverse=False):
        """Mouse region k is nearest to human region k; noise differs between models."""
        rng = random.Random(seed)
        base = random.Random(1)
        human = [[base.random() for _ in range(40)] for _ in HUMAN]
        near = [[x + 0.2 * rng.random() for x in human[k]] for k in (0, 2, 4)]
        order = list(range(len(HUMAN)))[::-1] if reverse else list(range(len(HUMAN)))
        self.write_embedding(self.path(folder, "human_embedding.csv"), [HUMAN[i] for i in order], [human[i] for i in order])
        self.write_embedding(self.path(folder, "mouse_embedding.csv"), MOUSE, near)

    def write_pairs(self, pairs, header=("", "human_region", "mouse_region")):
        write_rows(self.path("pairs.csv"), [header] + [[i, *pair] for i, pair in enumerate(pairs)])
        return self.path("pairs.csv")

    def run_on(self, human, mouse, pairs, *words):
        return genexx("homology", "--human", human, "--mouse", mouse, "--pairs", pairs, "--out", self.path("out"), *words)

    def test_one_model_gives_matrix_ranks_components_summary_and_report(self):
        self.write_model("m", 1)
        pairs = self.write_pairs([("A32p", "PL"), ("A24rv", "ACAd"), ("TE1.0 and TE1.2", "AUDp")])

        done = self.run_on(self.path("m", "human_embedding.csv"), self.path("m", "mouse_embedding.csv"), pairs)

        self.assertEqual((done.returncode, done.stdout), (0, ""), done.stderr)
        matrix = rows(self.path("out", "correlation.csv"))
        self.assertEqual(matrix[0], ["human_region"] + MOUSE)
        self.assertEqual([line[0] for line in matrix[1:]], HUMAN)
        ranks = rows(self.path("out", "ranks.csv"))
        self.assertEqual(ranks[0], ["human_region", "mouse_region", "correlation", "rank"])
        self.assertEqual([line[3] for line in ranks[1:]], ["1", "1", "1"])
        self.assertEqual(ranks[1][2], matrix[1][1])
        own = rows(self.path("out", "human_correlation.csv"))
        self.assertAlmostEqual(float(own[3][3]), 1, places=12)
        self.assertEqual(len(rows(self.path("out", "components.csv"))), 1 + len(HUMAN) + len(MOUSE))
        with open(self.path("out", "summary.json"), encoding="utf-8") as file:
            summary = json.load(file)
        self.assertEqual((summary["mean_rank"], summary["chance_mean_rank"], summary["models"]), (1, 3.5, 1))
        self.assertLess(summary["p_value"], 0.05)
        with open(self.path("out", "report.html"), encoding="utf-8") as file:
            page = file.read()
        self.assertIn("ranks 1.00 of 6 on average over 3 pairs", page)

    def test_a_directory_of_repeats_is_averaged_in_natural_order_whatever_the_order_of_regions(self):
        for repeat in (0, 2, 10):
            self.write_model(f"runs/Data_0/Repeat_{repeat}/Results", repeat, reverse=repeat == 2)
            self.write_model(f"runs/Data_0/Repeat_{repeat}/Results/old", 99)
            for species in ("human", "mouse"):
                folder = self.path("runs", "Data_0", f"Repeat_{repeat}", "Results")
                os.rename(os.path.join(folder, "old", f"{species}_embedding.csv"),
                          os.path.join(folder, f"{species}_embedding_epoch3.csv"))
        pairs = self.write_pairs([("A32p", "PL")])

        done = self.run_on(self.path("runs"), self.path("runs"), pairs)

        self.assertEqual(done.returncode, 0, done.stderr)
        with open(self.path("out", "summary.json"), encoding="utf-8") as file:
            summary = json.load(file)
        self.assertEqual(summary["models"], 3)
        self.assertEqual([f.split("Repeat_")[1].split("/")[0] for f in summary["human_files"]], ["0", "2", "10"])
        singles = []
        for repeat in (0, 2, 10):
            folder = self.path("runs", "Data_0", f"Repeat_{repeat}", "Results")
            self.run_on(os.path.join(folder, "human_embedding.csv"), os.path.join(folder, "mouse_embedding.csv"), pairs,
                        "--overwrite")
            singles.append({line[0]: float(line[2]) for line in rows(self.path("out", "correlation.csv"))[1:]})
        self.run_on(self.path("runs"), self.path("runs"), pairs, "--overwrite")
        for line in rows(self.path("out", "correlation.csv"))[1:]:
            self.assertAlmostEqual(float(line[2]), sum(s[line[0]] for s in singles) / 3, places=12)

    def test_npy_with_names_beside_it(self):
        self.write_npy("human.npy", [[1, 2, 3], [3, 2, 1]])
        self.write_npy("mouse.npy", [[1, 2, 4]])
        pairs = self.write_pairs([("a", "m")])

        nameless = self.run_on(self.path("human.npy"), self.path("mouse.npy"), pairs)
        for name, text in (("human.names.txt", "a\nb\n"), ("other.txt", "m\n"), ("long.txt", "m\nn\n")):
            with open(self.path(name), "w", encoding="utf-8") as file:
                file.write(text)
        done = self.run_on(self.path("human.npy"), self.path("mouse.npy"), pairs, "--mouse-names", self.path("other.txt"))
        wrong = self.run_on(self.path("human.npy"), self.path("mouse.npy"), pairs, "--mouse-names", self.path("long.txt"),
                            "--overwrite")

        self.assertEqual(nameless.returncode, 3)
        self.assertIn("human.names.txt", nameless.stderr)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(rows(self.path("out", "ranks.csv"))[1][3], "1")
        self.assertEqual(wrong.returncode, 3)
        self.assertIn("has 2 names", wrong.stderr)

    def write_npy(self, name, numbers):
        shape = (len(numbers), len(numbers[0]))
        header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
        with open(self.path(name), "wb") as file:
            file.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode())
            file.write(struct.pack(f"<{shape[0] * shape[1]}f", *(x for row in numbers for x in row)))

    def test_a_constant_embedding_ranks_last_with_a_warning(self):
        self.write_embedding(self.path("human.csv"), ["a", "b", "c"], [[1, 2, 3], [0, 0, 0], [3, 2, 1]])
        self.write_embedding(self.path("mouse.csv"), ["m"], [[1, 2, 4]])

        done = self.run_on(self.path("human.csv"), self.path("mouse.csv"), self.write_pairs([("b", "m")]))

        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("1 correlations are undefined", done.stderr)
        self.assertEqual(rows(self.path("out", "ranks.csv"))[1], ["b", "m", "", "3"])

    def test_pairs_that_are_not_in_the_data_are_refused_or_left_out(self):
        self.write_model("m", 1)
        files = self.path("m", "human_embedding.csv"), self.path("m", "mouse_embedding.csv")

        refused = self.run_on(*files, "cortex")
        skipped = self.run_on(*files, "cortex", "--skip-absent-pairs")
        none = self.run_on(*files, "subcortex", "--skip-absent-pairs", "--overwrite")

        self.assertEqual(refused.returncode, 4)
        self.assertIn("34 of 41 homologous pairs are not in the data", refused.stderr)
        self.assertIn("--skip-absent-pairs", refused.stderr)
        self.assertEqual(skipped.returncode, 0, skipped.stderr)
        self.assertIn("34 of 41 pairs are not in the data and were left out", skipped.stderr)
        self.assertEqual(len(rows(self.path("out", "ranks.csv"))), 1 + 7)
        self.assertEqual(none.returncode, 4)

    def test_bad_lists_and_tables_are_named(self):
        self.write_model("m", 1)
        files = self.path("m", "human_embedding.csv"), self.path("m", "mouse_embedding.csv")
        self.write_embedding(self.path("narrow.csv"), MOUSE, [[1, 2], [2, 3], [3, 5]])
        self.write_embedding(self.path("twice.csv"), ["PL", "PL"], [list(range(40)), list(range(40))])
        self.write_embedding(self.path("nan.csv"), ["PL", "ACAd"], [[1, float("nan")] * 20, list(range(40))])
        os.mkdir(self.path("empty"))

        def outcome(human, mouse, pairs):
            done = self.run_on(human, mouse, pairs)
            self.assertFalse(os.path.exists(self.path("out")))
            return done.returncode, done.stderr

        good = self.write_pairs([("A32p", "PL")])
        for arguments, code, message in [
                ((*files, self.path("none.csv")), 3, "there is no such file"),
                ((self.path("none.csv"), files[1], good), 3, "none.csv"),
                ((self.path("empty"), files[1], good), 3, "holds no human embeddings"),
                ((files[0], self.path("narrow.csv"), good), 4, "has 2 columns"),
                ((files[0], self.path("twice.csv"), good), 4, "region 'PL' twice"),
                ((files[0], self.path("nan.csv"), good), 4, "region 'PL', column 2"),
                ((self.path("m"), self.path("m", "mouse_embedding.csv"), "hippocampus"), 3, "cortex, subcortex or all")]:
            with self.subTest(message=message):
                got = outcome(*arguments)
                self.assertEqual(got[0], code, got[1])
                self.assertIn(message, got[1])
        code, message = outcome(*files, self.write_pairs([("A32p", "PL")], header=("", "human", "mouse_region")))
        self.assertEqual(code, 3)
        self.assertIn("there is no column 'human_region'", message)
        code, message = outcome(*files, self.write_pairs([("A32p", "PL"), ("A32p", "PL")]))
        self.assertEqual(code, 4)
        self.assertIn("in the list twice", message)

    def test_an_output_that_is_there_is_kept_without_overwrite(self):
        self.write_model("m", 1)
        arguments = self.path("m"), self.path("m"), self.write_pairs([("A32p", "PL")])
        self.assertEqual(self.run_on(*arguments).returncode, 0)

        self.assertEqual(self.run_on(*arguments).returncode, 2)
        self.assertEqual(self.run_on(*arguments, "--overwrite").returncode, 0)


if __name__ == "__main__":
    unittest.main()
