#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Training steps of scAnnoNet, ours against PyTorch, interleaved in one process group on the same data.

    ninja -C build bench_scannonet_step && bench/training/compare.py [--rounds 30] [--out bench/results/scannonet_step]

First the gate: PyTorch trains from our exported weights on our exported batch (dropout off, 20 steps of each phase, fp64 and
fp32) and must arrive at our losses and weights; else nothing is timed. Then every contender is a process of its own that does
one round (about 50 steps of each phase) when asked; rounds take turns, in an order that rotates. Needs PyTorch in --python
(Debian: apt-get install python3-torch libopenblas0-openmp). Writes OUT.json and OUT.md; exit code 1 where the gate fails.
"""
import argparse
import datetime
import json
import os
import platform
import random
import shlex
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
# What rounding may do. 20 steps at a learning rate of 0.1 amplify it, so fp32 is judged by its first step alone.
GATE = {("fp64", "all_losses"): 1e-9, ("fp64", "weights"): 1e-9, ("fp32", "first_loss"): 1e-5}


class Contender:
    """A program that answers a line with the milliseconds of a step of each phase."""

    def __init__(self, name, command, realtime):
        self.name, self.rounds, self.realtime = name, [], realtime
        self.process = subprocess.Popen((["chrt", "--rr", "1"] if realtime else []) + command, stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True, env={**os.environ, "OMP_WAIT_POLICY": "passive"})

    def round(self):
        begin = time.monotonic()
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        self.rounds.append([answer["phase1_ms"], answer["phase2_ms"]])
        if self.realtime:  # the others' turn; Linux stops real-time work that takes over 95% of a second
            time.sleep(time.monotonic() - begin)

    def close(self):
        self.process.stdin.close()
        self.process.wait()


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


def output(command, **more):
    return subprocess.run(command, check=True, capture_output=True, text=True, **more).stdout


def machine():
    fields = dict(line.split(":", 1) for line in output(["lscpu"]).splitlines() if ":" in line)
    fields = {key.strip(): value.strip() for key, value in fields.items()}
    keep = ("Model name", "CPU family", "Model", "CPU(s)", "L2 cache", "L3 cache", "Hypervisor vendor")
    return {**{key: fields[key] for key in keep if key in fields}, "system": platform.platform()}


def commit():
    try:
        return output(["git", "-C", ROOT, "describe", "--always", "--dirty"]).strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def now():
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC")


def check(options, data):
    """Whether both sides do the same work."""
    found = json.loads(output([options.python, os.path.join(HERE, "scannonet_pytorch.py"), "check", "--data", data]))
    wrong = [f"{precision} {figure} {found[precision][figure]:.2g}, allowed {limit:.0e}"
             for (precision, figure), limit in GATE.items() if not found[precision][figure] <= limit]
    return found, wrong


def contenders(options, data, steps):
    pytorch = [options.python, os.path.join(HERE, "scannonet_pytorch.py"), "time", "--data", data, "--batch",
               str(options.batch), "--steps", str(steps)]
    all_of_them = []
    for replicas, threads in ((1, options.threads), (10, options.threads), (1, 1)):
        all_of_them.append(Contender(f"genexx, {replicas} replica{'s' if replicas > 1 else ''}, {threads} threads",
                                     options.ours + ["--replicas", str(replicas), "--threads", str(threads),
                                                     "--epochs", "3" if replicas == 1 else "1"], options.realtime))
    for threads in sorted({1, options.threads}):
        all_of_them.append(Contender(f"PyTorch, 1 replica, {threads} threads",
                                     pytorch + ["--threads", str(threads), "--serve", str(threads)],
                                     options.realtime))
    return all_of_them


def table(result):
    lines = ["| program | phase 1, ms a step and replica (p10 .. p90) | phase 2 |", "| --- | --- | --- |"]
    for name, phases in result["contenders"].items():
        cells = [f"{p['median']:.3f} ({p['p10']:.3f} .. {p['p90']:.3f})" for p in phases.values()]
        lines.append(f"| {name} | {cells[0]} | {cells[1]} |")
    lines += ["", "| ratio of medians (95% interval) | phase 1 | phase 2 |", "| --- | --- | --- |"]
    for name, phases in result["ratios"].items():
        cells = [f"{p['ratio']:.2f} ({p['low']:.2f} .. {p['high']:.2f})" for p in phases.values()]
        lines.append(f"| {name} | {cells[0]} | {cells[1]} |")
    return "\n".join(lines)


def report(result):
    gate = result["gate"]
    load = result["load_average"]
    return f"""# Training steps of scAnnoNet against PyTorch

{result['shapes']}. {result['rounds']} rounds, interleaved.

{table(result)}

The same work: after {gate['steps_of_each_phase']} steps of each phase from the same weights, losses differ by
{gate['fp64']['all_losses']:.1e} and weights by {gate['fp64']['weights']:.1e} (relative) in fp64; the first loss by
{gate['fp32']['first_loss']:.1e} in fp32.

| | |
| --- | --- |
| machine | {', '.join(f'{key} {value}' for key, value in result['machine'].items())} |
| PyTorch | {result['pytorch']} |
| date, commit | {result['date']}, {result['commit']} |
| load average | {load[0]:.1f} .. {load[1]:.1f} over the rounds; programs ran {result['priority']} |
| command | `{result['command']}` |
"""


def measure(options, data):
    steps_of_epoch = -(-4096 // options.batch)
    steps = 3 * steps_of_epoch
    programs = contenders(options, data, steps)
    load = []
    for k in range(options.rounds):
        turn = k % len(programs)
        for program in programs[turn:] + programs[:turn]:
            program.round()
        load.append(os.getloadavg()[0])
        print(f"round {k + 1} of {options.rounds}, load {load[-1]:.1f}", file=sys.stderr)
    for program in programs:
        program.close()
    times = {p.name: [[r[phase] for r in p.rounds] for phase in range(2)] for p in programs}
    one, ten, single = list(times)[:3]
    best = [min(list(times)[3:], key=lambda name: statistics.median(times[name][phase])) for phase in range(2)]

    def ratios(slow, fast):
        return {f"phase{k + 1}": ratio(times[slow[k]][k], times[fast[k]][k]) for k in range(2)}

    return {"contenders": {n: {f"phase{k + 1}": summary(t[k]) for k in range(2)} for n, t in times.items()},
            "ratios": {f"PyTorch at its best / {one}": ratios(best, [one] * 2),
                       f"PyTorch at its best / {single}": ratios(best, [single] * 2),
                       f"{single} / {one}": ratios([single] * 2, [one] * 2),
                       f"{one} / {ten}": ratios([one] * 2, [ten] * 2)},
            "load_average": [min(load), max(load)], "times": times}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default=os.path.join(ROOT, "build"))
    parser.add_argument("--python", default="/usr/bin/python3", help="the one that has torch")
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--realtime", action="store_true", help="let nothing else run during a round, for machines with other "
                        "work (root); each round is followed by a pause as long")
    parser.add_argument("--genes", type=int, default=2000)
    parser.add_argument("--classes", type=int, default=10)
    parser.add_argument("--batch", type=int, default=256)
    parser.add_argument("--density", type=float, default=0.15)
    parser.add_argument("--out", default=os.path.join(ROOT, "bench", "results", "scannonet_step"))
    options = parser.parse_args()
    options.ours = [os.path.join(options.build, "bench_scannonet_step"), "--genes", str(options.genes), "--classes",
                    str(options.classes), "--batch", str(options.batch), "--density", str(options.density)]
    with tempfile.TemporaryDirectory() as folder:
        data = os.path.join(folder, "case.safetensors")
        subprocess.run(options.ours + ["--export", data], check=True)
        gate, wrong = check(options, data)
        if wrong:
            sys.exit("not the same work: " + "; ".join(wrong))
        measured = measure(options, data)
    versions = "import torch, sys; sys.path.insert(0, sys.argv[1]); import scannonet_pytorch as s; " \
               "print(torch.__version__, ', '.join(s.blas_libraries()), 'OMP_WAIT_POLICY=passive', sep=', ')"
    result = {"shapes": f"{options.genes} genes, {options.classes} classes, batch {options.batch}, fp32, 4096 simulated "
                        f"cells with {options.density:.0%} of the counts non-zero",
              "rounds": options.rounds, "threads": options.threads, "priority": "with real-time priority" if options.realtime else "with usual priority", "gate": gate, "machine": machine(),
              "pytorch": output([options.python, "-B", "-c", versions, HERE]).strip(),
              "date": now(), "commit": commit(),
              "command": shlex.join(["bench/training/compare.py"] + sys.argv[1:]), **measured}
    with open(options.out + ".json", "w", encoding="utf-8") as file:
        json.dump(result, file, indent=1)
        file.write("\n")
    with open(options.out + ".md", "w", encoding="utf-8") as file:
        file.write(report(result))
    print(report(result))


if __name__ == "__main__":
    main()
