#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The memory of prepare-dgex and of predict for D-GEX does not grow with the number of profiles."""
import subprocess
import time
import unittest

from program import PROGRAM, ProgramTest

GENES = 1000
FEW, MANY = 8000, 24000
MB = 1 << 20


def peak_bytes(*words):
    """Of a run that must succeed: VmHWM, looked at until it ends; what it held in its last millisecond is missed."""
    with subprocess.Popen([PROGRAM, *map(str, words)], stderr=subprocess.PIPE, text=True) as process:
        peak = 0
        while process.poll() is None:
            try:
                with open(f"/proc/{process.pid}/status", encoding="ascii") as file:
                    peak = max([peak, *(int(line.split()[1]) * 1024 for line in file if line.startswith("VmHWM"))])
            except (FileNotFoundError, ProcessLookupError):
                pass
            time.sleep(0.001)
        message = process.stderr.read()
    if process.returncode:
        raise AssertionError(f"genexx {' '.join(map(str, words))} ended with {process.returncode}: {message}")
    return peak


class Memory(ProgramTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for count in (FEW, MANY):
            cls.must("simulate", "--kind", "landmarks", "--samples", count, "--landmarks", 50, "--targets", GENES - 50, "--seed", 1,
                     "--copies", 0.01, "--out", cls.path(f"{count}.gctx"))

    def peaks(self, words):
        return [peak_bytes(*words(count), "--threads", 1) for count in (FEW, MANY)]

    def expect_flat(self, peaks):
        growth, data = peaks[1] - peaks[0], (MANY - FEW) * GENES * 4
        self.assertLess(growth, data / 8, f"{peaks[0] / MB:.0f} MB for {FEW} profiles, {peaks[1] / MB:.0f} MB for {MANY}")

    def test_of_prepare_dgex(self):
        self.expect_flat(self.peaks(lambda count: (
            "prepare-dgex", "--geo", self.path(f"{count}.gctx"), "--map", self.path(f"{count}.map.tsv"), "--landmarks",
            self.path(f"{count}.landmarks.txt"), "--clusters", 20, "--batch-size", 500, "--passes", 1, "--out",
            self.path(f"prepared{count}"))))

    def test_of_predict(self):
        self.must("train", self.path(f"{FEW}.gctx"), "--model", "dgex", "--landmarks", self.path(f"{FEW}.landmarks.txt"), "--out",
                  self.path("run"), "--set", "network.hidden=50", "--set", "train.epochs=1", "--set", "baseline.method=none")

        self.expect_flat(self.peaks(lambda count: (
            "predict", self.path("run"), self.path(f"{count}.gctx"), "--out", self.path(f"inferred{count}.gctx"))))


if __name__ == "__main__":
    unittest.main()
