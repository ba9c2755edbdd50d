#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""genexx slurm-script: a script that bash takes, that starts the command given and goes on after a stop."""
import os
import shutil
import stat
import subprocess
import unittest

from program import PROGRAM, ProgramTest, genexx

COMMAND = ["train", "--model", "scannonet", "my cells.h5ad", "--label", "cell type", "--out", "the model"]


class SlurmScript(ProgramTest):
    def script(self, *words, command=None):
        done = self.must("slurm-script", *words, "--", *(command or COMMAND))
        return done.stdout

    def run_script(self, script, srun_code):
        """Runs it with an srun that notes its words and ends with a code, and an scontrol that notes its own."""
        here = self.path(f"job{srun_code}")
        shutil.rmtree(here, ignore_errors=True)
        os.makedirs(os.path.join(here, "bin"))
        for name, code in (("srun", srun_code), ("scontrol", 0)):
            path = os.path.join(here, "bin", name)
            with open(path, "w", encoding="utf-8") as file:
                file.write(f'#!/bin/bash\nprintf "%s\\n" "$@" > {name}.words\nexit {code}\n')
            os.chmod(path, os.stat(path).st_mode | stat.S_IXUSR)
        environment = {**os.environ, "PATH": os.path.join(here, "bin") + ":" + os.environ["PATH"], "SLURM_JOB_ID": "77"}

        def again():
            return subprocess.run(["bash", "-c", script], cwd=here, env=environment, capture_output=True, text=True, check=False)

        return here, again

    def words_of(self, here, name):
        with open(os.path.join(here, f"{name}.words"), encoding="utf-8") as file:
            return file.read().splitlines()

    def test_it_asks_for_what_was_said(self):
        lines = self.script("--nodes", 2, "--gpus-per-node", 4, "--time", "12:00:00", "--cpus-per-task", 8, "--partition", "gpu",
                            "--account", "lab", "--mem", "64G", "--setup", "module load openmpi").splitlines()

        for line in ("nodes=2", "ntasks-per-node=4", "gpus-per-node=4", "cpus-per-task=8", "mem=64G", "time=12:00:00",
                     "partition=gpu", "account=lab", "signal=TERM@120"):
            self.assertIn(f"#SBATCH --{line}", lines)
        self.assertLess(lines.index("module load openmpi"), next(i for i, l in enumerate(lines) if l.startswith("srun")))

    def test_without_gpus_a_node_is_one_process(self):
        script = self.script("--nodes", 3)

        self.assertIn("#SBATCH --ntasks-per-node=1\n", script)
        self.assertNotIn("gpus", script)

    def test_the_command_arrives_word_by_word(self):
        here, run = self.run_script(self.script(), 0)

        self.assertEqual(run().returncode, 0)

        self.assertEqual(self.words_of(here, "srun"), ["--mpi=pmix", os.path.realpath(PROGRAM), *COMMAND, "--mpi"])
        self.assertFalse(os.path.exists(os.path.join(here, "scontrol.words")))

    def test_a_stopped_run_is_queued_again_and_goes_on(self):
        here, run = self.run_script(self.script(), 6)

        self.assertEqual(run().returncode, 6)
        self.assertEqual(self.words_of(here, "scontrol"), ["requeue", "77"])
        self.assertNotIn("--resume", self.words_of(here, "srun"))

        os.makedirs(os.path.join(here, "the model", "checkpoint"))
        open(os.path.join(here, "the model", "checkpoint", "state.safetensors"), "w", encoding="utf-8").close()
        run()
        self.assertEqual(self.words_of(here, "srun")[-2:], ["--mpi", "--resume"])

    def test_a_failed_run_is_not_queued_again(self):
        here, run = self.run_script(self.script(), 3)

        self.assertEqual(run().returncode, 3)

        self.assertFalse(os.path.exists(os.path.join(here, "scontrol.words")))

    def test_mistakes(self):
        for words, message in (
                (["--", "predict", "model", "new.h5ad"], "expected one of train or tune"),
                (["--", "train", "my.h5ad"], "no --out DIR"),
                (["--", *COMMAND, "--no-mpi"], "has --no-mpi"),
                (["--time", "tomorrow", "--", *COMMAND], "--time is 'tomorrow'"),
                (["--partition", "a b", "--", *COMMAND], "'a b' holds a space")):
            with self.subTest(words=words):
                done = genexx("slurm-script", *words)

                self.assertEqual(done.returncode, 2)
                self.assertIn(message, done.stderr)


if __name__ == "__main__":
    unittest.main()
