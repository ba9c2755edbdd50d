#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The program as several processes: the same results as one, one voice, stopping, resuming, lost processes, mistakes."""
import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import unittest

from program import BUILD, PROGRAM, ProgramTest, genexx

EPOCHS = ["--set", "train.epochs=8", "--set", "train.pretrain_epochs=2"]


def need_mpi():
    """Skips where mpirun or the library for it is missing; fails with GENEXX_REQUIRE_MPI=1."""
    missing = "mpirun (Debian: openmpi-bin)" if not shutil.which("mpirun") else "libgenexx_mpi.so in the build"
    if shutil.which("mpirun") and os.path.exists(os.path.join(BUILD, "libgenexx_mpi.so")):
        return
    if os.environ.get("GENEXX_REQUIRE_MPI") == "1":
        sys.exit(f"failed: needs {missing}, and GENEXX_REQUIRE_MPI=1")
    print(f"SKIPPED needs {missing}")
    sys.exit(77)


def launched(ranks, *words):
    """The command line of so many processes; a list of words for each where several are given."""
    root = ["--allow-run-as-root"] if os.geteuid() == 0 else []
    return ["mpirun", *root, "--oversubscribe", "--bind-to", "none", "-np", str(ranks), *map(str, words)]


# One machine alone: no ssh is looked for.
os.environ.setdefault("OMPI_MCA_plm", "isolated")


def mpirun(ranks, *words):
    return subprocess.run(launched(ranks, PROGRAM, *words), capture_output=True, text=True, timeout=300, check=False)


def processes_of(launcher):
    """The ids of the processes that mpirun started, ascending."""
    found = []
    for thread in os.listdir(f"/proc/{launcher}/task"):
        with open(f"/proc/{launcher}/task/{thread}/children", encoding="ascii") as file:
            found += map(int, file.read().split())
    return sorted(found)


def weights(path):
    with open(path, "rb") as file:
        file.read(int.from_bytes(file.read(8), "little"))
        return file.read()


def lines(path, *without):
    with open(path, encoding="utf-8", newline="") as file:
        return [{k: v for k, v in row.items() if k not in without} for row in csv.DictReader(file, delimiter="\t")]


class Ranks(ProgramTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.data = cls.path("cells.h5ad")
        cls.must("simulate", "--kind", "cells", "--cells", 400, "--genes", 300, "--types", 4, "--separation", 1.5, "--seed", 1,
                 "--out", cls.data)
        cls.alone = cls.must(*cls.words("alone"))

    @classmethod
    def words(cls, out, *more, model="scannonet", replicas=5):
        return ["train", "--model", model, cls.data, "--label", "cell_type", "--out", cls.path(out), "--seed", 3, "--threads",
                1, "--replicas", replicas, *(EPOCHS if model == "scannonet" else []), *more]

    def json(self, *names):
        with open(self.path(*names), encoding="utf-8") as file:
            return json.load(file)

    def epochs_logged(self, out):
        try:
            with open(self.path(out, "log.jsonl"), encoding="utf-8") as file:
                return sum('"event":"epoch"' in line for line in file)
        except FileNotFoundError:
            return 0

    def expect_same_run(self, got, want):
        self.assertEqual(sorted(os.listdir(self.path(got))), sorted(os.listdir(self.path(want))))
        self.assertEqual(weights(self.path(got, "model.safetensors")), weights(self.path(want, "model.safetensors")))
        self.assertEqual(lines(self.path(got, "history.tsv"), "seconds"), lines(self.path(want, "history.tsv"), "seconds"))
        for part in ("test", "validation", "train"):
            self.assertEqual(self.json(got, "metrics.json")[part], self.json(want, "metrics.json")[part])
        with open(self.path(got, "predictions.tsv"), "rb") as a, open(self.path(want, "predictions.tsv"), "rb") as b:
            self.assertEqual(a.read(), b.read())

    def started(self, ranks, *words):
        """A run, as soon as it has trained for some epochs."""
        run = subprocess.Popen(launched(ranks, PROGRAM, *words), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        out = words[words.index("--out") + 1]
        for _ in range(3000):
            if self.epochs_logged(out) >= 10 or run.poll() is not None:
                break
            time.sleep(0.01)
        return run

    def long_words(self, out):
        return [*self.words(out), "--set", "train.epochs=60", "--set", "train.patience=0"]

    def long_run(self):
        """One process that trains for long, once."""
        if not os.path.exists(self.path("long", "metrics.json")):
            self.must(*self.long_words("long"))

    def test_two_and_four_ranks_come_to_the_bits_of_one_and_speak_with_one_voice(self):
        for ranks in (2, 4):
            with self.subTest(ranks=ranks):
                done = mpirun(ranks, *self.words(f"ranks{ranks}"))

                self.assertEqual(done.returncode, 0, done.stderr)
                self.expect_same_run(f"ranks{ranks}", "alone")
                self.assertEqual(done.stdout, self.alone.stdout)
                self.assertEqual(done.stderr.count("report: "), 1)
                self.assertIn(f"{ranks} ranks (Open MPI", done.stderr)

    def test_ranks_without_a_replica_come_along(self):
        self.must(*self.words("fly1", "--set", "train.epochs=4", model="fly", replicas=1))
        done = mpirun(2, *self.words("fly2", "--set", "train.epochs=4", model="fly", replicas=1))

        self.assertEqual(done.returncode, 0, done.stderr)
        self.expect_same_run("fly2", "fly1")

    def test_folds_and_the_model_after_them(self):
        words = ["--folds", "3", "--refit"]
        self.must(*self.words("folds1", *words, replicas=2))
        done = mpirun(2, *self.words("folds2", *words, replicas=2))

        self.assertEqual(done.returncode, 0, done.stderr)
        self.expect_same_run("folds2", "folds1")

    def test_a_search_comes_to_the_same_trials_and_the_same_model(self):
        words = ["tune", self.data, "--model", "fly", "--label", "cell_type", "--threads", 1, "--trials", 6, "--epochs", 4,
                 "--halving", 2, "--seed", 3, "--set", "tune.units.values=[12]", "--set", "tune.layers.high=2", "--set",
                 "tune.batch.values=[32]", "--set", "train.epochs=6"]
        self.must(*words, "--out", self.path("tune1"))
        done = mpirun(2, *words, "--out", self.path("tune2"))

        self.assertEqual(done.returncode, 0, done.stderr)
        self.expect_same_run("tune2", "tune1")
        for name in ("tune.tsv", "tune_history.tsv"):
            self.assertEqual(lines(self.path("tune2", name), "seconds"), lines(self.path("tune1", name), "seconds"))

    def test_dgex(self):
        self.must("simulate", "--kind", "landmarks", "--samples", 120, "--landmarks", 12, "--targets", 20, "--out",
                  self.path("geo.gctx"), "--seed", 1)
        words = ["train", "--model", "dgex", self.path("geo.gctx"), "--landmarks", self.path("geo.landmarks.txt"), "--replicas",
                 3, "--set", "network.hidden=8", "--set", "train.epochs=3", "--threads", 1, "--seed", 2]
        self.must(*words, "--out", self.path("dgex1"))
        done = mpirun(2, *words, "--out", self.path("dgex2"))

        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(sorted(os.listdir(self.path("dgex2"))), sorted(os.listdir(self.path("dgex1"))))
        self.assertEqual(weights(self.path("dgex2", "model.safetensors")), weights(self.path("dgex1", "model.safetensors")))
        self.assertEqual(self.json("dgex2", "metrics.json")["test"], self.json("dgex1", "metrics.json")["test"])

    def test_transbrain(self):
        self.must("simulate", "--kind", "regions", "--out", self.path("regions"), "--seed", 1, "--genes", 60)
        words = ["train", "--model", "transbrain", self.path("regions"), "--replicas", 3, "--set", "train.epochs=4",
                 "--threads", 1, "--seed", 2]
        self.must(*words, "--out", self.path("brain1"))
        done = mpirun(2, *words, "--out", self.path("brain2"))

        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(sorted(os.listdir(self.path("brain2"))), sorted(os.listdir(self.path("brain1"))))
        self.assertEqual(weights(self.path("brain2", "model.safetensors")),
                         weights(self.path("brain1", "model.safetensors")))
        self.assertEqual(lines(self.path("brain2", "history.tsv"), "seconds"),
                         lines(self.path("brain1", "history.tsv"), "seconds"))

    def test_ranks_stop_together_and_another_number_of_them_goes_on(self):
        self.long_run()
        run = self.started(2, *map(str, self.long_words("stopped")))
        run.send_signal(signal.SIGUSR1)  # which mpirun hands on; SIGTERM makes it kill all a second later
        _, told = run.communicate(timeout=120)
        self.assertEqual(run.returncode, 6, told)
        self.assertEqual(told.count("the checkpoint is valid, go on with --resume"), 1, told)
        self.assertFalse(os.path.exists(self.path("stopped", "metrics.json")))

        done = mpirun(3, *self.long_words("stopped"), "--resume")

        self.assertEqual(done.returncode, 0, done.stderr)
        self.expect_same_run("stopped", "long")

    def test_a_killed_rank_ends_the_others_with_a_message_and_one_rank_goes_on(self):
        self.long_run()
        run = self.started(3, *map(str, self.long_words("killed")))
        ranks = processes_of(run.pid)
        self.assertEqual(len(ranks), 3)
        os.kill(ranks[-1], signal.SIGKILL)
        begin = time.monotonic()
        _, told = run.communicate(timeout=120)

        self.assertLess(time.monotonic() - begin, 30)
        self.assertNotEqual(run.returncode, 0)
        self.assertRegex(told, r"genexx: rank \d of 3 was lost: its process ended, or its machine; the last checkpoint is valid, "
                               r"go on with --resume")
        done = genexx(*self.long_words("killed"), "--resume")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.expect_same_run("killed", "long")

    def test_a_mistake_is_told_once_with_its_code(self):
        done = mpirun(3, *self.words("none")[:3], self.path("absent.h5ad"), *self.words("none")[4:])
        self.assertEqual(done.returncode, 3, done.stderr)
        self.assertEqual(done.stderr.count("genexx: "), 1, done.stderr)

        done = mpirun(2, *self.words("alone"))
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertEqual(done.stderr.count("is there already and not empty"), 1, done.stderr)

    def test_processes_of_different_words_are_refused(self):
        words = list(map(str, self.words("apart")))
        command = launched(1, PROGRAM, *words, "--no-refit") + [":", "-np", "1", PROGRAM, *words]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)

        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertIn("start all with the same", done.stderr)
        self.assertFalse(os.path.exists(self.path("apart")))

    def test_processes_that_are_told_to_work_alone_do(self):
        words = list(map(str, self.words("own1", "--no-mpi", replicas=1)))
        other = [self.path("own2") if w == self.path("own1") else w for w in words]
        command = launched(1, PROGRAM, *words) + [":", "-np", "1", PROGRAM, *other]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)

        self.assertEqual(done.returncode, 0, done.stderr)
        self.expect_same_run("own2", "own1")


if __name__ == "__main__":
    need_mpi()
    unittest.main()
