#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Plants bugs into a copy of the source, one at a time, and sees whether the tests notice: a proof of the proofs.

    planted_bugs.py FOLDER [--only PATTERN] [--jobs N] [--sanitize]

FOLDER takes the copy and its builds; it may be kept for next time.

Prints a Markdown table (docs/proofs.md holds that of a whole run). A bug of a CUDA file is looked for by the emulated
tests in three orders of threads, any other by genexx_tests; with --sanitize, what survives is looked for once more under
the address sanitizer. Tests that run ten times as long as without the bug (a minute at least) are ended: it is caught,
by the time limit. Exit status: 0 all caught, 1 some survived, 2 the campaign itself failed.
"""
import argparse
import os
import re
import shutil
import signal
import subprocess
import sys
import time

from planted_bug_list import BUGS

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
ORDERS = ("forward", "reverse,large", "random:1")
LONGEST_S = 600  # of the tests of one op without a bug, in one order
LEAST_LIMIT_S = 60


class Campaign:
    """A copy of the tracked files and up to two builds of it."""

    def __init__(self, folder, jobs):
        self.tree = os.path.join(folder, "tree")
        self.folder = folder
        self.jobs = jobs
        self.configured = set()
        self.limits = {}  # seconds the tests of an op may take, by program and op

    def copy(self):
        names = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
        for name in filter(None, names.split("\0")):
            source, target = os.path.join(ROOT, name), os.path.join(self.tree, name)
            os.makedirs(os.path.dirname(target), exist_ok=True)
            if not os.path.exists(target) or read(source) != read(target):
                shutil.copyfile(source, target)

    def build(self, program, sanitize):
        """True when it builds."""
        folder = os.path.join(self.folder, "build" + ("-" + sanitize if sanitize else ""))
        if folder not in self.configured:
            run(["cmake", "-S", self.tree, "-B", folder, "-G", "Ninja", "-DGENEXX_CUDA=OFF", f"-DGENEXX_SANITIZE={sanitize}"])
            self.configured.add(folder)
        return run(["ninja", "-C", folder, f"-j{self.jobs}", program]).returncode == 0

    def tested(self, bug, sanitize=""):
        """What noticed the bug: 'test name (order)', or nothing. Raises where the tree does not build."""
        program = "genexx_emulated_tests" if emulated(bug) else "genexx_tests"
        if not self.build(program, sanitize):
            raise RuntimeError(f"does not build: {bug.file}: {bug.new}")
        path = os.path.join(self.folder, "build" + ("-" + sanitize if sanitize else ""), program)
        limit = self.limits.get((path, bug.op), LONGEST_S)
        begin = time.monotonic()
        for order in ORDERS if emulated(bug) else ("",):
            noticed = failing_test(path, bug.op, order, limit)
            if noticed:
                where = ", ".join(filter(None, [order.split(",")[0].split(":")[0], sanitize and "address sanitizer"]))
                return f"{noticed} ({where})" if where else noticed
        self.limits.setdefault((path, bug.op), max(LEAST_LIMIT_S, 10 * (time.monotonic() - begin)))
        return ""


def emulated(bug):
    return "_cuda.cu" in bug.file or "/device/" in bug.file


def read(path):
    with open(path, "rb") as file:
        return file.read()


def run(command, **options):
    return subprocess.run(command, capture_output=True, text=True, check=False, **options)


def run_limited(command, limit, **options):
    """(status, output) of a command; None for the status where it took longer than `limit` seconds and was killed, with
    all it had started."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
                               start_new_session=True, **options)
    try:
        output = process.communicate(timeout=limit)[0]
        return process.returncode, output
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        return None, ""


def failing_test(path, op, order, limit):
    environment = dict(os.environ, GENEXX_SIMT_ORDER=order) if order else None
    status, output = run_limited([path, f"-tc={op}:*", "-ni"], limit, env=environment)
    if status is None:
        return f"time limit of {limit:.0f} s"
    if status == 0:
        return ""
    named = re.search(r"TEST CASE:\s+\w+: (.*)", output)
    return named.group(1) if named else f"ended with status {status}"


def plant(campaign, bug, sanitize):
    """What noticed the bug, or nothing."""
    path = os.path.join(campaign.tree, bug.file)
    original = read(path).decode()
    if original.count(bug.old) != 1:
        raise RuntimeError(f"{bug.file} holds {original.count(bug.old)} times: {bug.old}")
    try:
        write(path, original.replace(bug.old, bug.new))
        return campaign.tested(bug) or (campaign.tested(bug, "address") if sanitize else "")
    finally:
        write(path, original)


def write(path, text):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def row(bug, noticed):
    change = " ".join(f"`{bug.old}` -> `{bug.new}`".split()) if bug.new else "`" + " ".join(bug.old.split()) + "` removed"
    change = (change if len(change) <= 150 else change[:147] + "...`").replace("|", "\\|")
    verdict = noticed if noticed else "**survived**"
    return f"| {bug.kind} | {bug.file} | {change} | {verdict} |"


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("folder")
    options.add_argument("--only", default="", help="plant the bugs with this pattern in kind, file or op")
    options.add_argument("--sanitize", action="store_true")
    options.add_argument("--jobs", type=int, default=2)
    chosen = options.parse_args()
    campaign = Campaign(os.path.abspath(chosen.folder), chosen.jobs)
    campaign.copy()
    bugs = [bug for bug in BUGS if re.search(chosen.only, " ".join((bug.kind, bug.file, bug.op)))]
    for bug in {(bug.op, emulated(bug)): bug for bug in bugs}.values():
        if campaign.tested(bug):
            print(f"the tests of {bug.op} fail without a planted bug", file=sys.stderr)
            return 2
    print("| mistake | file | change | noticed by |\n| --- | --- | --- | --- |")
    survived = 0
    for bug in bugs:
        noticed = plant(campaign, bug, chosen.sanitize)
        survived += not noticed
        print(row(bug, noticed), flush=True)
    print(f"\n{len(bugs)} planted, {len(bugs) - survived} caught, {survived} survived")
    return 1 if survived else 0


if __name__ == "__main__":
    sys.exit(main())
