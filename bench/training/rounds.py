# SPDX-License-Identifier: Apache-2.0
"""Programs that take turns, and what their windows say."""
import json
import os
import random
import statistics
import subprocess
import sys
import time


def quantile(values, q):
    ordered = sorted(values)
    return ordered[round(q * (len(ordered) - 1))]


def summary(values):
    return {"median": statistics.median(values), "p10": quantile(values, 0.1), "p90": quantile(values, 0.9)}


def ratio(slow, fast):
    """Ratio of the medians with a 95% bootstrap interval over rounds, which are drawn in pairs."""
    pairs, draw = list(zip(slow, fast)), random.Random(0)
    ratios = []
    for _ in range(2000):
        sample = draw.choices(pairs, k=len(pairs))
        ratios.append(statistics.median(p[0] for p in sample) / statistics.median(p[1] for p in sample))
    return {"ratio": statistics.median(slow) / statistics.median(fast), "low": quantile(ratios, 0.025),
            "high": quantile(ratios, 0.975)}


class Contender:
    """A program that answers a line with the milliseconds of a step of each phase."""

    def __init__(self, name, command, realtime):
        self.name, self.rounds, self.realtime, self.last = name, [], realtime, None
        self.process = subprocess.Popen((["chrt", "--rr", "1"] if realtime else []) + command, stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True, env={**os.environ, "OMP_WAIT_POLICY": "passive"})

    def ask(self, line=""):
        """The answer to a line; {} where the program has ended."""
        try:
            self.process.stdin.write(line + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            return {}
        return self.answer()

    def answer(self):
        line = self.process.stdout.readline()
        return json.loads(line) if line else {}

    def round(self, line=""):
        begin = time.monotonic()
        self.last = self.ask(line)
        if "ms" not in self.last:
            sys.exit(f"{self.name} ended in the middle of a round, exit code {self.process.wait()}")
        self.rounds.append(self.last["ms"])
        if self.realtime:  # the others' turn; Linux stops real-time work that takes over 95% of a second
            time.sleep(time.monotonic() - begin)
        return self.last

    def close(self):
        self.process.stdin.close()
        self.process.wait()
