#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The commands of README.md, docs/user-guide.md, docs/scannonet.md, docs/dgex.md, docs/fly.md, docs/transbrain.md, docs/tune.md and docs/parallel.md work in the order they stand in, on files of the names they use."""
import os
import re
import shlex
import tempfile
import unittest

from program import SOURCE, genexx

COMMAND = re.compile(r"^    (?:build/)?genexx (.*?)(?:\s+#.*)?$", re.M)


def read(path):
    with open(os.path.join(SOURCE, path), encoding="utf-8") as file:
        return file.read()


class Docs(unittest.TestCase):
    def run_commands_of(self, path, at_least=4, files=None):
        commands = COMMAND.findall(read(path))
        self.assertGreaterEqual(len(commands), at_least)
        with tempfile.TemporaryDirectory() as folder:
            for seed, name in ((1, "my.h5ad"), (1, "new.h5ad")):
                done = genexx("simulate", "--cells", 300, "--genes", 600, "--types", 3, "--seed", seed, "--out", name, cwd=folder)
                self.assertEqual(done.returncode, 0, done.stderr)
            for name, text in (files or {}).items():
                with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
                    file.write(text)
            for command in commands:
                with self.subTest(command=command):
                    done = genexx(*shlex.split(command), cwd=folder)
                    self.assertEqual(done.returncode, 0, done.stderr)

    def test_the_commands_of_the_readme_work(self):
        self.run_commands_of("README.md")

    def test_the_commands_of_the_user_guide_work(self):
        self.run_commands_of("docs/user-guide.md")

    def test_the_commands_of_the_scannonet_page_work(self):
        self.run_commands_of("docs/scannonet.md", at_least=5)

    def test_the_commands_of_the_dgex_page_work(self):
        self.run_commands_of("docs/dgex.md", at_least=6)

    def test_the_commands_of_the_fly_page_work(self):
        own = re.search(r"^    (\{.*?\}\})$", read("docs/fly.md"), re.M | re.S).group(1)

        self.run_commands_of("docs/fly.md", at_least=5, files={"own.json": own})

    def test_the_commands_of_the_transbrain_page_work(self):
        self.run_commands_of("docs/transbrain.md", at_least=6)

    def test_the_commands_of_the_tune_page_work(self):
        search = re.search(r"^    (\{.*?\}\})$", read("docs/tune.md"), re.M | re.S).group(1)

        self.run_commands_of("docs/tune.md", at_least=3, files={"search.json": search})

    def test_the_commands_of_the_page_on_several_processes_work(self):
        self.run_commands_of("docs/parallel.md", at_least=1)

    def test_the_readme_lists_exactly_the_verbs_of_the_program(self):
        rows = re.findall(r"^\| (`.*?`) \|", read("README.md"), re.M)
        listed = {verb for row in rows for verb in re.findall(r"`([\w-]+)`", row)}

        words = genexx("completion", "bash").stdout.split('help) words="')[1].split('"')[0].split()

        self.assertEqual(listed, set(words))

    def test_options_named_in_the_user_guide_exist(self):
        known = set(re.findall(r"--[\w-]+", genexx("completion", "bash").stdout))

        named = set(re.findall(r"--[a-z][\w-]+", read("docs/user-guide.md")))

        self.assertEqual(named - known, set())


if __name__ == "__main__":
    unittest.main()
