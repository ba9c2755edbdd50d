#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What every verb shares: version, help, words the program does not know, completion."""
import subprocess
import unittest

from program import genexx


class Frame(unittest.TestCase):
    def verbs(self):
        lines = genexx("--help").stdout.split("Subcommands:")[1].splitlines()
        return [line.split()[0] for line in lines if line.startswith("  ") and not line.startswith("   ")]

    def test_the_version_is_three_numbers_on_stdout(self):
        done = genexx("--version")

        self.assertEqual(done.returncode, 0)
        self.assertRegex(done.stdout, r"^genexx \d+\.\d+\.\d+\n$")

    def test_without_words_it_prints_help(self):
        done = genexx()

        self.assertEqual((done.returncode, done.stdout), (0, genexx("--help").stdout))

    def test_help_of_a_verb_is_its_long_help(self):
        for verb in self.verbs():
            with self.subTest(verb=verb):
                done = genexx("help", verb)
                self.assertEqual(done.returncode, 0)
                self.assertEqual(done.stdout, genexx(verb, "--help").stdout)
                self.assertIn(f"genexx {verb}", done.stdout)

    def test_an_unknown_verb_exits_2_and_names_the_nearest(self):
        for words in (["inspct"], ["help", "inspct"]):
            with self.subTest(words=words):
                done = genexx(*words)
                self.assertEqual((done.returncode, done.stdout), (2, ""))
                self.assertIn("there is no verb 'inspct'; did you mean inspect?", done.stderr)

    def test_an_unknown_option_exits_2_and_names_the_nearest(self):
        done = genexx("inspect", "--jsn", "x.h5ad")

        self.assertEqual((done.returncode, done.stdout), (2, ""))
        self.assertIn("--jsn", done.stderr)
        self.assertIn("Did you mean --json?", done.stderr)

    def test_errors_are_on_stderr_and_a_missing_file_exits_3(self):
        done = genexx("inspect", "/nonexistent/cells.h5ad")

        self.assertEqual((done.returncode, done.stdout), (3, ""))
        self.assertIn("/nonexistent/cells.h5ad", done.stderr)

    def test_bash_completes_verbs_and_options(self):
        def complete(*words):
            script = f'{genexx("completion", "bash").stdout}\nCOMP_WORDS=({" ".join(words)})\n' \
                     f"COMP_CWORD={len(words) - 1}\n_genexx\nprintf '%s\\n' \"${{COMPREPLY[@]}}\"\n"
            return subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True).stdout.split()

        self.assertEqual(complete("genexx", "insp"), ["inspect"])
        self.assertEqual(complete("genexx", "inspect", "--js"), ["--json"])
        self.assertEqual(complete("genexx", "help", "insp"), [])  # files, none of which begins so

    def test_words_of_a_device_that_is_not_there_exit_2_or_5(self):
        self.assertIn(genexx("bench", "--device", "cuda:99").returncode, (2, 5))


if __name__ == "__main__":
    unittest.main()
