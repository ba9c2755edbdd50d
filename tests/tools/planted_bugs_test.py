#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The list of planted bugs fits the source: a bug that can no longer be planted proves nothing."""
import os
import unittest

from planted_bug_list import BUGS

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


if __name__ == "__main__":
    unittest.main()
