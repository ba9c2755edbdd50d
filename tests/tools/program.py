# SPDX-License-Identifier: Apache-2.0
"""Runs the program of the build under test, for tests/tools/program_*_test.py."""
import os
import subprocess

SOURCE = os.environ.get("GENEXX_SOURCE_DIR", os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
BUILD = os.environ.get("GENEXX_BUILD_DIR", os.path.join(SOURCE, "build"))
PROGRAM = os.path.join(BUILD, "genexx")


def genexx(*words, seconds=600, **options):
    """Runs `genexx words...`; the result has returncode, stdout and stderr as text."""
    return subprocess.run([PROGRAM, *map(str, words)], capture_output=True, text=True, timeout=seconds, **options)
