# SPDX-License-Identifier: Apache-2.0
"""How an opponent is run: first its gate, then a window of training steps for every line of stdin.

    OPPONENT.py SYSTEM --data FILE [--device cpu|cuda:0] [--precision fp32|tf32|bf16] [--replicas K] [--threads N]
        [--gate-data FILE] [--warm-steps N] [--model FILE --epochs N]

The first line of stdout says {"gate": ..., "versions": ..., "compile_seconds": ...}, or {"left_out": reason}. Every line of
stdin, a number of seconds, is answered by {"ms": {phase: milliseconds a step and replica}, "steps": n, "bytes": peak}.
--model trains that many epochs of each phase instead, writes the weights and ends: what a user waits for.

An opponent is a class with
    name                          as the results call it
    missing(options)              a reason why it cannot run here, or None
    __init__(case, options, dropout)
    gradient(phase)               ({parameter: array}, [losses]) on case.batch, from the exported weights
    run(phase, batches)           trains on these rows; returns when all is done, with the losses of the last step or None
    weights()                     {parameter: array}
    bytes()                       peak memory of the device, or of the process on the CPU
"""
import argparse
import itertools
import json
import os
import sys
import time

os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # read when a framework is imported
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

try:
    import numpy as np
except ImportError as missing:
    print(json.dumps({"left_out": str(missing)}))
    sys.exit(0)

from case import Case, TOLERANCE, distance

LEAST_LOSS = 1e-3  # losses below are judged as if they were that large


def peak_of_process():
    with open("/proc/self/status", encoding="ascii") as file:
        return next(int(line.split()[1]) * 1024 for line in file if line.startswith("VmHWM:"))


def worst(case, found, expected):
    """(distance, name) of the parameter that is farthest off."""
    return max((distance(found[name], expected[name]), name) for name in expected if not case.shadowed(name))


def gate(make, case, options):
    """What was found, and what is wrong with it. `make(dropout)` gives a fresh opponent."""
    found, wrong, limit = {}, [], TOLERANCE[options.precision]
    steps = {phase: len(losses) for phase, losses in case.losses.items()}
    for phase in case.phases:
        gradient, losses = make(0.0).gradient(phase)
        off, name = worst(case, gradient, case.gradients[phase.name])
        found[f"gradient, {phase.name}"] = {"distance": off, "where": name, "allowed": limit}
        if not off <= limit:
            wrong.append(f"gradient of {name} in {phase.name} is {off:.1e} from f64, allowed {limit:.0e}")
        if phase is case.phases[0]:
            expected = case.losses[phase.name][0]
            loss = float(np.max(np.abs(np.asarray(losses) - expected) / np.maximum(np.abs(expected), LEAST_LOSS)))
            found["first loss"] = {"distance": loss, "allowed": limit}
            if not loss <= limit:
                wrong.append(f"the first loss is {loss:.1e} from f64, allowed {limit:.0e}")
    followed = make(0.0)
    followed.fix_batch()
    for phase in case.phases:
        followed.run(phase, np.tile(np.arange(case.rows), (steps[phase.name], 1)))
    off, name = worst(case, followed.weights(), case.after)
    allowed = 10 * limit
    found["weights"] = {"distance": off, "where": name, "steps": steps[case.phases[0].name], "allowed": allowed}
    if not off <= allowed:
        wrong.append(f"weights {name} are {off:.1e} from f64 after the check's steps, allowed {allowed:.0e}")
    return found, wrong


class Clock:
    """Windows of at least so many seconds of each phase."""

    def __init__(self, opponent, case, options):
        self.opponent, self.case, self.replicas = opponent, case, options.replicas
        self.rows = itertools.cycle(np.array_split(case.batches(), max(1, len(case.batches()) // options.chunk)))
        self.chunk = {}

    def window(self, seconds, least_steps=1):
        ms, most = {}, 0
        for phase in self.case.phases:
            begin, steps = time.perf_counter(), 0
            while steps < least_steps or time.perf_counter() - begin < seconds:
                rows = next(self.rows)
                self.opponent.run(phase, rows)
                steps += len(rows)
            ms[phase.name] = 1e3 * (time.perf_counter() - begin) / steps / self.replicas
            most = max(most, steps)
        return {"ms": ms, "steps": most, "bytes": self.opponent.bytes()}


def parse(kind):
    parser = argparse.ArgumentParser(description=f"{kind.name}: see protocol.py")
    parser.add_argument("system", choices=["dgex", "fly", "transbrain", "scannonet"])
    parser.add_argument("--data", required=True)
    parser.add_argument("--gate-data", help="a smaller case for the gate; --data where absent")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--precision", choices=["fp32", "tf32", "bf16", "fp64"], default="fp32")
    parser.add_argument("--replicas", type=int, default=1)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--warm-steps", type=int, default=200)
    parser.add_argument("--chunk", type=int, default=100, help="steps given to the device at once")
    parser.add_argument("--model", metavar="FILE")
    parser.add_argument("--epochs", type=int, default=1)
    return parser.parse_args()


def train_model(opponent, case, options):
    epoch = len(case.batches()) // len(case.order)
    rows = itertools.cycle(case.batches().reshape(len(case.order), epoch, case.rows))
    for phase in case.phases:
        for _ in range(options.epochs):
            opponent.run(phase, next(rows))
    np.savez(options.model, **opponent.weights())


def say(**what):
    print(json.dumps(what), flush=True)


def main(kind):
    options = parse(kind)
    reason = kind.missing(options)
    if reason:
        return say(left_out=reason)
    case = Case(options.system, options.data)
    if options.model:
        return train_model(kind(case, options, None), case, options)
    begin = time.perf_counter()
    small = Case(options.system, options.gate_data) if options.gate_data else case
    found, wrong = gate(lambda dropout: kind(small, options, dropout), small, options)
    if wrong:
        return say(left_out="the gate: " + "; ".join(wrong), gate=found)
    gate_seconds, begin = time.perf_counter() - begin, time.perf_counter()
    opponent = kind(case, options, None)
    clock = Clock(opponent, case, options)
    clock.window(0, 1)  # builds, compiles, captures
    compiled = time.perf_counter() - begin
    clock.window(0, options.warm_steps)
    say(gate=found, versions=kind.versions(), gate_seconds=round(gate_seconds, 2), compile_seconds=round(compiled, 2),
        notes=opponent.notes())
    for line in sys.stdin:
        say(**clock.window(float(line.strip() or 0)))
    return None
