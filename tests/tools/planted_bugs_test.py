#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The list of planted bugs fits the source: a bug that can no longer be planted proves nothing; and a bug that makes the
tests run for ever ends."""
import os
import sys
import time
import unittest

from planted_bug_list import BUGS
from planted_bugs import run_limited

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


class PlantedBugs(unittest.TestCase):
    def test_each_bug_has_its_place(self):
        for bug in BUGS:
            with self.subTest(file=bug.file, old=bug.old):
                with open(os.path.join(ROOT, bug.file), encoding="utf-8") as file:
                    self.assertEqual(file.read().count(bug.old), 1, "expected to find the text once")
                self.assertNotEqual(bug.old, bug.new)

    def test_every_op_is_named_as_its_tests_are(self):
        for bug in BUGS:
            self.assertTrue(os.path.exists(os.path.join(ROOT, "tests", "kernels", bug.op + "_test.cc")), bug.op)

    def test_a_test_program_that_does_not_end_is_killed_with_what_it_started(self):
        program = "import subprocess, sys, time; print('begun', flush=True); subprocess.run([sys.executable, '-c', 'import time; time.sleep(600)'])"
        begin = time.monotonic()

        status, _ = run_limited([sys.executable, "-c", program], 1)

        self.assertIsNone(status)
        self.assertLess(time.monotonic() - begin, 60)

    def test_a_test_program_that_ends_gives_its_status_and_output(self):
        self.assertEqual(run_limited([sys.executable, "-c", "print('TEST CASE'); raise SystemExit(3)"], 60), (3, "TEST CASE\n"))


if __name__ == "__main__":
    unittest.main()
