#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes scannonet.json: scAnnoNet's whole network in PyTorch, its losses, gradients and 25 steps of both phases.

    make_scannonet_goldens.py [OUT]       made with PyTorch 1.13

Dropout is off. All inputs are numbers that float32 holds exactly, so one set serves f32 and f64. Every array is flat and
row-major; a number is an array of one. Three cases:

sizes   genes 37, classes 5, batch 12, squeeze 6, hidden 10, embedding 7, cells 30, steps 25; w1, w2, lr_phase1, lr_phase2,
        schedule_every 20, schedule_factor 0.99
data    x [cells, genes], labels [cells], index [genes]: the discriminant index of x, by the formula with beta 1 through
        the N x N scatter matrices of its definition
phase1  the gate alone: loss = mean((A - index)^2), Adam lr 0.1, from `initial/NAME`
phase2  everything: loss = CE + w1 LDF + w2 CFC / batch, a new Adam lr 0.003, from its own `initial/NAME`: what phase 1 made
        of the gate in 20 steps, in float32

Both phases: rows [steps, batch] (cells of each step's batch); loss [steps] before each step's update, and its parts ce, ldf,
cfc [steps] (cfc not yet divided by the batch; in phase 1 they are what they would be); loss_f32 [steps] of the same run in
float32; gradient/NAME of the first step; after20/NAME, after25/NAME: parameters after as many steps, StepLR dividing steps
1-20 from 21-25.

NAME: gate.0.weight [6, 37], gate.0.bias, gate.1.weight [37, 6], gate.1.bias, hidden.0.weight [10, 37], hidden.0.bias,
hidden.1.weight [7, 10], hidden.1.bias, output.weight [5, 7], output.bias; phase1 has those of the gate under gradient and after.
"""
import json
import os
import sys

import numpy as np
import torch

GENES, CLASSES, BATCH, CELLS, STEPS = 37, 5, 12, 30, 25
SQUEEZE, HIDDEN, EMBEDDING = 6, 10, 7
W1, W2, LR1, LR2, EVERY, FACTOR = 1000.0, 1.0, 0.1, 0.003, 20, 0.99
LAYERS = [("gate.0", GENES, SQUEEZE), ("gate.1", SQUEEZE, GENES), ("hidden.0", GENES, HIDDEN),
          ("hidden.1", HIDDEN, EMBEDDING), ("output", EMBEDDING, CLASSES)]


def initial_parameters(rng):
    """Weights normal with variance 2 / fan_in, biases uniform within 1 / sqrt(fan_in); in float32."""
    parameters = {}
    for name, fan_in, fan_out in LAYERS:
        parameters[name + ".weight"] = rng.normal(0, np.sqrt(2 / fan_in), (fan_out, fan_in)).astype(np.float32)
        parameters[name + ".bias"] = rng.uniform(-1 / np.sqrt(fan_in), 1 / np.sqrt(fan_in), fan_out).astype(np.float32)
    return parameters


def data_set(rng):
    labels = np.concatenate([np.arange(CLASSES), rng.integers(0, CLASSES, CELLS - CLASSES)])
    x = rng.normal(size=(CELLS, GENES)) + rng.normal(0, 0.8, (CLASSES, GENES))[labels]
    x[:, 11] = 0  # a gene that never varies: within-class scatter 0
    return x.astype(np.float32), labels


def discriminant_index(x, labels):
    """By the definition: between- and within-class scatter as quadratic forms of N x N matrices, then min-max."""
    n = len(labels)
    same = np.zeros((n, n))
    for c in np.unique(labels):
        members = (labels == c).astype(float)
        same += np.outer(members, members) / members.sum()
    x = x.astype(np.float64)
    between = np.einsum("ig,ij,jg->g", x, same - np.full((n, n), 1 / n), x)
    within = np.einsum("ig,ij,jg->g", x, np.eye(n) - same, x)
    score = between / (np.where(within < 1e-12, 1e5, within) + 2 * within)
    return ((score - score.min()) / (score.max() - score.min())).astype(np.float32)


def forward(p, x):
    def linear(h, name):
        return torch.nn.functional.linear(h, p[name + ".weight"], p[name + ".bias"])
    gate = torch.sigmoid(linear(torch.tanh(linear(x, "gate.0")), "gate.1"))
    hidden = torch.relu(linear(x * gate, "hidden.0"))
    embedding = torch.relu(linear(hidden, "hidden.1"))
    return gate, embedding, linear(embedding, "output")


def losses(p, x, labels, index):
    gate, z, logits = forward(p, x)
    ce = torch.nn.functional.cross_entropy(logits, labels)
    ldf = ((gate - index) ** 2).mean()
    gram = z.T @ z
    cfc = (gram.sum() - torch.trace(gram)).abs() / (len(x) ** 2 - z.shape[1])
    return ce, ldf, cfc


def train(parameters, names, lr, total, batches, data):
    """Runs the steps on copies of `parameters`; returns what is written about a phase, in the type of `data`."""
    x, labels, index = data
    p = {name: value.clone().requires_grad_(name in names) for name, value in parameters.items()}
    optimizer = torch.optim.Adam([p[name] for name in names], lr=lr)
    schedule = torch.optim.lr_scheduler.StepLR(optimizer, EVERY, FACTOR)
    out = {"loss": [], "ce": [], "ldf": [], "cfc": []}
    for step, rows in enumerate(batches):
        ce, ldf, cfc = losses(p, x[rows], labels[rows], index)
        loss = total(ce, ldf, cfc)
        optimizer.zero_grad()
        loss.backward()
        if step == 0:
            out.update({"gradient/" + name: p[name].grad.clone() for name in names})
        optimizer.step()
        schedule.step()
        for key, value in (("loss", loss), ("ce", ce), ("ldf", ldf), ("cfc", cfc)):
            out[key].append(value.item())
        if step + 1 in (20, STEPS):
            out.update({f"after{step + 1}/{name}": p[name].detach().clone() for name in names})
    return out


def flat(value):
    array = np.asarray(value.detach() if isinstance(value, torch.Tensor) else value)
    if array.dtype.kind in "iu":
        return array.ravel().tolist()
    digits = 9 if array.dtype == np.float32 else 17
    return [float(f"{v:.{digits}g}") for v in np.atleast_1d(array).ravel()]


def both_types(parameters, names, lr, total, batches, arrays):
    """A phase in float64, with the losses of the same in float32 and the initial parameters beside it."""
    results = []
    for dtype in (torch.float64, torch.float32):
        x, labels, index = arrays
        data = (torch.tensor(x, dtype=dtype), torch.tensor(labels), torch.tensor(index, dtype=dtype))
        tensors = {name: torch.tensor(value, dtype=dtype) for name, value in parameters.items()}
        results.append(train(tensors, names, lr, total, batches, data))
    phase = {"rows": batches, **results[0], "loss_f32": np.array(results[1]["loss"], dtype=np.float32)}
    phase.update({"initial/" + name: value for name, value in parameters.items()})
    return phase


def main(path):
    torch.set_num_threads(1)
    rng = np.random.default_rng(7)
    x, labels = data_set(rng)
    index = discriminant_index(x, labels)
    parameters = initial_parameters(rng)
    batches = [np.stack([rng.choice(CELLS, BATCH, replace=False) for _ in range(STEPS)]) for _ in range(2)]
    arrays = (x, labels, index)
    gate = [name for name in parameters if name.startswith("gate.")]
    first = both_types(parameters, gate, LR1, lambda ce, ldf, cfc: ldf, batches[0], arrays)
    parameters = {**parameters, **{name: first["after20/" + name].numpy().astype(np.float32) for name in gate}}
    second = both_types(parameters, list(parameters), LR2, lambda ce, ldf, cfc: ce + W1 * ldf + W2 * cfc / BATCH,
                        batches[1], arrays)
    golden = {
        "sizes": {"genes": GENES, "classes": CLASSES, "batch": BATCH, "squeeze": SQUEEZE, "hidden": HIDDEN,
                  "embedding": EMBEDDING, "cells": CELLS, "steps": STEPS, "w1": W1, "w2": W2, "lr_phase1": LR1,
                  "lr_phase2": LR2, "schedule_every": EVERY, "schedule_factor": FACTOR},
        "data": {"x": x, "labels": labels, "index": index}, "phase1": first, "phase2": second,
    }
    with open(path, "w") as out:
        json.dump({case: {key: flat(value) for key, value in fields.items()} for case, fields in golden.items()}, out,
                  separators=(",", ":"))
        out.write("\n")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.path.dirname(os.path.abspath(__file__)), "scannonet.json"))
