#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""bench/changes.py says what became faster, slower, stayed or cannot be told."""
import copy
import json
import os
import subprocess
import sys
import tempfile
import unittest

ROOT = os.environ.get("GENEXX_SOURCE_DIR", os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
SCRIPT = os.path.join(ROOT, "bench", "changes.py")


def steps(**phases):
    """A result of a training comparison; each phase is (median, p10, p90) of the contender "genexx"."""
    return {"machine": {"Model name": "X", "system": "any"}, "date": "then", "commit": "c",
            "contenders": {"genexx": {p: dict(zip(("median", "p10", "p90"), t)) for p, t in phases.items()}}}


def changes(new, old, *options):
    """(exit code, {what: last column}, stdout + stderr)."""
    with tempfile.TemporaryDirectory() as folder:
        paths = [os.path.join(folder, name) for name in ("new.json", "old.json")]
        for path, result in zip(paths, (new, old)):
            with open(path, "w", encoding="utf-8") as file:
                file.write(result if isinstance(result, str) else json.dumps(result))
        done = subprocess.run([sys.executable, SCRIPT, *paths, *options], capture_output=True, text=True)
    rows = [line.strip("| ").split(" | ") for line in done.stdout.splitlines() if line.startswith("| genexx")]
    return done.returncode, {row[0]: row[-1].strip("| ") for row in rows}, done.stdout + done.stderr


class Changes(unittest.TestCase):
    def test_intervals_that_lie_apart_decide(self):
        old = steps(a=(10, 9.8, 10.2), b=(10, 9.8, 10.2), c=(10, 9, 11), d=(10, 9.8, 10.2), e=(10, 8, 15))
        new = steps(a=(8, 7.8, 8.2), b=(12, 11.8, 12.2), c=(8.8, 8, 9.5), d=(10.1, 10.21, 10.3), e=(10.1, 9, 16))
        status, verdicts, said = changes(new, old)
        self.assertEqual(status, 0)
        self.assertEqual(verdicts, {"genexx, a": "FASTER", "genexx, b": "SLOWER", "genexx, c": "UNCLEAR",
                                    "genexx, d": "SAME",  # apart, but by one percent
                                    "genexx, e": "SAME"})
        self.assertIn("1 FASTER, 1 SLOWER, 2 SAME, 1 UNCLEAR", said)

    def test_noise_is_no_proof_that_nothing_changed(self):
        narrow = changes(steps(a=(10.3, 9.9, 10.5)), steps(a=(10, 9.8, 10.4)))[1]
        wide = changes(steps(a=(10.3, 5, 15)), steps(a=(10, 5, 15)))[1]
        self.assertEqual((narrow["genexx, a"], wide["genexx, a"]), ("SAME", "UNCLEAR"))

    def test_fails_on_slower_when_told_to(self):
        old, new = steps(a=(10, 9, 11)), steps(a=(20, 19, 21))
        self.assertEqual(changes(new, old)[0], 0)
        self.assertEqual(changes(new, old, "--fail-on-slower")[0], 1)
        self.assertEqual(changes(old, new, "--fail-on-slower")[0], 0)

    def test_refuses_another_machine_and_other_files(self):
        old, new = steps(a=(10, 9, 11)), steps(a=(10, 9, 11))
        new["machine"]["Model name"] = "Y"
        status, _, said = changes(new, old)
        self.assertEqual(status, 2)
        self.assertIn("different machines", said)
        self.assertEqual(changes(new, old, "--other-machine")[0], 0)
        self.assertEqual(changes("no json", old)[0], 2)
        self.assertEqual(changes({"machine": old["machine"]}, old)[0], 2)

    def test_names_what_is_new_and_what_is_gone(self):
        _, verdicts, _ = changes(steps(a=(1, 1, 1), b=(1, 1, 1)), steps(a=(1, 1, 1), c=(1, 1, 1)))
        self.assertEqual(verdicts, {"genexx, a": "SAME", "genexx, b": "new", "genexx, c": "gone"})

    def test_reads_every_committed_result(self):
        folder, read = os.path.join(ROOT, "bench", "results"), 0
        for name in sorted(os.listdir(folder)):
            if not name.endswith(("_step.json", "kernels_cpu.json")) or name == "first_step.json":
                continue
            path = os.path.join(folder, name)
            done = subprocess.run([sys.executable, SCRIPT, path, path], capture_output=True, text=True)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn("0 FASTER, 0 SLOWER", done.stdout)
            self.assertNotIn(" 0 SAME", done.stdout)
            read += 1
        self.assertGreater(read, 3)

    def test_a_committed_result_stands_in_for_a_missing_second_file(self):
        path = os.path.join(ROOT, "bench", "results", "kernels_cpu.json")
        with open(path, encoding="utf-8") as file:
            result = json.load(file)
        slower = copy.deepcopy(result)
        for case in slower["results"]:
            for key in ("median_s", "p10_s", "p90_s"):
                case[key] *= 10
        with tempfile.TemporaryDirectory() as folder:
            new = os.path.join(folder, "kernels_cpu.json")
            with open(new, "w", encoding="utf-8") as file:
                json.dump(slower, file)
            done = subprocess.run([sys.executable, SCRIPT, new], capture_output=True, text=True)
            other = os.path.join(folder, "never_there.json")
            os.rename(new, other)
            nothing = subprocess.run([sys.executable, SCRIPT, other], capture_output=True, text=True)
        self.assertIn(f"{len(result['results'])} SLOWER", done.stdout + done.stderr)
        self.assertEqual(nothing.returncode, 2)
        self.assertIn("never committed", nothing.stderr)


if __name__ == "__main__":
    unittest.main()
