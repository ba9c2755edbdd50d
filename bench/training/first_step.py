#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How long after its start `genexx train` has done its first training step, and how much memory the run needs.

    bench/training/first_step.py DATA --label COLUMN [--runs 5] [--realtime] [--out bench/results/first_step] [train options]

Runs `genexx train` with a warm file cache (the first run is not counted) and one epoch of each phase, reads
first_step_seconds from log.jsonl and seconds and peak memory from metrics.json, prints a table and writes OUT.json and OUT.md.
"""
import argparse
import json
import os
import shlex
import statistics
import subprocess
import sys
import tempfile

from results import ROOT, default_out, origin, write_result


def one_run(options, more):
    with tempfile.TemporaryDirectory() as folder:
        command = [os.path.join(options.build, "genexx"), "train", options.data, "--label", options.label, "--threads",
                   str(options.threads), "--set", "train.epochs=1", "--set", "train.pretrain_epochs=1", "--quiet", "--out",
                   os.path.join(folder, "run")] + more
        subprocess.run((["chrt", "--rr", "1"] if options.realtime else []) + command, check=True, stderr=subprocess.DEVNULL)
        with open(os.path.join(folder, "run", "log.jsonl"), encoding="utf-8") as file:
            log = [json.loads(line) for line in file]
        with open(os.path.join(folder, "run", "metrics.json"), encoding="utf-8") as file:
            metrics = json.load(file)
    first = next(line["first_step_seconds"] for line in log if line["event"] == "trained")
    return {"first_step": first, "read": metrics["seconds"]["read"], "prepare": metrics["seconds"]["prepare"],
            "peak_memory_bytes": metrics["peak_memory_bytes"]}


def report(result):
    lines = [f"| {name} | {figure['median']:.3f} | {figure['least']:.3f} .. {figure['most']:.3f} |"
             for name, figure in result["seconds"].items()]
    return f"""# From the start of `genexx train` to the first training step

| seconds | median | range of {result['runs']} runs |
| --- | --- | --- |
{chr(10).join(lines)}

Peak memory {result['peak_memory_bytes'] / 1e6:.0f} MB.

| | |
| --- | --- |
| machine | {', '.join(f'{key} {value}' for key, value in result['machine'].items())} |
| date, commit | {result['date']}, {result['commit']} |
| load average | {result['load_average']:.1f}; the program ran {result['priority']} |
| command | `{result['command']}` |
"""


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data")
    parser.add_argument("--label", required=True)
    parser.add_argument("--build", default=os.path.join(ROOT, "build"))
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--realtime", action="store_true", help="let nothing else run meanwhile (root)")
    parser.add_argument("--out", default=default_out("first_step"))
    options, more = parser.parse_known_args()
    runs = [one_run(options, more) for _ in range(options.runs + 1)][1:]
    names = {"first_step": "first step done", "read": "of that, reading", "prepare": "of that, preparing"}
    seconds = {name: {"median": statistics.median(r[key] for r in runs), "least": min(r[key] for r in runs),
                      "most": max(r[key] for r in runs)} for key, name in names.items()}
    shown = [os.path.basename(a) if a == options.data else a for a in sys.argv[1:]]
    result = {"seconds": seconds, "runs": options.runs, "threads": options.threads,
              "peak_memory_bytes": max(r["peak_memory_bytes"] for r in runs), "load_average": os.getloadavg()[0],
              **origin(shlex.join(["bench/training/first_step.py"] + shown), options.realtime)}
    write_result(options.out, result, report(result))


if __name__ == "__main__":
    main()
