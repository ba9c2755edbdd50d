#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""tools/gpu-check, rehearsed without a GPU: every part starts, says what became of its steps, and leaves its results."""
import json
import os
import stat
import subprocess
import sys
import tempfile
import unittest

ROOT = os.environ.get("GENEXX_SOURCE_DIR", os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
BUILD = os.environ.get("GENEXX_BUILD_DIR", os.path.join(ROOT, "build"))
SCRIPT = os.path.join(ROOT, "tools", "gpu-check")
KEYS = {"part", "gpu", "cuda", "rehearsal", "limit_s", "date", "command", "seconds", "green", "steps"}
STEP_KEYS = {"step", "verdict", "exit_code", "seconds", "summary", "device_before", "device_after"}


def gpu_check(folder, *words, build=BUILD):
    """(exit code, {part: its JSON}, stdout + stderr)."""
    done = subprocess.run([sys.executable, SCRIPT, "--out", folder, "--build", build, *words], capture_output=True, text=True,
                          check=False)
    results = {}
    for name in os.listdir(folder):
        with open(os.path.join(folder, name), encoding="utf-8") as file:
            result = json.load(file) if name.endswith(".json") else {}
        if "part" in result:
            results[result["part"]] = result
    return done.returncode, results, done.stdout + done.stderr


def pretend(folder, **programs):
    """A build folder whose programs are these shell scripts."""
    for name, script in programs.items():
        path = os.path.join(folder, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write("#!/bin/sh\n" + script + "\n")
        os.chmod(path, os.stat(path).st_mode | stat.S_IXUSR)


class GpuCheck(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory(prefix="genexx-gpu-check-")
        self.addCleanup(scratch.cleanup)
        self.folder, self.build = os.path.join(scratch.name, "out"), os.path.join(scratch.name, "build")
        os.mkdir(self.folder)
        os.mkdir(self.build)

    def check_shape(self, result):
        self.assertEqual(set(result), KEYS)
        self.assertLessEqual(result["limit_s"], 540)
        for step in result["steps"]:
            self.assertEqual(set(step), STEP_KEYS)
            self.assertIn(step["verdict"], ("passed", "failed", "over its time", "left out"))

    @unittest.skipUnless(os.path.exists(os.path.join(BUILD, "bench_kernels")), "this build has no benches")
    def test_the_parts_run_without_a_gpu(self):
        status, parts, said = gpu_check(self.folder, "--rehearse", "--part", "build", "--part", "sanitizer", "--part", "first",
                                        "--part", "kernels")
        self.assertEqual(status, 0, said)
        self.assertEqual(set(parts), {"build", "sanitizer", "first", "kernels"})
        for result in parts.values():
            self.check_shape(result)
            self.assertTrue(result["green"] and result["rehearsal"])
        verdicts = {name: [step["verdict"] for step in result["steps"]] for name, result in parts.items()}
        self.assertEqual(verdicts["build"], ["passed"])
        self.assertEqual(verdicts["sanitizer"], ["left out"] * 3)
        self.assertIn("passed", verdicts["first"])
        self.assertEqual(verdicts["kernels"], ["passed"] * 3)
        with open(os.path.join(self.folder, "kernels_cpu.json"), encoding="utf-8") as file:
            self.assertEqual({case["op"] for case in json.load(file)["results"]}, {"dropout"})
        with open(os.path.join(self.folder, "break_even.md"), encoding="utf-8") as file:
            self.assertRegex(file.read(), "- fp32: (dense is faster from|stored cells are faster)")
        with open(os.path.join(self.folder, "report.md"), encoding="utf-8") as file:
            report = file.read()
        self.assertEqual(report.count("| sanitizer |"), 3)

    @unittest.skipUnless(os.path.exists(os.path.join(BUILD, "bench_training_step")), "this build has no training bench")
    def test_a_training_part_times_whoever_passes_the_gate(self):
        python = "/usr/bin/python3" if os.path.exists("/usr/bin/python3") else sys.executable
        status, parts, said = gpu_check(self.folder, "--rehearse", "--part", "train-transbrain-fp32", "--python", python)
        self.assertEqual(status, 0, said)
        self.check_shape(parts["train-transbrain-fp32"])
        with open(os.path.join(self.folder, "transbrain_fp32.json"), encoding="utf-8") as file:
            result = json.load(file)
        self.assertEqual(set(result["workloads"]), {"tiny", "tiny, K 3"})
        for found in result["workloads"].values():
            self.assertGreater(found["contenders"]["genexx fp32"]["train"]["median"], 0)
            gate = found["gates"]["genexx fp32"]
            self.assertTrue(gate["same_bytes_twice"])
            self.assertLess(gate["gradient"]["distance"], 1e-5)
            self.assertGreater(gate["gradient"]["distance"], 0)
            self.assertRegex(found["left_out"]["A4"], "needs a GPU|No module named")
        with open(os.path.join(self.folder, "transbrain_fp32.jsonl"), encoding="utf-8") as file:
            lines = [json.loads(line) for line in file]
        self.assertTrue(lines)
        for line in lines:
            self.assertLessEqual({"workload", "contender", "window", "ms", "date", "machine", "command", "bytes"}, set(line))

    def test_a_failing_step_fails_the_part_and_the_script(self):
        pretend(self.build, genexx_tests="echo '[doctest] test cases: 3 | 2 passed | 1 failed'; exit 1")
        status, parts, said = gpu_check(self.folder, "--rehearse", "--part", "tests", build=self.build)
        self.assertEqual(status, 1)
        self.assertFalse(parts["tests"]["green"])
        step = parts["tests"]["steps"][0]
        self.assertEqual((step["verdict"], step["exit_code"]), ("failed", 1))
        self.assertIn("1 failed", step["summary"])
        self.assertIn("something failed", said)

    def test_a_program_that_is_missing_is_a_failure_not_a_crash(self):
        pretend(self.build, genexx_tests="exit 0")
        status, parts, _ = gpu_check(self.folder, "--rehearse", "--part", "kernels", build=self.build)
        self.assertEqual(status, 1)
        self.assertEqual(parts["kernels"]["steps"][0]["exit_code"], 127)

    def test_usage(self):
        status, _, said = gpu_check(self.folder, "--part", "nonsense")
        self.assertEqual(status, 2)
        self.assertIn("train-fly-bf16", said)
        status, _, said = gpu_check(self.folder, "--rehearse", "--part", "tests", build=self.build)
        self.assertEqual(status, 1)
        self.assertIn("--part build first", said)

    def test_every_part_is_listed(self):
        _, _, said = gpu_check(self.folder, "--list")
        for part in ("build", "tests", "sanitizer", "first", "kernels", "train-dgex-tf32", "train-scannonet-fp32"):
            self.assertIn(part + " ", said)


if __name__ == "__main__":
    unittest.main()
