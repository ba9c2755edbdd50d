#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What ./check prints at its end is what the test programs said."""
import os
import subprocess
import sys
import tempfile
import unittest
from xml.sax.saxutils import escape

SCRIPT = os.path.join(os.path.dirname(__file__), "..", "..", "tools", "check_summary.py")


def summary(tests, *options):
    """Runs the script over one results file; `tests` are (status, output). Returns (exit status, lines)."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "tests.xml")
        with open(path, "w", encoding="utf-8") as file:
            file.write("<testsuite>")
            for number, (status, output) in enumerate(tests):
                file.write(f'<testcase name="t{number}" status="{status}">'
                           f"<system-out>{escape(output)}</system-out></testcase>")
            file.write("</testsuite>")
        done = subprocess.run([sys.executable, SCRIPT, "--junit", path, *options], capture_output=True, text=True)
        return done.returncode, done.stdout.splitlines()


def doctest(passed, failed):
    return f"[doctest] test cases: {passed + failed} | {passed} passed | {failed} failed | 0 skipped\n"


class Summary(unittest.TestCase):
    def test_adds_the_cases_of_all_programs(self):
        status, lines = summary([("run", doctest(12, 0)), ("run", doctest(3, 0))])
        self.assertEqual((status, lines[-1]), (0, "15 passed, 0 failed, 0 skipped"))

    def test_counts_unittest_summaries(self):
        output = ("test_page (m.T.test_page)\nThe page. ... skipped 'no browser'\n\n"
                  "Ran 5 tests in 0.1s\n\nFAILED (failures=1, skipped=1)\n")
        status, lines = summary([("fail", output)])
        self.assertEqual((status, lines[-1]), (1, "3 passed, 1 failed, 1 skipped"))
        self.assertIn("test_page: no browser", lines[0])

    def test_a_test_without_a_summary_is_one_case(self):
        self.assertEqual(summary([("run", "fine\n"), ("fail", "bad\n")])[1][-1], "1 passed, 1 failed, 0 skipped")

    def test_a_skipped_case_is_not_a_passed_one(self):
        output = "SKIPPED [reads a] needs data\nSKIPPED [reads a] needs more data\n" + doctest(2, 0)
        status, lines = summary([("run", output)])
        self.assertEqual((status, lines[-1]), (0, "1 passed, 0 failed, 1 skipped"))
        self.assertIn("reads a: needs more data", lines[0])

    def test_a_crash_after_the_summary_fails(self):
        self.assertEqual(summary([("fail", doctest(4, 0))])[1][-1], "4 passed, 1 failed, 0 skipped")

    def test_tests_that_did_not_run_are_skipped(self):
        self.assertEqual(summary([("run", "x"), ("notrun", "")])[1][-1], "1 passed, 0 failed, 1 skipped")

    def test_given_lines_count(self):
        status, lines = summary([("run", "x")], "--skipped", "no nvcc", "--failed", "build-thread: does not build")
        self.assertEqual((status, lines[-1]), (1, "1 passed, 1 failed, 1 skipped"))
        self.assertIn("FAILED build-thread: does not build", lines)

    def test_nothing_run_is_a_failure(self):
        self.assertEqual(summary([])[0], 1)

    def test_missing_results_are_a_failure(self):
        self.assertEqual(summary([("run", "x")], "--junit", "/nowhere/tests.xml")[1][-1],
                         "1 passed, 1 failed, 0 skipped")


if __name__ == "__main__":
    unittest.main()
