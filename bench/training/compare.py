#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Training steps of a system, ours against PyTorch, interleaved in one process group on the same data.

    ninja -C build bench_training_step
    bench/training/compare.py SYSTEM [--rounds 30] [--realtime] [--out bench/results/SYSTEM_step] [sizes]

SYSTEM: scannonet, dgex, fly or transbrain; sizes as `bench_training_step --help` says, at first those of the publication.
First the gate: PyTorch trains from our exported weights on our exported batch, dropout off, and must arrive at our losses
and, in fp64, at our weights; else nothing is timed. Then every contender is a process of its own that does one round of steps
when asked; rounds take turns, in an order that rotates. PyTorch contends with several settings; one that is far behind the
best after the first round is left out. Needs PyTorch in --python (Debian: apt-get install python3-torch
libopenblas0-openmp). Writes OUT.json and OUT.md; exit code 1 where the gate fails.
"""
import argparse
import json
import os
import shlex
import statistics
import subprocess
import sys
import tempfile

from results import ROOT, default_out, origin, output, write_result
from rounds import Contender, ratio, summary

HERE = os.path.dirname(os.path.abspath(__file__))
# What rounding may do. 20 steps of scAnnoNet at a learning rate of 0.1 amplify it, so there fp32 is judged by its first step.
GATE = {("fp64", "all_losses"): 1e-9, ("fp64", "weights"): 1e-9, ("fp32", "first_loss"): 1e-5}
CALM = {**GATE, ("fp32", "all_losses"): 1e-4}
LEFT_BEHIND = 1.5  # times the best PyTorch's first round


class System:
    """What differs between the systems: how many steps a round has, what the gate exports, who contends."""

    def __init__(self, title, epochs, limits, checks, contenders, optimizers):
        self.title, self.epochs, self.limits, self.checks = title, epochs, limits, checks
        self.contenders, self.optimizers = contenders, optimizers


# Checks: options of the export. Large networks show at their own size that fp32 agrees, and at a smaller one that fp64 does.
# Contenders: (replicas, threads; 0: --threads).
SYSTEMS = {
    "scannonet": System("scAnnoNet", 3, GATE, [[]], [(1, 0), (10, 0), (1, 1)], ["foreach"]),
    "dgex": System("D-GEX", 1, CALM, [["--check", "f32", "--check-steps", "5"], ["--check", "f64", "--hidden", "256"]],
                   [(1, 0), (1, 1)], ["foreach", "single"]),
    "fly": System("the fly classifier", 1, CALM,
                  [["--check", "f32", "--check-steps", "3"], ["--check", "f64", "--hidden", "256", "--inputs", "2000"]],
                  [(1, 0), (1, 1)], ["foreach", "single"]),
    "transbrain": System("TransBrain", 2, CALM, [[]], [(1, 0), (10, 0), (1, 1)], ["foreach", "single"]),
}


def opponent(options, mode):
    """The command of the other side, without --data."""
    if options.system == "scannonet":
        return [options.python, os.path.join(HERE, "scannonet_pytorch.py"), mode]
    return [options.python, os.path.join(HERE, "step_pytorch.py"), options.system, mode]


def sizes_in(path):
    """The sizes our program wrote beside the data."""
    with open(path, "rb") as file:
        found = json.loads(file.read(int.from_bytes(file.read(8), "little")))["__metadata__"]
    return {name: value for name, value in found.items() if name != "checksums"}


def check(options, folder):
    """Whether both sides do the same work: what was found, what is wrong; and the data to time on."""
    system, found, wrong, data = SYSTEMS[options.system], {}, [], None
    for i, export in enumerate(system.checks):
        path = os.path.join(folder, f"case{i}.safetensors")
        subprocess.run(options.ours + export + ["--export", path], check=True)
        found.update(json.loads(output(opponent(options, "check") + ["--data", path])))
        if i == 0:
            data = path
        else:
            os.remove(path)
    for (precision, figure), limit in system.limits.items():
        if not found[precision][figure] <= limit:
            wrong.append(f"{precision} {figure} {found[precision][figure]:.2g}, allowed {limit:.0e}")
    return found, wrong, data


def count(number, what):
    return f"{number} {what}{'' if number == 1 else 's'}"


def our_contenders(options):
    system = SYSTEMS[options.system]
    programs = []
    for replicas, threads in system.contenders:
        threads = threads or options.threads
        epochs = system.epochs if replicas == 1 else 1
        programs.append(Contender(f"genexx, {count(replicas, 'replica')}, {count(threads, 'thread')}",
                                  options.ours + ["--replicas", str(replicas), "--threads", str(threads), "--epochs",
                                                  str(epochs)], options.realtime))
    return programs


def their_contenders(options, data):
    system, sizes = SYSTEMS[options.system], sizes_in(data)
    steps = system.epochs * (int(sizes["cells"]) // int(sizes["batch"]))
    programs = []
    for threads in sorted({1, options.threads}):
        for optimizer in system.optimizers:
            command = opponent(options, "time") + ["--data", data, "--steps", str(steps), "--threads", str(threads)]
            if options.system == "scannonet":
                command += ["--batch", sizes["batch"], "--serve", str(threads)]
            else:
                command += ["--optimizer", optimizer]
            programs.append(Contender(f"PyTorch, 1 replica, {count(threads, 'thread')}, {optimizer}", command,
                                      options.realtime))
    return programs


def without_stragglers(programs):
    """One round of each: those to go on with, and the times of the others."""
    for program in programs:
        program.round()
    phases = programs[0].rounds[0]
    best = {phase: min(p.rounds[0][phase] for p in programs) for phase in phases}
    near = [p for p in programs if any(p.rounds[0][phase] <= LEFT_BEHIND * best[phase] for phase in phases)]
    left = {p.name: p.rounds[0] for p in programs if p not in near}
    for program in programs:
        program.rounds.clear()
        if program not in near:
            program.close()
    return near, left


def take_turns(options, programs):
    load = []
    for k in range(options.rounds):
        turn = k % len(programs)
        for program in programs[turn:] + programs[:turn]:
            program.round()
        load.append(os.getloadavg()[0])
        print(f"round {k + 1} of {options.rounds}, load {load[-1]:.1f}", file=sys.stderr)
    for program in programs:
        program.close()
    return [min(load), max(load)]


def measure(options, data):
    theirs, left = without_stragglers(their_contenders(options, data))
    ours = our_contenders(options)
    load = take_turns(options, ours + theirs)
    phases = list(ours[0].rounds[0])
    times = {p.name: {phase: [r[phase] for r in p.rounds] for phase in phases} for p in ours + theirs}
    best = {phase: min((p.name for p in theirs), key=lambda name: statistics.median(times[name][phase])) for phase in phases}

    def ratios(slow, fast):
        return {phase: ratio(times[slow if isinstance(slow, str) else slow[phase]][phase], times[fast][phase])
                for phase in phases}

    first = ours[0].name
    table = {f"PyTorch at its best / {p.name}": ratios(best, p.name) for p in ours}
    table.update({f"{p.name} / {first}": ratios(p.name, first) for p in ours[1:]})
    return {"contenders": {n: {phase: summary(t[phase]) for phase in phases} for n, t in times.items()},
            "left_behind": left, "ratios": table, "load_average": load, "times": times}


def table(result):
    phases = list(next(iter(result["contenders"].values())))
    lines = ["| program | " + " | ".join(f"{p}, ms a step and replica (p10 .. p90)" for p in phases) + " |",
             "| --- |" + " --- |" * len(phases)]
    for name, found in result["contenders"].items():
        cells = [f"{p['median']:.3f} ({p['p10']:.3f} .. {p['p90']:.3f})" for p in found.values()]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    for name, found in result["left_behind"].items():
        cells = [f"{p:.3f}, left out after this round" for p in found.values()]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    lines += ["", "| ratio of medians (95% interval) | " + " | ".join(phases) + " |", "| --- |" + " --- |" * len(phases)]
    for name, found in result["ratios"].items():
        cells = [f"{p['ratio']:.2f} ({p['low']:.2f} .. {p['high']:.2f})" for p in found.values()]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def report(result):
    gate, load = result["gate"], result["load_average"]
    return f"""# Training steps of {SYSTEMS[result['system']].title} against PyTorch

{result['shapes']}. {result['rounds']} rounds, interleaved.

{table(result)}

The same work: trained from the same weights, losses differ by {gate['fp64']['all_losses']:.1e} and weights by
{gate['fp64']['weights']:.1e} (relative) in fp64; the first loss by {gate['fp32']['first_loss']:.1e} in fp32.

| | |
| --- | --- |
| machine | {', '.join(f'{key} {value}' for key, value in result['machine'].items())} |
| PyTorch | {result['pytorch']} |
| date, commit | {result['date']}, {result['commit']} |
| load average | {load[0]:.1f} .. {load[1]:.1f} over the rounds; programs ran {result['priority']} |
| command | `{result['command']}` |
"""


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("system", choices=list(SYSTEMS))
    parser.add_argument("--build", default=os.path.join(ROOT, "build"))
    parser.add_argument("--python", default="/usr/bin/python3", help="the one that has torch")
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--realtime", action="store_true", help="let nothing else run during a round, for machines with other "
                        "work (root); each round is followed by a pause as long")
    parser.add_argument("--out", help="bench/results/SYSTEM_step")
    options, sizes = parser.parse_known_args()
    options.ours = [os.path.join(options.build, "bench_training_step"), options.system] + sizes
    options.out = options.out or default_out(options.system + "_step")
    return options


def main():
    options = parse()
    with tempfile.TemporaryDirectory() as folder:
        gate, wrong, data = check(options, folder)
        if wrong:
            sys.exit("not the same work: " + "; ".join(wrong))
        sizes = sizes_in(data)
        measured = measure(options, data)
    versions = "import sys; sys.path.insert(0, sys.argv[1]); import scannonet_pytorch as s; " \
               "print(s.torch.__version__, ', '.join(s.blas_libraries()), 'OMP_WAIT_POLICY=passive', sep=', ')"
    shapes = ", ".join(f"{name} {value}" for name, value in sizes.items())
    result = {"system": options.system, "shapes": shapes + ", fp32", "rounds": options.rounds, "threads": options.threads,
              "gate": gate, "pytorch": output([options.python, "-B", "-c", versions, HERE]).strip(),
              **origin(shlex.join(["bench/training/compare.py"] + sys.argv[1:]), options.realtime), **measured}
    write_result(options.out, result, report(result))


if __name__ == "__main__":
    main()
