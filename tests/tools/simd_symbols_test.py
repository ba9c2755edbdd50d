#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Objects of one instruction set share no symbol that a linker could merge into another's path."""
import glob
import os
import shutil
import subprocess
import sys
import unittest

BUILD = os.environ.get("GENEXX_BUILD_DIR", "build")
SETS = ("v2", "avx2", "avx512")
MERGED = "VWu"  # weak and unique definitions: the linker keeps one of many


def objects(instruction_set):
    return glob.glob(os.path.join(BUILD, "**", f"simd_{instruction_set}.cc.o"), recursive=True)


def defined_symbols(path):
    """(type, demangled name) of each symbol the object defines."""
    lines = subprocess.run(["nm", "-C", "--defined-only", path], capture_output=True, text=True, check=True).stdout
    for line in lines.splitlines():
        kind, name = line.split(maxsplit=2)[1:]
        yield kind, name


def shared(symbols, instruction_set):
    """Those a linker may merge with another object's, or that another set could call by name."""
    own = f"genexx::simd::{instruction_set}::"
    return [name for kind, name in symbols if (kind in MERGED or kind.isupper()) and own not in name]


class SimdSymbols(unittest.TestCase):
    def test_no_symbol_is_shared(self):
        for instruction_set in SETS:
            found = objects(instruction_set)
            self.assertTrue(found, f"no object simd_{instruction_set}.cc.o under {BUILD}")
            for path in found:
                symbols = list(defined_symbols(path))
                self.assertTrue(any(kind == "T" for kind, _ in symbols), f"{path} defines no function at all")
                self.assertEqual(shared(symbols, instruction_set), [], path)

    def test_a_planted_symbol_is_seen(self):
        self.assertEqual(shared([("W", "float std::max<float>(float, float)")], "avx2"), ["float std::max<float>(float, float)"])
        self.assertEqual(shared([("T", "genexx::simd::v2::float_table()")], "avx2"), ["genexx::simd::v2::float_table()"])
        self.assertEqual(shared([("t", "helper"), ("W", "genexx::simd::avx2::x()")], "avx2"), [])


if __name__ == "__main__":
    if not shutil.which("nm"):
        print("SKIPPED needs nm")
        sys.exit(77)
    unittest.main()
