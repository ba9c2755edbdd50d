#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""D-GEX, the fly classifier and TransBrain in PyTorch, written from the published descriptions: the opponent for speed.

    step_pytorch.py SYSTEM check --data FILE
        Trains from the exported weights on the exported batch, dropout off, in the precisions the file has, and says how far
        losses and weights are from those in the file: a timing counts only where the work is the same.
    step_pytorch.py SYSTEM time --data FILE --threads N [--optimizer foreach|single] [--steps 10]
        One round of training steps (gather, forward, loss, backward, optimizer) for every line read from stdin, answered by
        one line of JSON with the milliseconds of a step.

FILE is from `bench_training_step SYSTEM --export FILE`. BLAS and waiting threads: see scannonet_pytorch.py.
"""
import argparse
import json
import sys
import time

from scannonet_pytorch import read_safetensors  # first: it sets the wait policy that torch reads

import numpy as np
import torch
from torch import nn
from torch.nn import functional


def layers_of(system, shapes, dropout):
    """(our name or None, module) in order; `shapes` are those of the weights, by our names."""
    def linear(name):
        out, width = shapes[name + ".weight"]
        return name, nn.Linear(width, out)

    hidden = sorted({name[:-len(".weight")] for name in shapes
                     if name.startswith("hidden") and name.endswith(".weight") and ".norm." not in name})
    layers = []
    for i, name in enumerate(hidden):
        if system == "dgex":
            layers += [(None, nn.Dropout(dropout))] if i else []
            layers += [linear(name), (None, nn.Tanh())]
        elif system == "fly":
            layers += [linear(name), (name + ".norm", nn.BatchNorm1d(shapes[name + ".weight"][0])), (None, nn.ReLU()),
                       (None, nn.Dropout(dropout))]
        else:
            layers += [linear(name), (None, nn.ReLU())]
    if system == "dgex":
        layers.append((None, nn.Dropout(dropout)))
    if system == "transbrain":
        layers.append((None, nn.Dropout1d(dropout)))  # of [rows, units]: drops whole rows
    return layers + [linear("output")]


RATES = {"dgex": 0.1, "fly": 0.2, "transbrain": 0.1}  # of dropout


class Training:
    """A network with its optimizer; `step` does everything for one batch of rows."""

    def __init__(self, system, given, prefix, dropout, foreach):
        dtype = torch.float64 if prefix == "f64." else torch.float32
        begin = prefix + "before."
        weights = {name[len(begin):]: values[0] for name, values in given.items() if name.startswith(begin)}
        self.system = system
        self.layers = layers_of(system, {name: w.shape for name, w in weights.items()}, dropout)
        self.network = nn.Sequential(*(module for _, module in self.layers)).to(dtype)
        for name, module in self.layers:
            if name is None:
                continue
            for part, values in module.state_dict().items():
                if part != "num_batches_tracked":
                    values.copy_(torch.tensor(weights[f"{name}.{part}"]))
        self.optimizer = self.make_optimizer(foreach)

    def make_optimizer(self, foreach):
        if self.system == "dgex":  # weights behind the first layer learn three times as fast
            parts = list(self.network.named_parameters())
            fast = [p for i, (name, p) in enumerate(parts) if i > 0 and name.endswith("weight")]
            slow = [p for i, (name, p) in enumerate(parts) if i == 0 or name.endswith("bias")]
            return torch.optim.SGD([{"params": slow}, {"params": fast, "lr": 9e-4}], lr=3e-4, momentum=0.5, foreach=foreach)
        if self.system == "fly":
            width = self.layers[0][1].out_features
            return torch.optim.Adam(self.network.parameters(), lr=0.5 / width, weight_decay=1e-3, foreach=foreach)
        return torch.optim.AdamW(self.network.parameters(), lr=6e-5, weight_decay=1e-6, foreach=foreach)

    def step(self, x, truth):
        found = self.network(x)
        if self.system == "dgex":
            loss = (found - truth).square().sum() / len(x)
        else:
            loss = functional.cross_entropy(found, truth)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.optimizer.step()
        return loss

    def distances(self, given, prefix):
        """Relative distance of every parameter from the file's last ones."""
        for name, module in self.layers:
            for part, values in module.state_dict().items() if name else []:
                if part == "num_batches_tracked":
                    continue
                expected = given[f"{prefix}after.{name}.{part}"][0]
                yield float(np.linalg.norm(values.numpy() - expected) / np.linalg.norm(expected))


def truth_of(given):
    return torch.tensor(given["targets"]) if "targets" in given else torch.tensor(given["labels"]).long()


def follow(system, given, prefix):
    training = Training(system, given, prefix, 0.0, False)
    dtype = next(training.network.parameters()).dtype
    x = torch.tensor(given["batch"]).to(dtype)
    truth = truth_of(given)[:len(x)]
    truth = truth.to(dtype) if truth.is_floating_point() else truth
    expected = given[prefix + "losses.train"][:, 0]
    found = np.array([training.step(x, truth).item() for _ in expected])
    difference = np.abs(found - expected) / np.maximum(np.abs(expected), 1e-3)
    result = {"first_loss": float(difference[0]), "all_losses": float(difference.max()),
              "fell_to": float(expected[-1] / expected[0])}
    if prefix == "f64.":
        result["weights"] = max(training.distances(given, prefix))
    return result


def run_check(options, given):
    result = {name: follow(options.system, given, prefix) for name, prefix in (("fp64", "f64."), ("fp32", "f32."))
              if prefix + "losses.train" in given}
    print(json.dumps(result))


def run_time(options, given):
    torch.manual_seed(0)
    torch.set_num_threads(options.threads)
    x, truth = torch.tensor(given["x"]), truth_of(given)
    batch = len(given["batch"])
    training = Training(options.system, given, "f32.", RATES[options.system], options.optimizer == "foreach")
    del given

    def round_of_steps():
        rows = torch.randint(len(x), (options.steps, batch))
        begin = time.perf_counter()
        for chosen in rows:
            training.step(x.index_select(0, chosen), truth.index_select(0, chosen))
        return 1e3 * (time.perf_counter() - begin) / options.steps

    round_of_steps()
    for _ in sys.stdin:
        print(json.dumps({"threads": options.threads, "ms": {"train": round_of_steps()}}), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("system", choices=sorted(RATES))
    parser.add_argument("mode", choices=["check", "time"])
    parser.add_argument("--data", metavar="FILE", required=True)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--optimizer", choices=["foreach", "single"], default="foreach")
    parser.add_argument("--steps", type=int, default=10, help="of a round")
    options = parser.parse_args()
    given = read_safetensors(options.data)
    {"check": run_check, "time": run_time}[options.mode](options, given)


if __name__ == "__main__":
    main()
