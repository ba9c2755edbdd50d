# SPDX-License-Identifier: Apache-2.0
"""Runs the program of the build under test, for tests/tools/program_*_test.py."""
import importlib
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

SOURCE = os.environ.get("GENEXX_SOURCE_DIR", os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
BUILD = os.environ.get("GENEXX_BUILD_DIR", os.path.join(SOURCE, "build"))
PROGRAM = os.path.join(BUILD, "genexx")


def genexx(*words, seconds=600, **options):
    """Runs `genexx words...`; the result has returncode, stdout and stderr as text."""
    return subprocess.run([PROGRAM, *map(str, words)], capture_output=True, text=True, timeout=seconds, **options)


SYSTEM_PYTHON = "/usr/bin/python3"  # whose packages the distribution installs


def need(*modules):
    """Makes sure that the modules can be imported: by this Python, else the test starts again under the system's, else it
    is skipped."""
    try:
        for name in modules:
            importlib.import_module(name)
        return
    except ImportError as error:
        missing = error
    wanted = "; ".join(f"import {name}" for name in modules)
    if sys.executable != SYSTEM_PYTHON and os.path.exists(SYSTEM_PYTHON) and subprocess.run(
            [SYSTEM_PYTHON, "-c", wanted], stderr=subprocess.DEVNULL, check=False).returncode == 0:
        os.execv(SYSTEM_PYTHON, [SYSTEM_PYTHON, *sys.argv])
    print(f"skipped: {missing}")
    sys.exit(77)


class ProgramTest(unittest.TestCase):
    """Tests that share a folder, `folder`, which setUpClass fills after calling this one's."""

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="genexx-program-")

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder)

    @classmethod
    def must(cls, *words):
        """Runs the program, which must succeed."""
        done = genexx(*words)
        if done.returncode:
            raise AssertionError(f"genexx {' '.join(map(str, words))} ended with {done.returncode}: {done.stderr}")
        return done

    @classmethod
    def path(cls, *names):
        return os.path.join(cls.folder, *names)
