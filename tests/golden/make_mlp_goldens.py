#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes mlp.json and mlp_convolution.json: the fly classifier's network in PyTorch, its loss, gradients and 20 steps of Adam
with L2; the second with two convolutions along the genes before it.

    make_mlp_goldens.py [FOLDER]      made with PyTorch 1.13

Hidden layers of linear, batch norm, ReLU; a linear output; no dropout; cross-entropy; torch.optim.Adam with weight_decay
(L2 through the gradient, on every learned parameter). Rate and decay are larger than the published ones, so that a mistake
in them shows. Inputs are numbers that float32 holds exactly. Every array is flat and row-major.

sizes   genes 19, hidden0 11, hidden1 8, classes 5, batch 14, cells 40, steps 20; lr, weight_decay
data    x [cells, genes], labels [cells]
run     rows [steps, batch]; loss [steps] before each step's update; loss_f32 [steps] of the same run in float32;
        initial/NAME, gradient/NAME of the first step, after20/NAME (running statistics among them); logits [cells, classes]
        after the last step, in inference

NAME: hidden.K.weight, hidden.K.bias, hidden.K.norm.weight, hidden.K.norm.bias, hidden.K.norm.running_mean,
hidden.K.norm.running_var, output.weight, output.bias; of a convolution convolution.K.weight and so on, its weight turned to
[filters, taps, channels], as the numbers that reach the hidden layers are to [positions, channels]. A convolution is followed
by batch norm of its channels, ReLU and max pooling of two positions.
"""
import json
import os
import sys

import numpy as np
import torch

GENES, HIDDEN, CLASSES, BATCH, CELLS, STEPS = 19, (11, 8), 5, 14, 40, 20
LR, DECAY = 0.01, 0.02
CONVOLUTIONS = ((1, 4, 3, 1), (4, 3, 5, 2))  # channels, filters, taps, stride; taps // 2 zeros on each side
POSITIONS = 2  # left of the 19 genes: 19, pooled 9, strided 5, pooled 2


class Network(torch.nn.Module):
    def __init__(self, convolved):
        super().__init__()
        convolutions = CONVOLUTIONS if convolved else ()
        self.convolutions = torch.nn.ModuleList(torch.nn.Conv1d(c, o, k, stride=s, padding=k // 2) for c, o, k, s in convolutions)
        self.channel_norms = torch.nn.ModuleList(torch.nn.BatchNorm1d(o) for _, o, _, _ in convolutions)
        widths = (POSITIONS * CONVOLUTIONS[-1][1] if convolved else GENES,) + HIDDEN
        self.linears = torch.nn.ModuleList(torch.nn.Linear(a, b) for a, b in zip(widths[:-1], widths[1:]))
        self.norms = torch.nn.ModuleList(torch.nn.BatchNorm1d(b) for b in HIDDEN)
        self.output = torch.nn.Linear(HIDDEN[-1], CLASSES)

    def forward(self, x):
        if self.convolutions:
            x = x[:, None, :]
            for convolution, norm in zip(self.convolutions, self.channel_norms):
                x = torch.nn.functional.max_pool1d(torch.relu(norm(convolution(x))), 2)
            x = x.transpose(1, 2).flatten(1)
        for linear, norm in zip(self.linears, self.norms):
            x = torch.relu(norm(linear(x)))
        return self.output(x)

    def named(self):
        """Parameters and running statistics by the names of the file."""
        all_of = {}
        for k, (convolution, norm) in enumerate(zip(self.convolutions, self.channel_norms)):
            for name in ("weight", "bias"):
                all_of[f"convolution.{k}.{name}"] = getattr(convolution, name)
            for name in ("weight", "bias", "running_mean", "running_var"):
                all_of[f"convolution.{k}.norm.{name}"] = getattr(norm, name)
        for k, (linear, norm) in enumerate(zip(self.linears, self.norms)):
            for name in ("weight", "bias"):
                all_of[f"hidden.{k}.{name}"] = getattr(linear, name)
            for name in ("weight", "bias", "running_mean", "running_var"):
                all_of[f"hidden.{k}.norm.{name}"] = getattr(norm, name)
        all_of["output.weight"], all_of["output.bias"] = self.output.weight, self.output.bias
        return all_of


def train(convolved, initial, dtype, x, labels, batches):
    network = Network(convolved).to(dtype)
    with torch.no_grad():
        for name, tensor in network.named().items():
            tensor.copy_(torch.tensor(initial[name], dtype=dtype))
    optimizer = torch.optim.Adam(network.parameters(), lr=LR, weight_decay=DECAY)
    x, out = torch.tensor(x, dtype=dtype), {"loss": []}
    for step, rows in enumerate(batches):
        loss = torch.nn.functional.cross_entropy(network(x[rows]), labels[rows])
        optimizer.zero_grad()
        loss.backward()
        if step == 0:
            out.update({"gradient/" + name: tensor.grad.clone() for name, tensor in network.named().items()
                        if tensor.grad is not None})
        optimizer.step()
        out["loss"].append(loss.item())
    out.update({f"after{STEPS}/" + name: tensor.detach().clone() for name, tensor in network.named().items()})
    network.eval()
    out["logits"] = network(x).detach()
    return out


def initial_values(convolved, rng):
    values = {}
    for name, tensor in Network(convolved).named().items():
        if name.endswith("running_var"):
            values[name] = rng.uniform(0.5, 2, tensor.shape)
        elif name.endswith("norm.weight"):
            values[name] = rng.uniform(0.5, 1.5, tensor.shape)
        else:
            values[name] = rng.normal(0, 0.4, tensor.shape)
    return {name: value.astype(np.float32) for name, value in values.items()}


def flat(value):
    array = np.asarray(value)
    if array.ndim == 3:  # the filters of a convolution
        array = array.transpose(0, 2, 1)
    if array.dtype.kind in "iu":
        return array.ravel().tolist()
    digits = 9 if array.dtype == np.float32 else 17
    return [float(f"{v:.{digits}g}") for v in np.atleast_1d(array).ravel()]


def write(path, convolved):
    rng = np.random.default_rng(8)
    labels = np.concatenate([np.arange(CLASSES), rng.integers(0, CLASSES, CELLS - CLASSES)])
    x = (rng.uniform(0, 1, (CELLS, GENES)) + rng.uniform(0, 0.8, (CLASSES, GENES))[labels]).astype(np.float32)
    initial = initial_values(convolved, rng)
    batches = np.stack([rng.choice(CELLS, BATCH, replace=False) for _ in range(STEPS)])
    results = [train(convolved, initial, dtype, x, torch.tensor(labels), batches) for dtype in (torch.float64, torch.float32)]
    run = {"rows": batches, **results[0], "loss_f32": np.array(results[1]["loss"], dtype=np.float32)}
    run.update({"initial/" + name: value for name, value in initial.items()})
    sizes = {"genes": GENES, "hidden0": HIDDEN[0], "hidden1": HIDDEN[1], "classes": CLASSES, "batch": BATCH, "cells": CELLS,
             "steps": STEPS, "lr": LR, "weight_decay": DECAY}
    if convolved:
        for name, column in (("channels", 1), ("width", 2), ("stride", 3)):
            sizes[name] = [c[column] for c in CONVOLUTIONS]
    golden = {"sizes": sizes, "data": {"x": x, "labels": labels}, "run": run}
    with open(path, "w", encoding="utf-8") as out:
        json.dump({case: {key: flat(value) for key, value in fields.items()} for case, fields in golden.items()}, out,
                  separators=(",", ":"))
        out.write("\n")


def main(folder):
    torch.set_num_threads(1)
    write(os.path.join(folder, "mlp.json"), False)
    write(os.path.join(folder, "mlp_convolution.json"), True)


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else os.path.dirname(os.path.abspath(__file__)))
