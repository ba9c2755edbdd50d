#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the program says of its own time and memory is true."""
import json
import os
import tempfile
import time
import unittest

from program import genexx


class Measures(unittest.TestCase):
    def test_peak_memory_leaves_out_the_starting_program_and_the_first_step_lies_within_the_run(self):
        with tempfile.TemporaryDirectory() as folder:
            done = genexx("simulate", "--cells", 300, "--genes", 600, "--types", 3, "--seed", 1, "--out", "a.h5ad", cwd=folder)
            self.assertEqual(done.returncode, 0, done.stderr)
            held = bytearray(b"x") * 700_000_000  # between fork and exec the new process is as large as this one
            begin = time.monotonic()

            done = genexx("train", "a.h5ad", "--label", "cell_type", "--set", "train.epochs=2", "--set",
                          "train.pretrain_epochs=1", "--replicas", 1, "--out", "run", cwd=folder)

            elapsed = time.monotonic() - begin
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual(len(held), 700_000_000)
            with open(os.path.join(folder, "run", "metrics.json"), encoding="utf-8") as file:
                peak = json.load(file)["peak_memory_bytes"]
            self.assertGreater(peak, 10_000_000)
            self.assertLess(peak, 500_000_000)
            with open(os.path.join(folder, "run", "log.jsonl"), encoding="utf-8") as file:
                log = [json.loads(line) for line in file]
            first = next(line["first_step_seconds"] for line in log if line["event"] == "trained")
            self.assertGreater(first, 0)
            self.assertLess(first, elapsed + 0.1)


if __name__ == "__main__":
    unittest.main()
