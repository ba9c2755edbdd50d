#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Training steps of a system, ours against every opponent, on the CPU or a GPU: same data, weights and order, taking turns.

    ninja -C build bench_training_step
    bench/training/race.py SYSTEM [--precision fp32|tf32|bf16] [--device cuda:0|cpu] [--workload NAME]... [--limit SECONDS]
        [--opponents A1,A2,...] [--windows 20] [--window-seconds 0.5] [--model-epochs 2] [--tiny] [--out bench/results/...]

For each workload: our program exports data, weights and orders; everybody passes a gate (the first step's gradients and loss,
tensor by tensor, and the weights after some steps, against f64; ours also trains twice to the same bytes) or is left out; then
windows of at least --window-seconds take turns after a warm-up. Opponents that lack something say what. The gate of the wide
networks is passed by opponents at a smaller width, by our engine at the width that is timed.

A0 the authors' loop, A1 eager, A2 tuned, A2p tuned with padded inputs, A3 compiled, A4 CUDA graph, A5 JAX, A6 JAX and torch.func
vmap over replicas; A7 is the best of A2 to A6. Writes OUT.jsonl (a line a window, with machine, date, command, clocks, power and
memory), OUT.json (medians, ratios with bootstrap intervals, gates, time from start to a trained model, what was left out) and
OUT.md. Exit code: 0; 1 where our own gate fails or nothing could be timed.
"""
import argparse
import concurrent.futures
import datetime
import json
import os
import shlex
import statistics
import subprocess
import sys
import tempfile
import time

from results import ROOT, default_out, origin, write_result
from rounds import Contender, ratio, summary

HERE = os.path.dirname(os.path.abspath(__file__))
OPPONENTS = {"A0": "a0_loop", "A1": "a1_eager", "A2": "a2_tuned", "A2p": "a2p_padded", "A3": "a3_compiled", "A4": "a4_graph",
             "A5": "a5_jax", "A6 JAX": "a6_vmap_jax", "A6 torch": "a6_vmap_torch"}
TUNED = ("A2", "A2p", "A3", "A4", "A5", "A6 JAX", "A6 torch")  # of whom A7 is the best
# Of our engine: (class of precision, storage of the moments).
OURS = {"fp32": (("fp32", "fp32"), ("3xtf32", "fp32")), "tf32": (("tf32", "fp32"),),
        "bf16": (("bf16", "fp32"), ("bf16", "bf16"))}
LIMITS = {"fp32": 1e-5, "3xtf32": 1e-5, "tf32": 1e-3, "bf16": 1e-2}  # gradients and first loss; weights: ten times
STATE = ("clocks.sm", "clocks.mem", "power.draw", "clocks_throttle_reasons.active", "temperature.gpu")


def dgex(layers, hidden):
    return ["--layers", str(layers), "--hidden", str(hidden), "--cells", "8000"]


# {name: (sizes, replicas)}, those the goals name first.
WORKLOADS = {
    "dgex": {"3x9000": (dgex(3, 9000), 1), "1x3000": (dgex(1, 3000), 1), "3x3000": (dgex(3, 3000), 1),
             "1x9000": (dgex(1, 9000), 1)},
    "fly": {f"B {b}": (["--batch", str(b), "--cells", "5120"], 1) for b in (256, 128, 512)},
    "transbrain": {f"K {k}": (["--cells", "15360"], k) for k in (1, 10)},
    "scannonet": {f"G {g}, K {k}": (["--inputs", str(g), "--cells", "25600"], k) for g in (2000, 1000, 4000) for k in (1, 10)},
}
# Sizes at which everything can be tried in seconds.
TINY = {"dgex": ["--cells", "60", "--batch", "20", "--inputs", "43", "--outputs", "30", "--hidden", "24", "--layers", "2"],
        "fly": ["--cells", "60", "--batch", "20", "--inputs", "200", "--outputs", "5", "--hidden", "24", "--density", "0.1"],
        "transbrain": ["--cells", "60", "--batch", "20", "--inputs", "42", "--outputs", "5", "--hidden", "24"],
        "scannonet": ["--cells", "60", "--batch", "20", "--inputs", "64", "--outputs", "5"]}
GATE_WIDTH = {"dgex": ["--hidden", "512"], "fly": ["--hidden", "512"]}


def device_state():
    try:
        line = subprocess.run(["nvidia-smi", "--query-gpu=" + ",".join(STATE), "--format=csv,noheader"], capture_output=True,
                              text=True, timeout=10, check=True).stdout
        return dict(zip(STATE, (value.strip() for value in line.splitlines()[0].split(","))))
    except (OSError, subprocess.SubprocessError, IndexError):
        return {}


def instead(options, others):
    """Options with the values of others in the place of their own."""
    values = {**dict(zip(options[::2], options[1::2])), **dict(zip(others[::2], others[1::2]))}
    return [word for pair in values.items() for word in pair]


class Race:
    """One workload of one class of precision."""

    def __init__(self, options, workload, folder):
        self.options, self.workload, self.folder = options, workload, folder
        sizes, self.replicas = options.workloads[workload]
        self.sizes = sizes
        self.left_out, self.gates, self.made, self.more = {}, {}, {}, {}
        self.ours, self.theirs = [], []

    def program(self, sizes=None):
        o = self.options
        return [os.path.join(o.build, "bench_training_step"), o.system, *(self.sizes if sizes is None else sizes), "--threads",
                str(o.threads)]

    def file(self, name):
        return os.path.join(self.folder, name)

    def export(self):
        """The data that is timed on, and the smaller case of the opponents' gate."""
        small = [] if self.options.tiny else ["--cells", "1024"] + GATE_WIDTH.get(self.options.system, [])
        subprocess.run(self.program() + ["--check", "none", "--export", self.file("time")], check=True)
        subprocess.run(self.program(instead(self.sizes, small)) + ["--check", "f64", "--export", self.file("gate")], check=True)

    def our_gate(self, name, precision, moments):
        """Whether our engine may be timed in this class."""
        o = self.options
        # Short at full width: f64 on the CPU is the reference. The data are the first batch alone.
        steps = 20 if o.tiny or o.system in ("transbrain", "scannonet") else 3
        done = subprocess.run(self.program() + ["--gate", "--device", o.device, "--precision", precision, "--moments",
                                                moments, "--check-steps", str(steps)], capture_output=True, text=True, check=False)
        if done.returncode:
            self.left_out[name] = done.stderr.strip() or done.stdout.strip()
            return False
        found, limit, wrong = json.loads(done.stdout), LIMITS[precision], []
        for what, allowed in (("gradient", limit), ("first_loss", limit), ("weights", 10 * limit)):
            found[what]["allowed"] = allowed
            off = found[what]["distance"]
            if not (isinstance(off, float) or off == 0) or not off <= allowed:
                wrong.append(f"{what} {found[what]['where']} is {off} from f64, allowed {allowed:.0e}")
        if not found["same_bytes_twice"]:
            wrong.append("two runs have different bytes")
        if not found["same_bytes_in_every_form"]:
            wrong.append("another form of graph leaves other bytes")
        self.gates[name] = found
        if wrong:
            self.left_out[name] = "the gate: " + "; ".join(wrong)
        return not wrong

    def start_ours(self):
        o = self.options
        for precision, moments in OURS[o.precision]:
            name = f"genexx {precision}" + (f", {moments} moments" if moments != "fp32" else "")
            if not self.our_gate(name, precision, moments):
                continue
            self.made[name] = self.program() + ["--device", o.device, "--precision", precision, "--moments", moments, "--replicas",
                                                str(self.replicas)]
            warm = "2" if o.tiny else "200" if o.device != "cpu" else "5"
            self.ours.append(Contender(name, self.made[name] + ["--epochs", self.epochs_at_once(), "--warm-steps", warm],
                                       o.realtime))

    def epochs_at_once(self):
        """scAnnoNet's two phases take turns; on a device each must be long beside what its beginning costs."""
        o = self.options
        return "50" if o.system == "scannonet" and o.device != "cpu" and not o.tiny else "1"

    def opponent_command(self, key):
        o = self.options
        replicas = self.replicas if key.startswith("A6") else 1
        return [o.python, "-B", os.path.join(HERE, "opponents", OPPONENTS[key] + ".py"), o.system, "--data", self.file("time"),
                "--gate-data", self.file("gate"), "--device", o.device, "--precision", o.precision, "--replicas", str(replicas),
                "--threads", str(o.threads), "--warm-steps", "2" if o.tiny else "200" if o.device != "cpu" else "5", "--chunk",
                "2" if o.tiny else "100" if o.device != "cpu" else "10"]

    def start_opponent(self, key):
        """A contender that is ready, or None with the reason in left_out."""
        command = self.opponent_command(key)
        contender = Contender(key, command, self.options.realtime)
        first = contender.answer()
        if "left_out" in first or not first:
            self.left_out[key] = first.get("left_out") or f"ended with exit code {contender.process.wait()}; see its messages above"
            if "gate" in first:
                self.gates[key] = first["gate"]
            contender.close()
            return None
        self.gates[key] = first.pop("gate")
        self.more[key] = first
        self.made[key] = command
        return contender

    def start_theirs(self):
        """One after the other on the CPU; on a GPU together, but for the one that tries kernels out while it compiles."""
        o = self.options
        together = [key for key in o.opponents if key != "A3"] if o.device != "cpu" else []
        for key in [key for key in o.opponents if key not in together]:
            self.theirs.append(self.start_opponent(key))
        if together:
            with concurrent.futures.ThreadPoolExecutor(len(together)) as pool:
                self.theirs += pool.map(self.start_opponent, together)
        self.theirs = [contender for contender in self.theirs if contender]

    def take_turns(self, deadline, lines):
        o, programs = self.options, self.ours + self.theirs
        least, answers = o.window_seconds, {program.name: [] for program in programs}
        for k in range(o.windows):
            if k >= 5 and time.monotonic() > deadline:
                break
            turn = k % len(programs)
            for program in programs[turn:] + programs[:turn]:
                before = device_state() if o.device != "cpu" else {}
                answer = program.round(str(least))
                answers[program.name].append(answer)
                lines.write(json.dumps({
                    "system": o.system, "workload": self.workload, "precision": o.precision, "contender": program.name,
                    "window": k, **answer, "date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
                    "before": before, "after": device_state() if o.device != "cpu" else {}, "load": os.getloadavg()[0],
                    "machine": o.machine, "command": o.command}) + "\n")
            print(f"{o.system} {self.workload}: window {k + 1} of {o.windows}", file=sys.stderr)
        return answers

    def close(self):
        for program in self.ours + self.theirs:
            program.close()

    def times_to_model(self, deadline):
        """Seconds from the start of a process to saved weights, reading the same file."""
        seconds = {}
        for name, command in self.made.items():
            if time.monotonic() > deadline:
                self.left_out[f"time to model of {name}"] = "the time was over"
                continue
            command = command + ["--model", self.file("model"), "--epochs", str(self.options.model_epochs)]
            if name.startswith("genexx"):
                command += ["--from", self.file("time")]
            begin = time.monotonic()
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode:
                self.left_out[f"time to model of {name}"] = done.stderr.strip().splitlines()[-1]
            else:
                seconds[name] = time.monotonic() - begin
        return seconds

    def run(self, deadline, lines):
        self.export()
        self.start_ours()
        self.start_theirs()
        programs = self.ours + self.theirs
        if not programs:
            return self.result({}, {})
        answers = self.take_turns(deadline, lines)
        self.close()
        return self.result(answers, self.times_to_model(deadline) if self.options.model_epochs else {})

    def result(self, answers, to_model):
        phases = list(next(iter(answers.values()))[0]["ms"]) if answers else []
        times = {name: {phase: [answer["ms"][phase] for answer in given] for phase in phases} for name, given in answers.items()}
        contenders = {name: {phase: summary(values) for phase, values in of.items()} for name, of in times.items()}
        tuned = [name for name in times if name in TUNED]
        best = {phase: min(tuned, key=lambda name, p=phase: contenders[name][p]["median"]) for phase in phases if tuned}
        ratios = {}
        for ours in [name for name in times if name.startswith("genexx")]:
            for theirs in [name for name in times if not name.startswith("genexx")]:
                ratios[f"{theirs} / {ours}"] = {p: ratio(times[theirs][p], times[ours][p]) for p in phases}
            if best:
                ratios[f"A7 / {ours}"] = {p: ratio(times[best[p]][p], times[ours][p]) for p in phases}
        return {"sizes": self.sizes, "replicas": self.replicas, "contenders": contenders, "a7": best, "ratios": ratios,
                "gates": self.gates, "left_out": self.left_out, "opponents": self.more, "seconds_to_model": to_model,
                "peak_bytes": {name: max(a["bytes"] for a in given) for name, given in answers.items()},
                "windows": {name: len(given) for name, given in answers.items()}}


def workload_table(name, found):
    phases = list(next(iter(found["contenders"].values()), {}))
    lines = [f"## {name}", "", "| program | " + " | ".join(f"{p}, ms a step and replica (p10 .. p90)" for p in phases) +
             " | peak MB | start to model, s | ready, s |", "| --- |" + " --- |" * (len(phases) + 3)]
    for who, times in found["contenders"].items():
        cells = [f"{t['median']:.4g} ({t['p10']:.4g} .. {t['p90']:.4g})" for t in times.values()]
        model, more = found["seconds_to_model"].get(who), found["opponents"].get(who, {})
        lines.append(f"| {who} | {' | '.join(cells)} | {found['peak_bytes'][who] / 1e6:.0f} | "
                     f"{'' if model is None else f'{model:.2f}'} | {more.get('compile_seconds', '')} |")
    if found["ratios"]:
        lines += ["", "| ratio of medians (95% interval) | " + " | ".join(phases) + " |", "| --- |" + " --- |" * len(phases)]
    for who, ratios in found["ratios"].items():
        cells = [f"{r['ratio']:.2f} ({r['low']:.2f} .. {r['high']:.2f})" for r in ratios.values()]
        lines.append(f"| {who} | {' | '.join(cells)} |")
    if found["a7"]:
        lines += ["", "A7: " + ", ".join(f"{who} in {phase}" for phase, who in found["a7"].items()) + "."]
    lines += [""] + [f"- Left out: {who}: {' '.join(reason.split())}" for who, reason in found["left_out"].items()]
    return "\n".join(lines)


def report(result):
    parts = "\n\n".join(workload_table(name, found) for name, found in result["workloads"].items())
    return f"""# Training steps of {result['system']} in {result['precision']} on {result['device']}

Medians over windows of at least {result['window_seconds']} s that take turns. A ratio over 1 says that ours is faster; it counts
where its interval does not hold 1. `ready`: seconds an opponent needs to build, compile or capture its step.

{parts}

| | |
| --- | --- |
| machine | {', '.join(f'{key} {value}' for key, value in result['machine'].items())} |
| date, commit | {result['date']}, {result['commit']} |
| command | `{result['command']}` |
"""


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("system", choices=list(WORKLOADS))
    parser.add_argument("--precision", choices=list(OURS), default="fp32")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--workload", action="append", help="of " + "; ".join(f"{s}: {', '.join(w)}" for s, w in WORKLOADS.items()))
    parser.add_argument("--opponents", default=",".join(OPPONENTS), help="A0 to A6, with commas")
    parser.add_argument("--windows", type=int, default=20)
    parser.add_argument("--window-seconds", type=float, default=0.5)
    parser.add_argument("--model-epochs", type=int, default=2, help="of time to model; 0: not measured")
    parser.add_argument("--limit", type=float, default=1e9, help="seconds for all; workloads that find no time are left out")
    parser.add_argument("--tiny", action="store_true", help="sizes of seconds, to try that everything works")
    parser.add_argument("--build", default=os.path.join(ROOT, "build"))
    parser.add_argument("--python", default=sys.executable, help="the one that has PyTorch and JAX")
    parser.add_argument("--threads", type=int, default=min(16, os.cpu_count() or 1))
    parser.add_argument("--realtime", action="store_true", help="let nothing else run during a window (root)")
    parser.add_argument("--out", help="bench/results/SYSTEM_PRECISION_DEVICE")
    options = parser.parse_args()
    options.workloads = {"tiny": (TINY[options.system], 1)} if options.tiny else WORKLOADS[options.system]
    if options.tiny and options.system in ("transbrain", "scannonet"):
        options.workloads["tiny, K 3"] = (TINY[options.system], 3)
    unknown = set(options.workload or []) - set(options.workloads)
    if unknown:
        parser.error(f"no workload {', '.join(unknown)}; {options.system} has {', '.join(options.workloads)}")
    options.opponents = [key for key in OPPONENTS if key.split()[0] in options.opponents.split(",")
                         or key in options.opponents.split(",")]
    options.out = options.out or default_out(f"{options.system}_{options.precision}_{options.device.replace(':', '')}")
    return options


def main():
    options = parse()
    begin = time.monotonic()
    options.command = shlex.join(["bench/training/race.py"] + sys.argv[1:])
    where = origin(options.command, options.realtime)
    where["machine"]["device"] = gpu_name() if options.device != "cpu" else "CPU"
    options.machine = ", ".join(str(value) for value in where["machine"].values())
    chosen = options.workload or list(options.workloads)
    found = {}
    with open(options.out + ".jsonl", "w", encoding="utf-8") as lines:
        for i, workload in enumerate(chosen):
            left = options.limit - (time.monotonic() - begin)
            if i and left < statistics.mean(f["seconds"] for f in found.values() if "seconds" in f):
                found[workload] = {**Race(options, workload, "").result({}, {}), "left_out": {"all": "the time was over; name it "
                                   "with --workload to run it alone"}}
                continue
            with tempfile.TemporaryDirectory() as folder:
                started = time.monotonic()
                found[workload] = Race(options, workload, folder).run(begin + options.limit, lines)
                found[workload]["seconds"] = time.monotonic() - started
    flat = {f"{workload}: {who}": times for workload, of in found.items() for who, times in of["contenders"].items()}
    result = {"system": options.system, "precision": options.precision, "device": options.device, "contenders": flat,
              "workloads": found, "window_seconds": options.window_seconds, **where}
    write_result(options.out, result, report(result))
    wrong = [f"{w}: {who}" for w, of in found.items() for who in of["left_out"] if who in ("genexx fp32", "genexx tf32", "genexx bf16")]
    if wrong or not flat:
        sys.exit(f"not timed: {', '.join(wrong) or 'anything'}")


def gpu_name():
    try:
        return subprocess.run(["nvidia-smi", "--query-gpu=name,driver_version", "--format=csv,noheader"], capture_output=True,
                              text=True, timeout=10, check=True).stdout.splitlines()[0]
    except (OSError, subprocess.SubprocessError, IndexError):
        return "unknown GPU"


if __name__ == "__main__":
    main()
