#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The gate of bench/training: an opponent that does the same work is timed, one that does other work is not, and says why."""
import json
import os
import subprocess
import sys
import tempfile
import unittest

from program import BUILD, SOURCE, need

need("numpy", "torch")

PROGRAM = os.path.join(BUILD, "bench_training_step")
OPPONENTS = os.path.join(SOURCE, "bench", "training", "opponents")
SIZES = {"dgex": ["--cells", "60", "--batch", "20", "--inputs", "43", "--outputs", "30", "--hidden", "24", "--layers", "2"],
         "fly": ["--cells", "60", "--batch", "20", "--inputs", "200", "--outputs", "5", "--hidden", "24", "--density", "0.1"],
         "transbrain": ["--cells", "60", "--batch", "20", "--inputs", "42", "--outputs", "5", "--hidden", "24"],
         "scannonet": ["--cells", "60", "--batch", "20", "--inputs", "64", "--outputs", "5"]}
EAGER = """
import sys
sys.path.insert(0, sys.argv.pop(1))
from protocol import main
from torch_opponent import TorchOpponent
class Planted(TorchOpponent):
    name = "planted"
{body}
main(Planted)
"""
# What is planted: the body of the class, and what the gate must say.
PLANTED = {
    "another loss": ("    def loss(self, phase, rows):\n        loss, parts = super().loss(phase, rows)\n"
                     "        return 1.001 * loss, parts", "gradient of"),
    "another optimizer": ("    def optimizer(self, phase):\n        phase.momentum = 0.4\n        return super().optimizer(phase)",
                          "weights"),
    "another batch": ("    def put(self, x, truth):\n        super().put(x[::-1].copy(), truth)", "gradient of"),
    "less precision": ("    def loss(self, phase, rows):\n        self.options.precision = 'bf16'\n"
                       "        found = super().loss(phase, rows)\n        self.options.precision = 'fp32'\n        return found",
                       "gradient of"),
}


@unittest.skipUnless(os.path.exists(PROGRAM), "this build has no training bench")
class Race(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="genexx-race-")
        cls.addClassCleanup(cls.folder.cleanup)
        for system, sizes in SIZES.items():
            subprocess.run([PROGRAM, system, *sizes, "--check", "f64", "--export", cls.case(system)], check=True)

    @classmethod
    def case(cls, system):
        return os.path.join(cls.folder.name, system)

    def answers(self, system, body="    pass"):
        done = subprocess.run([sys.executable, "-B", "-c", EAGER.format(body=body), OPPONENTS, system, "--data",
                               self.case(system), "--warm-steps", "2", "--chunk", "2"], input="0.01\n", capture_output=True,
                              text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        return [json.loads(line) for line in done.stdout.splitlines()]

    def test_every_system_does_the_same_work_in_pytorch(self):
        for system in SIZES:
            with self.subTest(system):
                ready, window = self.answers(system)
                self.assertNotIn("left_out", ready)
                gradients = [found["distance"] for what, found in ready["gate"].items() if what.startswith("gradient")]
                self.assertEqual(len(gradients), 2 if system == "scannonet" else 1)
                self.assertLess(max(gradients), 1e-5)
                self.assertGreater(min(window["ms"].values()), 0)

    def test_what_does_other_work_is_left_out(self):
        for name, (body, said) in PLANTED.items():
            with self.subTest(name):
                answers = self.answers("dgex", body)
                self.assertEqual(len(answers), 1)
                self.assertIn("the gate: ", answers[0]["left_out"])
                self.assertIn(said, answers[0]["left_out"])

    def test_our_gate_sees_what_differs_from_f64(self):
        for system, sizes in SIZES.items():
            with self.subTest(system):
                done = subprocess.run([PROGRAM, system, *sizes, "--gate", "--check-steps", "5"], capture_output=True, text=True,
                                      check=True)
                found = json.loads(done.stdout)
                self.assertTrue(found["same_bytes_twice"] and found["same_bytes_in_every_form"])
                self.assertTrue(0 < found["gradient"]["distance"] < 1e-5, found)
                self.assertTrue(0 < found["weights"]["distance"] < 1e-4, found)

    def test_a_model_is_trained_from_the_exported_data(self):
        system, model = "transbrain", os.path.join(self.folder.name, "model")
        train = [PROGRAM, system, *SIZES[system], "--epochs", "2", "--model", model]
        subprocess.run([*train, "--from", self.case(system)], check=True)
        with open(model, "rb") as file:
            read = file.read()
        subprocess.run(train, check=True)
        with open(model, "rb") as file:
            self.assertEqual(file.read(), read)  # the data are the case's own
        other = subprocess.run([*train, "--from", self.case("dgex")], capture_output=True, text=True, check=False)
        self.assertEqual(other.returncode, 3, other.stderr)
        self.assertIn("other sizes", other.stderr)


if __name__ == "__main__":
    unittest.main()
